// SPDX-License-Identifier: Apache-2.0
#include "stress/runner.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <fstream>
#include <system_error>

#include "stress/abort_points.h"
#include "stress/report.h"
#include "targets/sanitizer_report.h"

namespace stress {
namespace {

using std::chrono::milliseconds;
using std::chrono::steady_clock;

constexpr auto kLook = milliseconds(200);  // of the watchdog
constexpr auto kPoll = milliseconds(5);    // of main, during a round
constexpr auto kPause =
    std::chrono::microseconds(200);  // of a stuttering worker, before it looks again
constexpr unsigned kMostLines = 40;  // of progress, where nobody looks on

std::atomic<bool> stopping = false;
Runner* running = nullptr;
std::atomic<Scenario*> interrupted = nullptr;

std::string progress_of_running() {
  return running == nullptr ? "" : running->progress();
}

void on_trouble_signal(int) {
  // The handlers' generator is the worker's own, and they do not interrupt each other.
  Scenario* const scenario = interrupted.load(std::memory_order_relaxed);
  Worker* const worker = own_worker();
  // Not where it comes late, to a worker that is parked: main is counting. A worker parks after it has seen the same word.
  if (worker != nullptr && scenario != nullptr && running->runs()) scenario->interrupted(*worker);
}

uint64_t resident_mb() {
  std::ifstream file("/proc/self/statm");
  uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE)) >> 20;
}

// So that the last operations in the flight recorder are those of the report.
[[noreturn]] void keep_still() {
  for (;;) pause();
}

double ticks_per_us() {
  const auto began = steady_clock::now();
  const uint64_t from = ticks();
  std::this_thread::sleep_for(milliseconds(10));
  const auto us = std::chrono::duration<double, std::micro>(steady_clock::now() - began).count();
  return static_cast<double>(ticks() - from) / us;
}

}  // namespace

Runner::Runner(const ScenarioInfo& info, const Options& options)
    : info_(info),
      options_(options),
      recorder_(options.threads + 1, options.rings),
      started_(steady_clock::now()) {
  for (unsigned w = 0; w < options_.threads; ++w) {
    targets::Random seed(options_.seed << 8 | w);
    workers_.push_back(std::make_unique<Worker>(w, seed.next(), recorder_.ring(w)));
  }
  for (unsigned stat = 0; stat < kStats; ++stat)
    before_[stat] = counted_by_others(static_cast<Stat>(stat));
  running = this;
  report_about(
      {&options_, info_.name, &workers_, &recorder_, ticks(), ticks_per_us(), progress_of_running});
  disturb_callbacks(options_.adversity ? options_.seed | 1 : 0);
  scenario_ = info_.make({options_.seed, workers_});
  interrupted.store(scenario_.get(), std::memory_order_relaxed);
  struct sigaction action = {};
  action.sa_handler = on_trouble_signal;
  action.sa_flags = SA_RESTART;
  sigaction(trouble_signal(), &action, nullptr);
  if (options_.adversity)
    adversity_ = std::make_unique<Adversity>(~options_.seed, recorder_.ring(options_.threads),
                                             seats_, options_.threads);
}

Runner::~Runner() {
  watching_.store(false, std::memory_order_relaxed);
  if (watchdog_.joinable()) watchdog_.join();
  if (adversity_ != nullptr) adversity_->stop();
  disarm_abort_points();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    ending_ = true;
  }
  moved_.notify_all();
  for (std::thread& thread : threads_)
    if (thread.joinable()) thread.join();
  interrupted.store(nullptr, std::memory_order_relaxed);
  scenario_.reset();
  running = nullptr;
  report_about({});
}

// --- Workers -------------------------------------------------------------------------------------------------

void Runner::start_worker(unsigned number) {
  threads_[number] = std::thread([this, number] { work(number); });
}

void Runner::work(unsigned number) {
  Worker& worker = *workers_[number];
  // What arm_stall() samples: it must be there, and stay.
  volatile char room[2 * kSampledStack];
  for (size_t i = 0; i < sizeof room; i += 1024) room[i] = 0;
  be_worker(&worker);
  Seat& seat = seats_[number];
  seat.thread.store(static_cast<pid_t>(syscall(SYS_gettid)), std::memory_order_relaxed);
  while (park(number)) {
    // relaxed: told to park, a worker takes the lock, which orders all.
    while (running_.load(std::memory_order_relaxed) &&
           !seat.replace.load(std::memory_order_relaxed)) {
      if (targets::sanitizer_has_reported()) keep_still();
      steps_[number].add(1);
      if (adversity_ != nullptr && adversity_->stutters()) {
        std::this_thread::sleep_for(kPause);
        continue;
      }
      scenario_->step(worker);
      if (adversity_ != nullptr) disturb(worker.random);
    }
    if (seat.replace.load(std::memory_order_relaxed)) break;
  }
  seat.thread.store(0, std::memory_order_relaxed);
  be_worker(nullptr);
  std::lock_guard<std::mutex> lock(mutex_);
  places_[number] = Place::kNone;
  moved_.notify_all();
}

// Returns when a round is on; false: the thread shall end.
bool Runner::park(unsigned number) {
  std::unique_lock<std::mutex> lock(mutex_);
  places_[number] = Place::kParked;
  moved_.notify_all();
  moved_.wait(lock, [this] { return ending_ || running_.load(std::memory_order_relaxed); });
  places_[number] = Place::kRunning;
  return !ending_;
}

void Runner::replace_ended_workers() {
  for (unsigned w = 0; w < options_.threads; ++w) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      if (places_[w] != Place::kNone) continue;
    }
    if (threads_[w].joinable()) threads_[w].join();
    seats_[w].replace.store(false, std::memory_order_relaxed);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      places_[w] = Place::kRunning;  // or main would look for it again before it has come to park
    }
    try {
      start_worker(w);
    } catch (const std::system_error& error) {
      thread_obstacle_ = std::string("new threads: ") + error.code().message();
      std::lock_guard<std::mutex> lock(mutex_);
      places_[w] = Place::kNone;
    }
  }
}

void Runner::release_workers() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    running_.store(true, std::memory_order_relaxed);
  }
  moved_.notify_all();
}

void Runner::wait_for_parked() {
  running_.store(false, std::memory_order_relaxed);
  std::unique_lock<std::mutex> lock(mutex_);
  moved_.wait(lock, [this] {
    for (unsigned w = 0; w < options_.threads; ++w)
      if (places_[w] == Place::kRunning) return false;
    return true;
  });
}

// --- Rounds --------------------------------------------------------------------------------------------------

void Runner::begin_phase(const char* phase) {
  phase_began_.store(steady_clock::now().time_since_epoch().count(), std::memory_order_relaxed);
  phase_.store(phase, std::memory_order_relaxed);
}

void Runner::run_round(milliseconds time) {
  replace_ended_workers();
  begin_phase("the beginning of a round");
  scenario_->begin_round();
  begin_phase(nullptr);
  if (adversity_ != nullptr) adversity_->set_active(true);
  release_workers();
  const auto until = steady_clock::now() + time;
  for (auto now = steady_clock::now(); now < until; now = steady_clock::now()) {
    std::this_thread::sleep_for(std::min<steady_clock::duration>(kPoll, until - now));
    end_if_sanitizer_reported();
    replace_ended_workers();
  }
  if (adversity_ != nullptr) adversity_->set_active(false);
  wait_for_parked();
  begin_phase("the check of all counts between two rounds");
  scenario_->end_round();
  begin_phase(nullptr);
  rounds_.fetch_add(1, std::memory_order_relaxed);
}

Totals Runner::run(milliseconds time) {
  const auto until = steady_clock::now() + time;
  // At least a moment apart where nobody looks on, so that a log stays small.
  if (isatty(STDOUT_FILENO) == 0) between_lines_ = std::max(milliseconds(1000), time / kMostLines);
  told_ = steady_clock::now();
  for (unsigned w = 0; w < options_.threads; ++w) {
    places_[w] = Place::kRunning;
    start_worker(w);
  }
  watchdog_ = std::thread([this] { watch(); });
  if (adversity_ != nullptr) adversity_->start();
  targets::Random random(options_.seed + 1);
  while (!stopped() && steady_clock::now() < until) {
    const auto left = std::chrono::duration_cast<milliseconds>(until - steady_clock::now());
    run_round(std::min(left, milliseconds(1 + random.below(options_.round_ms))));
    tell_progress(false);
  }
  if (adversity_ != nullptr) adversity_->stop();  // before what it counted, and missed, is told
  end_if_sanitizer_reported();
  tell_progress(true);
  return totals();
}

// --- Who does not come on ------------------------------------------------------------------------------------

void Runner::watch() {
  std::vector<std::pair<uint64_t, steady_clock::time_point>> seen(options_.threads,
                                                                  {0, steady_clock::now()});
  while (watching_.load(std::memory_order_relaxed)) {
    std::this_thread::sleep_for(kLook);
    end_if_sanitizer_reported();
    check_phase();
    look_at_workers(seen);
  }
}

void Runner::check_phase() {
  const char* const phase = phase_.load(std::memory_order_relaxed);
  if (phase == nullptr) return;
  const steady_clock::duration began(phase_began_.load(std::memory_order_relaxed));
  if (steady_clock::now().time_since_epoch() - began < std::chrono::seconds(options_.patience))
    return;
  end_with({"G9", "hang",
            std::string(phase) + " has not ended for " + std::to_string(options_.patience) + " s",
            false, true});
}

void Runner::look_at_workers(std::vector<std::pair<uint64_t, steady_clock::time_point>>& seen) {
  const auto now = steady_clock::now();
  for (unsigned w = 0; w < options_.threads; ++w) {
    const uint64_t steps = steps_[w].get();
    bool waits;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      waits = places_[w] != Place::kRunning;
    }
    if (waits || seen[w].first != steps) seen[w] = {steps, now};
    if (now - seen[w].second < std::chrono::seconds(options_.patience)) continue;
    end_with({"G9", "hang",
              "worker " + std::to_string(w) + " has not come on for " +
                  std::to_string(options_.patience) + " s",
              false, true});
  }
}

// --- Words ---------------------------------------------------------------------------------------------------

Totals Runner::totals() const {
  Totals all;
  for (unsigned stat = 0; stat < kStats; ++stat)
    all.stats[stat] = counted_by_others(static_cast<Stat>(stat)) - before_[stat];
  for (const auto& worker : workers_) {
    for (unsigned stat = 0; stat < kStats; ++stat)
      all.stats[stat] += worker->tally.stats[stat].get();
    for (unsigned age = 0; age < kAges; ++age) all.ages[age] += worker->tally.ages[age].get();
  }
  return all;
}

std::string Runner::progress() const {
  const Totals all = totals();
  const double seconds = std::chrono::duration<double>(steady_clock::now() - started_).count();
  char rate[64];
  std::snprintf(rate, sizeof rate, "%.0f s, %.2f M/s", seconds,
                static_cast<double>(all.of(Stat::kOperations)) / seconds / 1e6);
  std::string text = std::string(info_.name) + ": " + rate + ", rounds " + std::to_string(rounds());
  for (unsigned stat = 0; stat < kStats; ++stat)
    if (all.stats[stat] != 0)
      text += std::string(", ") + stat_name(stat) + " " + std::to_string(all.stats[stat]);
  text += ", ages";
  for (unsigned age = 0; age < kAges; ++age)
    if (all.ages[age] != 0) text += " " + std::to_string(age) + ":" + std::to_string(all.ages[age]);
  return text + ", RSS " + std::to_string(resident_mb()) + " MB";
}

void Runner::tell_progress(bool last) {
  const auto now = steady_clock::now();
  if (!last && now - told_ < between_lines_) return;
  told_ = now;
  const bool terminal = isatty(STDOUT_FILENO) != 0;
  std::printf("%s%s%s", terminal ? "\r\033[K" : "", progress().c_str(),
              terminal && !last ? "" : "\n");
  std::fflush(stdout);
}

std::string Runner::summary() const {
  std::string text;
  std::string never;
  for (unsigned trouble = 0; adversity_ != nullptr && trouble < kTroubles; ++trouble) {
    const uint64_t times = adversity_->count_of(trouble);
    std::string& list = times == 0 ? never : text;
    list += (list.empty() ? "" : ", ") + std::string(trouble_name(trouble)) +
            (times == 0 ? "" : " " + std::to_string(times));
  }
  if (!text.empty()) text = "  adversity: " + text + "\n";
  if (!never.empty()) text += "  never: " + never + "\n";
  if (const std::string aborts = abort_points_in_words(); !aborts.empty())
    text += "  " + aborts + "\n";
  for (const std::string& obstacle : obstacles()) text += "  not here: " + obstacle + "\n";
  return text;
}

Result Runner::result() const {
  Result result{info_.name, std::chrono::duration<double>(steady_clock::now() - started_).count(),
                rounds(),   totals(),
                {},         obstacles()};
  if (adversity_ != nullptr)
    for (unsigned i = 0; i < kTroubles; ++i) result.adversity[i] = adversity_->count_of(i);
  return result;
}

std::vector<std::string> Runner::obstacles() const {
  std::vector<std::string> all =
      adversity_ == nullptr ? std::vector<std::string>() : adversity_->obstacles();
  if (!thread_obstacle_.empty()) all.push_back(thread_obstacle_);
  if (!recorder_.obstacle().empty())
    all.push_back("a file for the flight recorder: " + recorder_.obstacle());
  return all;
}

void stop_all() noexcept {
  stopping.store(true, std::memory_order_relaxed);
}
bool stopped() noexcept {
  return stopping.load(std::memory_order_relaxed);
}

}  // namespace stress

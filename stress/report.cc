// SPDX-License-Identifier: Apache-2.0
#include "stress/report.h"

#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "stress/ring_program.h"
#include "targets/build_info.h"
#include "targets/guarantees.h"
#include "targets/runtime_threads.h"
#include "targets/sanitizer_report.h"
#include "targets/titles.h"

namespace stress {

namespace fs = std::filesystem;
Reported reported;

namespace {

constexpr int kFound = 77;
constexpr unsigned kLastWords = 30;  // seconds that telling a failure may take
constexpr unsigned kLastOperations = 12;

std::atomic<bool> failing = false;
thread_local bool is_telling = false;
thread_local Worker* worker_here = nullptr;

void give_up(int) {
  constexpr char kWords[] = "\nSUMMARY: lastput: a failure that cannot be told whole\n";
  [[maybe_unused]] const ssize_t written = write(STDERR_FILENO, kWords, sizeof kWords - 1);
  _exit(kFound);
}

bool write_file(const fs::path& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  return !file.fail();
}

// As they are: their threads may go on. ThreadSanitizer must not see it.
__attribute__((no_sanitize("thread"))) void copy_rings(const volatile char* from, char* to,
                                                       size_t size) {
  for (size_t i = 0; i < size; ++i) to[i] = from[i];
}
std::string bytes_of_rings() {
  const Recorder& recorder = *reported.recorder;
  std::string bytes(recorder.size() * sizeof(Ring), '\0');
  copy_rings(reinterpret_cast<const char*>(&const_cast<Recorder&>(recorder).ring(0)), bytes.data(),
             bytes.size());
  return bytes;
}

// The folder's name, or why there is none.
std::string leave_folder(const std::string& report, const std::string& program,
                         std::string& obstacle) {
  std::error_code error;
  const fs::path parent = reported.options->artifacts;
  const std::string name = reported.scenario + "-" + std::to_string(reported.options->seed);
  const fs::path made = parent / ("." + name + "-" + std::to_string(getpid()) + ".tmp");
  fs::create_directories(made, error);
  bool written = !error;
  written = written && write_file(made / "report.txt", report);
  written = written &&
            write_file(made / "options.json", options_json(*reported.options, reported.scenario));
  written = written && write_file(made / "rings.bin", bytes_of_rings());
  written = written && (program.empty() || write_file(made / "program.lastput", program));
  if (!written) {
    obstacle = error ? error.message() : std::strerror(errno);
    fs::remove_all(made, error);
    return "";
  }
  for (unsigned n = 1; n < 10'000; ++n) {
    const fs::path wanted = parent / (name + "-" + std::to_string(n));
    // A folder that is there and not empty is not replaced.
    if (fs::exists(wanted, error)) continue;
    fs::rename(made, wanted, error);
    if (!error) return wanted.string();
  }
  obstacle = error.message();
  return made.string();
}

std::string last_operations() {
  std::string text;
  for (const auto& worker : *reported.workers) {
    text += "worker " + std::to_string(worker->number) +
            ", last operations (object, argument: answer):\n" +
            recorded_text(worker->ring, kLastOperations, reported.origin, reported.ticks_per_us);
  }
  return text;
}

std::string last_operations_as_program(const std::string& guarantee, const std::string& message) {
  std::vector<const Ring*> rings;
  for (const auto& worker : *reported.workers) rings.push_back(&worker->ring);
  return program_text(program_of(rings, reported.options->seed), guarantee, message);
}

std::string again_command() {
  const Options& options = *reported.options;
  const std::string bug = targets::built_with_bug();
  return options.again + " " + reported.scenario + " --seconds=" + std::to_string(options.seconds) +
         " --threads=" + std::to_string(options.threads) +
         " --seed=" + std::to_string(options.seed) + (bug.empty() ? "" : " --bug=" + bug);
}

void on_broken(const char* guarantee, const char* message) {
  end_with({guarantee, "oracle", message});
}
#if defined(__SANITIZE_THREAD__)
#define LASTPUT_UNDER_TSAN 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define LASTPUT_UNDER_TSAN 1
#endif
#endif
// ThreadSanitizer comes here with its locks held, where somebody asked it to end the process (halt_on_error=1): system calls alone.
void on_sanitizer([[maybe_unused]] const targets::SanitizerReport& report) {
#if LASTPUT_UNDER_TSAN
  constexpr char kWords[] =
      "SUMMARY: lastput: see ThreadSanitizer's report; with halt_on_error=0 it is told whole\n";
  syscall(SYS_write, STDERR_FILENO, kWords, sizeof kWords - 1);
  syscall(SYS_exit_group, kFound);
#endif
  end_with({report.guarantee, report.detector, report.words, true, true});
}
void on_signal(int number) {
  end_with(
      {"G8", "crash", std::string(strsignal(number)) + " (signal " + std::to_string(number) + ")"});
}

}  // namespace

void be_worker(Worker* worker) noexcept {
  worker_here = worker;
  count_in(worker == nullptr ? nullptr : &worker->tally);
}
Worker* own_worker() noexcept {
  return worker_here;
}

void end_with(const Finding& finding) {
  if (is_telling || reported.options == nullptr) give_up(0);
  // relaxed: nothing else is handed over by it.
  while (failing.exchange(true, std::memory_order_relaxed)) pause();
  is_telling = true;
  std::signal(SIGALRM, give_up);
  alarm(kLastWords);
  const std::string name = finding.guarantee.empty() ? finding.detector : finding.guarantee;
  const std::string about = targets::guarantee_words(name);
  std::string report = "FAILED: " + name + (about.empty() ? "" : " (" + about + ")") +
                       (name == finding.detector ? "" : ", " + finding.detector) +
                       ", on real threads\n  " + finding.message + "\n";
  if (finding.is_own)
    report += worker_here == nullptr ? "  in a thread of the core, or main\n"
                                     : "  in worker " + std::to_string(worker_here->number) + "\n";
  report += "scenario " + reported.scenario + ", " + options_in_words(*reported.options) + ", " +
            targets::build_in_words() + " (" + targets::build_name() + ")\n" +
            (reported.progress == nullptr ? "" : "so far: " + reported.progress() + "\n") + "\n" +
            last_operations();
  if (!finding.has_stack) targets::print_own_stack();
  if (finding.detector == "hang") report += "\n" + stacks_of_all_threads();
  const std::string again = "again: " + again_command();
  const std::string summary = targets::summary_line(name, reported.scenario + " on real threads");
  const std::string program = last_operations_as_program(name, finding.message);
  std::string obstacle;
  const std::string folder =
      leave_folder(report + again + "\n" + summary + "\n", program, obstacle);
  std::fprintf(stderr, "%s", report.c_str());
  if (folder.empty())
    std::fprintf(stderr, "no folder is left: %s: %s; --out=DIR names another place\n",
                 reported.options->artifacts.c_str(), obstacle.c_str());
  else
    std::fprintf(stderr, "written: %s\n", folder.c_str());
  if (!folder.empty() && !program.empty())
    std::fprintf(stderr, "on the engine: ./lastput replay %s/program.lastput\n", folder.c_str());
  std::fprintf(stderr, "%s\n%s\n", again.c_str(), summary.c_str());
  syscall(SYS_exit_group, kFound);  // ThreadSanitizer would have a last word
  __builtin_unreachable();
}

void report_about(const Reported& what) {
  reported = what;
}

void end_if_sanitizer_reported() {
  if (!targets::sanitizer_has_reported()) return;
  const targets::SanitizerReport report = targets::sanitizer_report();
  end_with({report.guarantee, report.detector, report.words, false, true});
}

void watch_for_failures() {
  targets::runtime::on_broken = on_broken;
  targets::watch_sanitizers(on_sanitizer);
  // Where nobody has a handler: a sanitizer tells more of a bad address.
  for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    struct sigaction old = {};
    sigaction(number, nullptr, &old);
    if ((old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL)
      std::signal(number, on_signal);
  }
}

}  // namespace stress

// SPDX-License-Identifier: Apache-2.0
// The two back ends make the same execution of the same schedule, whichever ran before in the
// process and however that ended.
#include <gtest/gtest.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "sched/sched.h"

namespace {

using sched::Options;
using sched::Result;
using sched::Verdict;
using Body = void (*)();

Result run(Body body, uint64_t seed, bool os_threads, bool record = false) {
  Options options;
  options.seed = seed;
  options.mean_interval = 3;
  options.os_threads = os_threads;
  options.record_always = record;
  return sched::run(body, options);
}

// --- Programs that end in every way there is
// --------------------------------------------------------

void counts() {
  std::atomic<int> x = 0, y = 0;
  std::thread a([&] {
    x.store(1, std::memory_order_relaxed);
    y.fetch_add(2);
  });
  std::thread b([&] {
    y.store(x.load(std::memory_order_relaxed));
    std::this_thread::yield();
    (void)y.load();
  });
  a.join();
  b.join();
}

thread_local std::string words = "fresh";
void waits() {
  std::mutex mutex;
  std::condition_variable changed;
  int turn = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      if (words != "fresh") sched::fail("T", "a thread_local of an earlier thread");
      words += " and used";
      std::unique_lock<std::mutex> lock(mutex);
      changed.wait(lock, [&] { return turn == i; });
      try {
        throw std::runtime_error("turn");
      } catch (const std::exception&) {
        ++turn;
      }
      changed.notify_all();
    });
  }
  for (auto& thread : threads) thread.join();
}

void races() {
  int plain = 0;
  std::thread a([&] { plain = 1; });
  std::thread b([&] { plain = 2; });
  a.join();
  b.join();
}

void deadlocks() {
  std::mutex first, second;
  std::thread a([&] {
    std::lock_guard<std::mutex> one(first);
    std::lock_guard<std::mutex> two(second);
  });
  std::thread b([&] {
    std::lock_guard<std::mutex> two(second);
    std::lock_guard<std::mutex> one(first);
  });
  a.join();
  b.join();
}

void crashes() {
  std::atomic<int*> nowhere = nullptr;
  std::thread a([&] { *nowhere.load() = 1; });
  a.join();
}

int recurse(volatile int* depth) {
  volatile char frame[512] = {};
  *depth = *depth + 1;
  if (*depth < 0) return 0;
  return recurse(depth) + frame[*depth % 512];
}
void overflows() {
  std::thread a([] {
    volatile int depth = 0;
    (void)recurse(&depth);
  });
  a.join();
}

void aborts() {
  std::thread a([] { abort(); });
  a.join();
}

void leaks() {
  std::thread a([] { (void)!malloc(10); });
  a.join();
}

constexpr Body kPrograms[] = {counts, waits, races, deadlocks, crashes, overflows, aborts, leaks};
constexpr const char* kNames[] = {"counts",  "waits",     "races",  "deadlocks",
                                  "crashes", "overflows", "aborts", "leaks"};

void expect_same(const Result& a, const Result& b, const std::string& what) {
  EXPECT_EQ(a.verdict, b.verdict) << what;
  EXPECT_EQ(a.trace_hash, b.trace_hash) << what;
  EXPECT_EQ(a.steps, b.steps) << what;
  EXPECT_EQ(a.switches, b.switches) << what;
  EXPECT_EQ(a.failure.kind, b.failure.kind) << what;
  EXPECT_EQ(a.failure.message, b.failure.message) << what;
  EXPECT_EQ(a.recording.choices, b.recording.choices) << what;
}

TEST(BackendsTest, SameExecution) {
  for (uint64_t seed = 1; seed <= 40; ++seed) {
    for (size_t i = 0; i < std::size(kPrograms); ++i) {
      const bool record = seed % 4 == 0;
      const Result fibers = run(kPrograms[i], seed, false, record);
      const Result threads = run(kPrograms[i], seed, true, record);
      expect_same(fibers, threads, kNames[i]);
      if (HasFailure()) return;
    }
  }
}

// A schedule recorded on one replays on the other.
TEST(BackendsTest, ReplaysTheOthersChoices) {
  for (const bool first : {false, true}) {
    for (uint64_t seed = 1; seed <= 30; ++seed) {
      const Result recorded = run(deadlocks, seed, first, true);
      Options options;
      options.choices = &recorded.recording.choices;
      options.os_threads = !first;
      const Result replayed = sched::run([](void*) { deadlocks(); }, nullptr, options);
      EXPECT_EQ(replayed.verdict, recorded.verdict);
      EXPECT_EQ(replayed.trace_hash, recorded.trace_hash);
    }
  }
}

// Each logical thread is the OS thread that it seems to be.
std::atomic<int>* distinct;
void looks_at_itself() {
  std::atomic<int> seen = 0;
  distinct = &seen;
  const pid_t main_id = gettid();
  std::thread a([main_id] {
    if (gettid() != main_id) distinct->fetch_add(1);
  });
  a.join();
  sched::note(seen.load() != 0 ? "two OS threads" : "one OS thread");
}
TEST(BackendsTest, ThreadsAreThreads) {
  for (const bool os_threads : {false, true}) {
    const Result result = run(looks_at_itself, 1, os_threads, true);
    ASSERT_EQ(result.verdict, Verdict::kClean);
    std::string said;
    for (const auto& step : result.recording.steps)
      if (step.kind == sched::StepKind::kNote) said = step.text;
    EXPECT_EQ(said, os_threads ? "two OS threads" : "one OS thread");
  }
}

TEST(BackendsTest, InTheChildOfAFork) {
  const Result before = run(waits, 7, true);
  const pid_t child = fork();
  if (child == 0) {
    const Result threads = run(waits, 7, true), fibers = run(waits, 7, false);
    _exit(threads.trace_hash == before.trace_hash && fibers.trace_hash == before.trace_hash ? 0
                                                                                            : 1);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

}  // namespace

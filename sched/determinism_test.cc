// SPDX-License-Identifier: Apache-2.0
// The same body and options have the same steps and hash: again, after others, recorded, and in other
// processes.
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <cstdio>
#include <cstring>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

void busy() {
  std::atomic<int> x{0};
  std::mutex m;
  std::condition_variable cv;
  int n = 0;
  auto f = [&] {
    for (int i = 0; i < 4; ++i) {
      x.fetch_add(1);
      std::lock_guard<std::mutex> l(m);
      auto p = std::make_unique<int>(++n);
      cv.notify_all();
    }
  };
  auto g = [&] {
    std::unique_lock<std::mutex> l(m);
    cv.wait(l, [&] { return n >= 8; });
  };
  parallel(f, f, g);
}

int shared;
void racy() {
  parallel([] { ++shared; }, [] { ++shared; });
}

TEST(Determinism, SameSeedSameHashTenThousandTimes) {
  for (uint64_t seed = 1; seed <= 3; ++seed) {
    Result first = run(busy, seeded(seed));
    for (int i = 0; i < 10'000; ++i) {
      if (i % 100 == 7) search(racy, 3);  // others in between
      Result r = run(busy, seeded(seed));
      ASSERT_EQ(first.trace_hash, r.trace_hash) << "run " << i;
      ASSERT_EQ(first.steps, r.steps);
    }
  }
}

TEST(Determinism, RecordingChangesNothing) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Options o = seeded(seed);
    Result fast = run(busy, o);
    o.record_always = true;
    Result slow = run(busy, o);
    ASSERT_EQ(fast.trace_hash, slow.trace_hash) << seed;
    ASSERT_EQ(fast.steps, slow.steps) << seed;
    Options given;
    given.choices = &slow.recording.choices;
    Result again = run(busy, given);
    ASSERT_EQ(fast.trace_hash, again.trace_hash) << seed;
  }
}

TEST(Determinism, DifferentSeedsDiffer) {
  std::set<uint64_t> hashes;
  for (uint64_t seed = 1; seed <= 500; ++seed) hashes.insert(run(busy, seeded(seed)).trace_hash);
  EXPECT_GT(hashes.size(), 450u);
}

TEST(Determinism, BytesComeFirstThenTheSeed) {
  std::vector<uint8_t> bytes;
  std::set<uint64_t> hashes;
  for (int i = 0; i < 60; ++i) {
    bytes.push_back(static_cast<uint8_t>(i * 37 % 11));
    Options o = seeded(9);
    o.bytes = bytes;
    Result a = run(busy, o);
    Result b = run(busy, o);
    ASSERT_EQ(a.trace_hash, b.trace_hash);
    hashes.insert(a.trace_hash);
  }
  EXPECT_GT(hashes.size(), 10u);
}

uint64_t hash_of_busy() {
  return run(busy, seeded(5)).trace_hash;
}

// The same in a fork child, and in a fresh process.
// Given choices first, then the strategy; with none it is the seed's own schedule.
TEST(Determinism, GoesOnByTheSeedWhereChoicesEnd) {
  unsigned tried = 0;
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    Options options = seeded(seed);
    options.record_always = true;
    const Result whole = run(busy, options);
    const auto& all = whole.recording.choices;
    options.go_on = true;
    for (size_t kept = 0; kept <= all.size(); ++kept, ++tried) {
      const std::vector<sched::Choice> prefix(all.begin(),
                                              all.begin() + static_cast<ptrdiff_t>(kept));
      options.choices = &prefix;
      const Result recorded = run(busy, options);
      options.record_always = false;
      const Result fast = run(busy, options);
      options.record_always = true;
      ASSERT_EQ(recorded.trace_hash, fast.trace_hash);
      ASSERT_GE(recorded.recording.choices.size(), kept);
      for (size_t i = 0; i < kept; ++i) ASSERT_EQ(recorded.recording.choices[i], all[i]);
      if (kept == 0) {
        ASSERT_EQ(recorded.trace_hash, whole.trace_hash);
      }
    }
  }
  EXPECT_GT(tried, 500u);
}

TEST(Determinism, AcrossProcesses) {
  const uint64_t mine = hash_of_busy();
  int fds[2];
  ASSERT_EQ(0, pipe(fds));
  pid_t child = fork();
  if (child == 0) {
    const uint64_t h = hash_of_busy();
    ssize_t n = write(fds[1], &h, sizeof h);
    _exit(n == sizeof h ? 0 : 1);
  }
  uint64_t theirs = 0;
  ASSERT_EQ(static_cast<ssize_t>(sizeof theirs), read(fds[0], &theirs, sizeof theirs));
  int status = 0;
  waitpid(child, &status, 0);
  EXPECT_EQ(0, status);
  EXPECT_EQ(mine, theirs);
  close(fds[0]);
  close(fds[1]);

  for (int i = 0; i < 3; ++i) {
    FILE* p = popen("exec /proc/$PPID/exe --hash-of-busy", "r");
    ASSERT_NE(nullptr, p);
    char line[64] = {};
    ASSERT_NE(nullptr, fgets(line, sizeof line, p));
    EXPECT_EQ(0, pclose(p));
    EXPECT_EQ(std::to_string(mine) + "\n", line);
  }
}

TEST(Strategy, EveryOutcomeOfStoreBufferingUnderSequentialConsistency) {
  static int outcomes[2][2];
  Options o = seeded(1);
  o.weak_memory = false;
  for (o.seed = 1; o.seed <= 500; ++o.seed)
    sched::run(
        [](void*) {
          std::atomic<int> x{0}, y{0};
          int a = 0, b = 0;
          opaque(&x);
          opaque(&y);
          parallel(
              [&] {
                x.store(1, kRelaxed);
                a = y.load(kRelaxed);
              },
              [&] {
                y.store(1, kRelaxed);
                b = x.load(kRelaxed);
              });
          outcomes[a][b]++;
        },
        nullptr, o);
  EXPECT_EQ(0, outcomes[0][0]);
  EXPECT_TRUE(outcomes[0][1] && outcomes[1][0] && outcomes[1][1]);
}

// --- Many executions
// ------------------------------------------------------------------------------------

// Uses a little of all that the engine keeps for an execution.
void uses_everything() {
  std::atomic<int> x = 0;
  std::mutex mutex;
  std::condition_variable ready;
  int plain = 0;
  auto work = [&] {
    auto block = std::make_unique<std::string>(100, 'x');
    x.fetch_add(1, kAcqRel);
    std::atomic_thread_fence(kSeqCst);
    const std::lock_guard lock(mutex);
    ++plain;
    ready.notify_all();
  };
  std::thread a(work), b(work);
  std::unique_lock lock(mutex);
  ready.wait(lock, [&] { return plain == 2; });
  lock.unlock();
  a.join();
  b.join();
}
size_t resident_pages() {
  size_t pages = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f == nullptr || fscanf(f, "%*u %zu", &pages) != 1) pages = 0;
  if (f != nullptr) fclose(f);
  return pages;
}
void run_many(uint64_t first, uint64_t last) {
  for (uint64_t seed = first; seed <= last; ++seed)
    ASSERT_EQ(run(uses_everything, seeded(seed)).verdict, Verdict::kClean);
}
TEST(Executions, LeaveNoMemoryBehind) {
  // What the longest of many executions touches stays resident; then there is nothing to add.
  run_many(1, 10000);
  const size_t before = resident_pages();
  ASSERT_GT(before, 0u);
  run_many(10001, 60000);
  // The smallest block an execution would be 390 pages; what the kernel tells may be some 32 off.
  EXPECT_LE(resident_pages(), before + 64);
}

}  // namespace
}  // namespace engine_test

int main(int argc, char** argv) {
  if (argc == 2 && strcmp(argv[1], "--hash-of-busy") == 0) {
    printf("%lu\n", engine_test::hash_of_busy());
    return 0;
  }
  testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}

// SPDX-License-Identifier: Apache-2.0
// Virtual time, and futexes. This file is code under test.
#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <poll.h>
#include <pthread.h>
#include <sys/select.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <atomic>

#include "sched/sync_testing.h"

namespace {

using namespace sched_testing;

long seconds_of(clockid_t clock) {
  timespec t;
  clock_gettime(clock, &t);
  return t.tv_sec;
}

// --- Time
// -----------------------------------------------------------------------------------------------

TEST(Time, ClocksAgreeAndDiffer) {
  expect_clean([] {
    timeval tv;
    gettimeofday(&tv, nullptr);
    timespec utc;
    require(timespec_get(&utc, TIME_UTC) == TIME_UTC, "C11");
    const long calendar = seconds_of(CLOCK_REALTIME);
    require(time(nullptr) == calendar && tv.tv_sec == calendar && utc.tv_sec == calendar, "now");
    require(seconds_of(CLOCK_MONOTONIC) < calendar, "another clock");
    const timespec before = in_seconds(CLOCK_MONOTONIC, 0), after = in_seconds(CLOCK_MONOTONIC, 0);
    require(before.tv_nsec < after.tv_nsec, "each look is later");
  });
}
// It takes no time to sleep, and the sleepers wake up at their deadlines.
TEST(Time, EverySleepSleeps) {
  expect_clean([] {
    const long begin = seconds_of(CLOCK_MONOTONIC);
    sleep(10);
    usleep(10'000'000);
    const timespec ten = {10, 0}, wrong = {0, -1};
    require(nanosleep(&ten, nullptr) == 0, "nanosleep");
    require(nanosleep(&wrong, nullptr) == -1 && errno == EINVAL, "no time");
    require(clock_nanosleep(CLOCK_MONOTONIC, 0, &ten, nullptr) == 0, "clock_nanosleep");
    require(clock_nanosleep(CLOCK_MONOTONIC, 0, &wrong, nullptr) == EINVAL, "no time");
    const timespec then = in_seconds(CLOCK_REALTIME, 10);
    require(clock_nanosleep(CLOCK_REALTIME, TIMER_ABSTIME, &then, nullptr) == 0, "absolute");
    require(poll(nullptr, 0, 10'000) == 0, "poll");
    timeval tv = {10, 0};
    require(select(0, nullptr, nullptr, nullptr, &tv) == 0, "select");
    require(seconds_of(CLOCK_MONOTONIC) - begin == 70, "seventy seconds");
  });
}
// A sleep orders nothing, and any sleeper may be late.
TEST(Time, SleepIsNoSynchronisation) {
  expect_found(FailureKind::kOracle, "it was late", [] {
    std::atomic<bool> done{false};
    parallel(
        [&] {
          usleep(1);
          done.store(true);
        },
        [&] {
          sleep(100);
          require(done.load(), "it was late");
        });
  });
  expect_found(FailureKind::kDataRace, "", [] {
    int data = 0;
    parallel([&] { data = 1; },
             [&] {
               sleep(100);
               data = 2;
             });
  });
}
TEST(Time, WhoOnlyLooksAtTheClockComesToAnEnd) {
  expect_clean(
      [] {
        const long end = seconds_of(CLOCK_MONOTONIC) + 2;
        while (seconds_of(CLOCK_MONOTONIC) < end) {
        }
      },
      20);
}
TEST(Time, IsTheSameInEachExecution) {
  static long begin[2];
  for (long& of_run : begin) {
    static long* to;
    to = &of_run;
    run([] { *to = in_seconds(CLOCK_REALTIME, 0).tv_nsec; }, seeded(1));
  }
  EXPECT_EQ(begin[0], begin[1]);
}

// --- Futexes
// --------------------------------------------------------------------------------------------

long futex(std::atomic<int>* word, int op, int value, const timespec* t = nullptr,
           unsigned bits = 0) {
  return syscall(SYS_futex, reinterpret_cast<int*>(word), op, value, t, nullptr, bits);
}

// The mutex of Drepper's "Futexes are tricky": 0 free, 1 held, 2 held and somebody may wait.
template <bool kWakes>
struct FutexLock {
  std::atomic<int> word{0};
  void lock() {
    int c = 0;
    if (word.compare_exchange_strong(c, 1)) return;
    if (c != 2) c = word.exchange(2);
    while (c != 0) {
      futex(&word, FUTEX_WAIT_PRIVATE, 2);
      c = word.exchange(2);
    }
  }
  void unlock() {
    if (word.fetch_sub(1) == 1) return;
    word.store(0);
    if (kWakes) futex(&word, FUTEX_WAKE_PRIVATE, 1);
  }
};
template <bool kWakes>
void futex_lock() {
  FutexLock<kWakes> lock;
  int n = 0;
  auto add = [&] {
    lock.lock();
    ++n;
    lock.unlock();
  };
  parallel(add, add, add);
  require(n == 3, "lost");
}
TEST(Futex, ALockOfTheProgramsOwn) {
  Options options = seeded(1);
  expect_clean(futex_lock<true>, 500);
  options.spurious = false;
  expect_found(FailureKind::kLostWakeup, "an atomic wait, or a futex, at stack of main",
               futex_lock<false>, kSeeds, options);
}
TEST(Futex, ResultsAreTheKernels) {
  expect_clean([] {
    std::atomic<int> word{1};
    require(futex(&word, FUTEX_WAIT, 0) == -1 && errno == EAGAIN, "another value");
    const timespec one = {1, 0}, wrong = {0, -1};
    require(futex(&word, FUTEX_WAIT, 1, &one) == -1 && errno == ETIMEDOUT, "relative");
    require(futex(&word, FUTEX_WAIT, 1, &wrong) == -1 && errno == EINVAL, "no time");
    timespec until = in_seconds(CLOCK_MONOTONIC, 1);
    require(futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 1, &until, 1) == -1 && errno == ETIMEDOUT,
            "absolute");
    until = in_seconds(CLOCK_REALTIME, 1);
    require(futex(&word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 1, &until, 1) == -1 &&
                errno == ETIMEDOUT,
            "calendar");
    require(futex(&word, FUTEX_WAIT_BITSET, 1, nullptr, 0) == -1 && errno == EINVAL, "no bits");
    require(futex(&word, FUTEX_WAKE, INT_MAX) == 0, "nobody");
  });
}
// Only those with a bit in common wake up.
template <unsigned kBits>
void wakes_by_bits() {
  std::atomic<int> word{0};
  parallel([&] { futex(&word, FUTEX_WAIT_BITSET_PRIVATE, 0, nullptr, 1); },
           [&] {
             while (futex(&word, FUTEX_WAKE_BITSET_PRIVATE, 1, nullptr, kBits) == 0 &&
                    word.fetch_add(1) < 3)
               sched_yield();
           });
}
TEST(Futex, BitsChooseWhomToWake) {
  Options options = seeded(1);
  options.spurious = false;
  expect_clean(wakes_by_bits<~0u>, 1, options);
  expect_found(FailureKind::kLostWakeup, "", wakes_by_bits<2>, kSeeds, options);
}
TEST(Futex, OtherOperationsAreRefused) {
  expect_found(FailureKind::kLimit, "a futex operation other than FUTEX_WAIT", [] {
    std::atomic<int> word{0};
    futex(&word, FUTEX_LOCK_PI, 0);
  });
}

}  // namespace

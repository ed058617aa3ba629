// SPDX-License-Identifier: Apache-2.0
// Condition variables, semaphores, barriers. This file is code under test.
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>

#include <atomic>
#include <cstdlib>

#include "sched/sync_testing.h"

namespace {

using namespace sched_testing;

struct Monitor {
  pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t c = PTHREAD_COND_INITIALIZER;
};

// --- Condition variables
// --------------------------------------------------------------------------------

template <bool kLoops>
void hands_over() {
  Monitor monitor;
  int value = 0;
  parallel(
      [&] {
        pthread_mutex_lock(&monitor.m);
        value = 1;
        pthread_cond_signal(&monitor.c);
        pthread_mutex_unlock(&monitor.m);
      },
      [&] {
        pthread_mutex_lock(&monitor.m);
        if (kLoops) {
          while (value == 0) pthread_cond_wait(&monitor.c, &monitor.m);
        } else if (value == 0) {
          pthread_cond_wait(&monitor.c, &monitor.m);
        }
        require(value == 1, "it woke up for nothing");
        pthread_mutex_unlock(&monitor.m);
      });
}
TEST(Condition, HandsOver) {
  expect_clean(hands_over<true>);
}
TEST(Condition, MayWakeUpForNothing) {
  expect_found(FailureKind::kOracle, "it woke up for nothing", hands_over<false>);
}
TEST(Condition, WakesUpForACauseWhereThatIsAskedFor) {
  Options options = seeded(1);
  options.spurious = false;
  expect_clean(hands_over<false>, kSeeds, options);
}
// What nobody signals is lost: waking up for nothing is no rescue.
TEST(Condition, ALostWakeupIsFound) {
  expect_found(FailureKind::kLostWakeup, "waits for condition variable stack of main", [] {
    Monitor monitor;
    std::atomic<int> value{0};
    parallel(
        [&] {
          value.store(1);
          pthread_cond_signal(&monitor.c);  // outside of the mutex: between the test and the wait
        },
        [&] {
          pthread_mutex_lock(&monitor.m);
          while (value.load() == 0) pthread_cond_wait(&monitor.c, &monitor.m);
          pthread_mutex_unlock(&monitor.m);
        });
  });
}

// Two wait for different things by one condition variable: a signal may reach the wrong one.
template <bool kBroadcasts>
void two_reasons() {
  Monitor monitor;
  bool a = false, b = false;
  auto wait = [&](bool* mine) {
    pthread_mutex_lock(&monitor.m);
    while (!*mine) pthread_cond_wait(&monitor.c, &monitor.m);
    pthread_mutex_unlock(&monitor.m);
  };
  auto set = [&](bool* his) {
    pthread_mutex_lock(&monitor.m);
    *his = true;
    (kBroadcasts ? pthread_cond_broadcast : pthread_cond_signal)(&monitor.c);
    pthread_mutex_unlock(&monitor.m);
  };
  parallel([&] { wait(&a); }, [&] { wait(&b); },
           [&] {
             set(&a);
             set(&b);
           });
}
TEST(Condition, ASignalWakesOneABroadcastAll) {
  expect_clean(two_reasons<true>);
  Options options = seeded(1);
  options.spurious = false;
  expect_found(FailureKind::kLostWakeup, "waits for condition variable", two_reasons<false>, kSeeds,
               options);
}

TEST(Condition, DoesNotOrderByItself) {
  expect_found(FailureKind::kDataRace, "", [] {
    Monitor one;
    int data = 0;
    parallel(
        [&] {
          data = 1;
          pthread_cond_broadcast(&one.c);
        },
        [&] {
          pthread_mutex_lock(&one.m);
          const timespec t = in_seconds(CLOCK_REALTIME, 1);
          if (pthread_cond_timedwait(&one.c, &one.m, &t) == 0) data = 2;
          pthread_mutex_unlock(&one.m);
        });
  });
}

// The clock of a condition variable is its own; a deadline of another is a bug that shows.
template <clockid_t kOfCondition, clockid_t kOfDeadline>
void waits_one_second() {
  pthread_condattr_t attr;
  pthread_condattr_init(&attr);
  pthread_condattr_setclock(&attr, kOfCondition);
  pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
  pthread_cond_t c;
  pthread_cond_init(&c, &attr);
  const timespec begin = in_seconds(CLOCK_MONOTONIC, 0), until = in_seconds(kOfDeadline, 1);
  pthread_mutex_lock(&m);
  while (pthread_cond_timedwait(&c, &m, &until) != ETIMEDOUT) {
  }
  pthread_mutex_unlock(&m);
  const timespec end = in_seconds(CLOCK_MONOTONIC, 0);
  const long passed = end.tv_sec - begin.tv_sec;
  require(passed == 1, passed == 0 ? "it waited too short" : "it waited for years");
  pthread_cond_destroy(&c);
}
TEST(Condition, WaitsByItsClock) {
  expect_clean(waits_one_second<CLOCK_REALTIME, CLOCK_REALTIME>, 50);
  expect_clean(waits_one_second<CLOCK_MONOTONIC, CLOCK_MONOTONIC>, 50);
  expect_found(FailureKind::kOracle, "it waited too short",
               waits_one_second<CLOCK_REALTIME, CLOCK_MONOTONIC>);
  expect_found(FailureKind::kOracle, "it waited for years",
               waits_one_second<CLOCK_MONOTONIC, CLOCK_REALTIME>);
}
TEST(Condition, ClockwaitNamesItsClock) {
  expect_clean([] {
    Monitor monitor;
    pthread_mutex_lock(&monitor.m);
    for (clockid_t clock : {CLOCK_REALTIME, CLOCK_MONOTONIC}) {
      const timespec t = in_seconds(clock, 1);
      require(pthread_cond_clockwait(&monitor.c, &monitor.m, clock, &t) == ETIMEDOUT, "time");
      const timespec wrong = {t.tv_sec, -1};
      require(pthread_cond_clockwait(&monitor.c, &monitor.m, clock, &wrong) == EINVAL, "no time");
    }
    pthread_mutex_unlock(&monitor.m);
  });
}

TEST(Condition, MisuseIsFound) {
  expect_found(FailureKind::kLockMisuse, "with a mutex that it does not hold", [] {
    Monitor monitor;
    pthread_cond_wait(&monitor.c, &monitor.m);
  });
  expect_found(FailureKind::kSyncMisuse, "with different mutexes", [] {
    Monitor monitor;
    pthread_mutex_t other = PTHREAD_MUTEX_INITIALIZER;
    auto wait = [&](pthread_mutex_t* m) {
      pthread_mutex_lock(m);
      pthread_cond_wait(&monitor.c, m);
      pthread_mutex_unlock(m);
    };
    parallel([&] { wait(&monitor.m); }, [&] { wait(&other); });
  });
  expect_found(FailureKind::kSyncMisuse, "destruction of what another thread waits for", [] {
    Monitor monitor;
    parallel(
        [&] {
          pthread_mutex_lock(&monitor.m);
          pthread_cond_wait(&monitor.c, &monitor.m);
          pthread_mutex_unlock(&monitor.m);
        },
        [&] {
          pthread_mutex_lock(&monitor.m);
          pthread_mutex_unlock(&monitor.m);
          pthread_cond_destroy(&monitor.c);
        });
  });
}
// POSIX allows it right after a broadcast under the mutex: those who woke up do not look at it again.
TEST(Condition, MayBeDestroyedAfterABroadcast) {
  expect_clean([] {
    Monitor monitor;
    int waiting = 0;
    bool gone = false;
    parallel(
        [&] {
          pthread_mutex_lock(&monitor.m);
          ++waiting;
          while (!gone && waiting == 1) pthread_cond_wait(&monitor.c, &monitor.m);
          pthread_mutex_unlock(&monitor.m);
        },
        [&] {
          pthread_mutex_lock(&monitor.m);
          gone = true;
          pthread_cond_broadcast(&monitor.c);
          pthread_cond_destroy(&monitor.c);
          pthread_mutex_unlock(&monitor.m);
        });
  });
}

// --- Semaphores
// -----------------------------------------------------------------------------------------

struct Semaphore {
  explicit Semaphore(unsigned value) { require(sem_init(&s, 0, value) == 0, "sem_init"); }
  ~Semaphore() { sem_destroy(&s); }
  sem_t s;
};

TEST(Semaphore, PostOrdersBeforeWait) {
  expect_clean([] {
    Semaphore ready(0);
    int data = 0;
    parallel(
        [&] {
          data = 1;
          sem_post(&ready.s);
        },
        [&] {
          sem_wait(&ready.s);
          require(data == 1, "data");
        });
  });
}
TEST(Semaphore, WaitDoesNotOrderBeforePost) {
  expect_found(FailureKind::kDataRace, "is not ordered after", [] {
    Semaphore tokens(2);
    int data = 0;
    auto use = [&] {
      sem_wait(&tokens.s);
      ++data;
      sem_post(&tokens.s);
    };
    parallel(use, use);
  });
}
// Nor before a wait, by whatever schedule.
TEST(Semaphore, WaitsDoNotOrderEachOther) {
  expect_found(
      FailureKind::kDataRace, "is not ordered after",
      [] {
        Semaphore tokens(2);
        int data = 0;
        std::atomic<bool> first_done{false};
        parallel(
            [&] {
              data = 1;
              sem_wait(&tokens.s);
              first_done.store(true, std::memory_order_relaxed);
            },
            [&] {
              while (!first_done.load(std::memory_order_relaxed)) sched_yield();
              sem_wait(&tokens.s);
              data = 2;
            });
      },
      1);
}
TEST(Semaphore, OfOneIsALock) {
  expect_clean([] {
    Semaphore lock(1);
    int n = 0;
    auto add = [&] {
      sem_wait(&lock.s);
      ++n;
      sem_post(&lock.s);
    };
    parallel(add, add, add);
    int value = 0;
    sem_getvalue(&lock.s, &value);
    require(n == 3 && value == 1, "lost");
  });
}
TEST(Semaphore, CountsAndTellsErrors) {
  expect_clean([] {
    Semaphore s(1);
    require(sem_trywait(&s.s) == 0, "one");
    require(sem_trywait(&s.s) == -1 && errno == EAGAIN, "none");
    timespec t = in_seconds(CLOCK_REALTIME, 1);
    require(sem_timedwait(&s.s, &t) == -1 && errno == ETIMEDOUT, "time");
    t = in_seconds(CLOCK_MONOTONIC, 1);
    require(sem_clockwait(&s.s, CLOCK_MONOTONIC, &t) == -1 && errno == ETIMEDOUT, "time");
    t.tv_nsec = -1;
    require(sem_clockwait(&s.s, CLOCK_MONOTONIC, &t) == -1 && errno == EINVAL, "no time");
    sem_t full;
    require(sem_init(&full, 0, SEM_VALUE_MAX) == 0, "full");
    require(sem_post(&full) == -1 && errno == EOVERFLOW, "overflow");
    require(sem_init(&full, 0, SEM_VALUE_MAX + 1u) == -1 && errno == EINVAL, "too large");
  });
}
// Any of those who wait may be woken, and each post wakes one.
TEST(Semaphore, WakesAnyone) {
  static bool first[3];
  expect_clean([] {
    Semaphore s(0);
    std::atomic<int> order{0};
    auto wait = [&](int i) {
      sem_wait(&s.s);
      if (order.fetch_add(1) == 0) note(first[i]);
    };
    parallel([&] { wait(0); }, [&] { wait(1); }, [&] { wait(2); },
             [&] {
               for (int i = 0; i < 3; ++i) sem_post(&s.s);
             });
  });
  EXPECT_TRUE(first[0] && first[1] && first[2]);
}
// The last one who uses a semaphore may free it, though the post that let him go has not returned.
TEST(Semaphore, MayBeFreedByWhoWaited) {
  expect_clean([] {
    auto* s = new Semaphore(0);
    parallel([=] { sem_post(&s->s); },
             [=] {
               sem_wait(&s->s);
               delete s;
             });
  });
}
TEST(Semaphore, MisuseAndDeadlockAreFound) {
  expect_found(FailureKind::kDeadlock, "main waits for semaphore stack of main", [] {
    Semaphore s(0);
    sem_wait(&s.s);
  });
  expect_found(FailureKind::kSyncMisuse, "destruction of what another thread waits for", [] {
    Semaphore s(0);
    parallel([&] { sem_wait(&s.s); }, [&] { sem_destroy(&s.s); });
  });
  expect_found(FailureKind::kSyncMisuse, "use of what was destroyed: semaphore", [] {
    sem_t s;
    sem_init(&s, 0, 1);
    sem_destroy(&s);
    sem_wait(&s);
  });
  expect_found(FailureKind::kLimit, "sem_init() of a semaphore that processes share", [] {
    sem_t s;
    sem_init(&s, 1, 0);
  });
  expect_found(FailureKind::kLimit, "sem_open() is not controlled by the engine: use sem_init()",
               [] { sem_open("/lastput", O_CREAT, 0600, 1); });
}

// --- Barriers
// -------------------------------------------------------------------------------------------

struct Barrier {
  explicit Barrier(unsigned n) { require(pthread_barrier_init(&b, nullptr, n) == 0, "init"); }
  ~Barrier() { pthread_barrier_destroy(&b); }
  pthread_barrier_t b;
};

// Each writes its own cell, and after the barrier reads those of all, round after round.
template <bool kSecondBarrier>
void rounds() {
  Barrier barrier(3);
  int cells[3] = {};
  auto work = [&](int i) {
    for (int round = 1; round <= 2; ++round) {
      cells[i] = round;
      pthread_barrier_wait(&barrier.b);
      for (int cell : cells) require(cell == round, "a cell of another round");
      if (kSecondBarrier) pthread_barrier_wait(&barrier.b);
    }
  };
  parallel([&] { work(0); }, [&] { work(1); }, [&] { work(2); });
}
TEST(Barrier, OrdersAllToAll) {
  expect_clean(rounds<true>);
}
TEST(Barrier, DoesNotOrderWhatComesAfterIt) {
  expect_found(FailureKind::kDataRace, "is not ordered after", rounds<false>);
}
TEST(Barrier, OneIsToldSoAndAnyMayBe) {
  static bool told[3];
  expect_clean([] {
    Barrier barrier(3);
    std::atomic<int> count{0};
    auto wait = [&](int i) {
      const int rc = pthread_barrier_wait(&barrier.b);
      require(rc == 0 || rc == PTHREAD_BARRIER_SERIAL_THREAD, "result");
      if (rc == 0) return;
      note(told[i]);
      count.fetch_add(1);
    };
    parallel([&] { wait(0); }, [&] { wait(1); }, [&] { wait(2); });
    require(count.load() == 1, "not one");
  });
  EXPECT_TRUE(told[0] && told[1] && told[2]);
}
// Not always the last one to come: that would be a departure from the default.
TEST(Barrier, WhoIsToldIsAChoice) {
  bool departs = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Options options = seeded(seed);
    options.record_always = true;
    const Result r = run(rounds<true>, options);
    for (const auto& choice : r.recording.choices) departs |= choice.to[0] == '-';
  }
  EXPECT_TRUE(departs);
}
TEST(Barrier, MayBeDestroyedByTheOneWhoIsTold) {
  expect_clean([] {
    auto* barrier = new Barrier(2);
    auto wait = [=] {
      if (pthread_barrier_wait(&barrier->b) == PTHREAD_BARRIER_SERIAL_THREAD) delete barrier;
    };
    parallel(wait, wait);
  });
}
TEST(Barrier, AndConditionsThatProcessesShareAreRefused) {
  expect_found(FailureKind::kLimit, "pthread_barrier_init() of a barrier that processes share", [] {
    pthread_barrierattr_t attr;
    pthread_barrierattr_init(&attr);
    pthread_barrierattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_barrier_t b;
    pthread_barrier_init(&b, &attr, 2);
  });
  expect_found(FailureKind::kLimit, "pthread_cond_init() of a condition variable that", [] {
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_cond_t c;
    pthread_cond_init(&c, &attr);
  });
}
TEST(Barrier, MisuseAndDeadlockAreFound) {
  expect_found(FailureKind::kDeadlock, ", where 2 have come", [] {
    Barrier barrier(3);
    auto wait = [&] { pthread_barrier_wait(&barrier.b); };
    parallel(wait, wait);
  });
  expect_found(FailureKind::kSyncMisuse, "destruction of what another thread waits for", [] {
    Barrier barrier(3);
    auto wait = [&] { pthread_barrier_wait(&barrier.b); };
    parallel(wait, wait, [&] { pthread_barrier_destroy(&barrier.b); });
  });
  expect_found(FailureKind::kSyncMisuse, "barrier that was never initialised", [] {
    pthread_barrier_t barrier = {};
    pthread_barrier_wait(&barrier);
  });
  expect_clean([] {
    pthread_barrier_t barrier;
    require(pthread_barrier_init(&barrier, nullptr, 0) == EINVAL, "of none");
    require(pthread_barrier_init(&barrier, nullptr, 1) == 0, "of one");
    require(pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD, "alone");
  });
}

}  // namespace

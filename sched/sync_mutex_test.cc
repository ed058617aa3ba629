// SPDX-License-Identifier: Apache-2.0
// Mutexes of every type, spin locks, read-write locks: what orders, what does not, what is misuse. This
// file is code under test.
#include <errno.h>
#include <pthread.h>

#include <atomic>
#include <cstdlib>
#include <cstring>

#include "sched/sync_testing.h"

namespace {

using namespace sched_testing;

// A mutex of a type, initialised and destroyed.
struct Mutex {
  explicit Mutex(int type) {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_settype(&attr, type);
    pthread_mutex_init(&m, &attr);
    pthread_mutexattr_destroy(&attr);
  }
  ~Mutex() { pthread_mutex_destroy(&m); }
  pthread_mutex_t m;
};

// --- Types
// ----------------------------------------------------------------------------------------------

template <int kType>
void excludes() {
  Mutex mutex(kType);
  int n = 0;
  auto add = [&] {
    require(pthread_mutex_lock(&mutex.m) == 0, "lock");
    ++n;
    require(pthread_mutex_unlock(&mutex.m) == 0, "unlock");
  };
  parallel(add, add, add);
  require(n == 3, "lost");
}
TEST(Mutex, EveryTypeExcludesAndOrders) {
  expect_clean(excludes<PTHREAD_MUTEX_NORMAL>);
  expect_clean(excludes<PTHREAD_MUTEX_ERRORCHECK>);
  expect_clean(excludes<PTHREAD_MUTEX_RECURSIVE>);
  expect_clean(excludes<PTHREAD_MUTEX_ADAPTIVE_NP>);
}

TEST(Mutex, TwoMutexesDoNotOrder) {
  expect_found(FailureKind::kDataRace, "is not ordered after", [] {
    Mutex a(PTHREAD_MUTEX_NORMAL), b(PTHREAD_MUTEX_NORMAL);
    int n = 0;
    auto add = [&](pthread_mutex_t* m) {
      pthread_mutex_lock(m);
      ++n;
      pthread_mutex_unlock(m);
    };
    parallel([&] { add(&a.m); }, [&] { add(&b.m); });
  });
}

TEST(Mutex, ErrorcheckTellsErrors) {
  expect_clean([] {
    Mutex mutex(PTHREAD_MUTEX_ERRORCHECK);
    require(pthread_mutex_unlock(&mutex.m) == EPERM, "unlock of a free one");
    pthread_mutex_lock(&mutex.m);
    require(pthread_mutex_lock(&mutex.m) == EDEADLK, "second lock");
    require(pthread_mutex_trylock(&mutex.m) == EBUSY, "try");
    parallel([&] { require(pthread_mutex_unlock(&mutex.m) == EPERM, "unlock by another"); });
    pthread_mutex_unlock(&mutex.m);
  });
}

TEST(Mutex, RecursiveCounts) {
  expect_clean([] {
    Mutex mutex(PTHREAD_MUTEX_RECURSIVE);
    pthread_mutex_lock(&mutex.m);
    require(pthread_mutex_lock(&mutex.m) == 0 && pthread_mutex_trylock(&mutex.m) == 0, "again");
    pthread_mutex_unlock(&mutex.m);
    pthread_mutex_unlock(&mutex.m);
    parallel([&] {
      require(pthread_mutex_trylock(&mutex.m) == EBUSY, "still held");
      require(pthread_mutex_unlock(&mutex.m) == EPERM, "unlock by another");
    });
    pthread_mutex_unlock(&mutex.m);
    parallel([&] {
      require(pthread_mutex_trylock(&mutex.m) == 0, "free");
      pthread_mutex_unlock(&mutex.m);
    });
  });
}

// --- Misuse
// ---------------------------------------------------------------------------------------------

TEST(Mutex, RelockIsMisuseWithTheNameOfWhoHoldsIt) {
  expect_found(
      FailureKind::kLockMisuse, "locks a mutex that it already holds: mutex stack of main",
      [] {
        Mutex mutex(PTHREAD_MUTEX_NORMAL);
        pthread_mutex_lock(&mutex.m);
        pthread_mutex_lock(&mutex.m);
      },
      1);
}
TEST(Mutex, UnlockByAnotherIsMisuse) {
  expect_found(FailureKind::kLockMisuse, "unlocks a mutex that it does not hold", [] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    pthread_mutex_lock(&mutex.m);
    parallel([&] { pthread_mutex_unlock(&mutex.m); });
  });
}
TEST(Mutex, DestructionOfALockedOneIsMisuse) {
  expect_found(FailureKind::kLockMisuse, "destroys a mutex that is locked", [] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    pthread_mutex_lock(&mutex.m);
  });
}
TEST(Mutex, UseOfADestroyedOneIsMisuse) {
  expect_found(FailureKind::kLockMisuse, "use of what was destroyed: mutex heap#1", [] {
    auto* m = static_cast<pthread_mutex_t*>(malloc(sizeof(pthread_mutex_t)));
    pthread_mutex_init(m, nullptr);
    pthread_mutex_destroy(m);
    pthread_mutex_lock(m);
  });
}
TEST(Mutex, HeapMemoryIsNoMutex) {
  expect_found(FailureKind::kLockMisuse, "never initialised: mutex heap#1", [] {
    pthread_mutex_lock(static_cast<pthread_mutex_t*>(malloc(sizeof(pthread_mutex_t))));
  });
}
TEST(Mutex, DestroyedMemoryMayBecomeAMutexAgain) {
  expect_clean([] {
    for (int i = 0; i < 3; ++i) {
      pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
      pthread_mutex_lock(&m);
      pthread_mutex_unlock(&m);
      pthread_mutex_destroy(&m);
    }
    auto* m = static_cast<pthread_mutex_t*>(calloc(1, sizeof(pthread_mutex_t)));
    pthread_mutex_lock(m);  // zeros are an initialiser
    pthread_mutex_unlock(m);
    free(m);
  });
}
// Who frees a mutex must be ordered after those who used it: by the mutex itself will do.
template <bool kLocks>
void frees_after_use() {
  struct Shared {
    pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    std::atomic<bool> done{false};
  };
  auto* shared = new Shared;
  parallel(
      [=] {
        pthread_mutex_lock(&shared->m);
        shared->done.store(true, std::memory_order_relaxed);
        pthread_mutex_unlock(&shared->m);
      },
      [=] {
        if (!shared->done.load(std::memory_order_relaxed)) return;
        if (kLocks) {
          pthread_mutex_lock(&shared->m);
          pthread_mutex_unlock(&shared->m);
        }
        pthread_mutex_destroy(&shared->m);
      });
  delete shared;
}
TEST(Mutex, DestructionMustBeOrderedAfterUse) {
  expect_clean(frees_after_use<true>);
  expect_found(FailureKind::kDataRace, "is not ordered after the atomic write",
               frees_after_use<false>);
}

TEST(Mutex, SharedAndRobustOnesAreRefused) {
  expect_found(FailureKind::kLimit, "robust mutex is not controlled by the engine: use", [] {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_t m;
    pthread_mutex_init(&m, &attr);
  });
  expect_found(FailureKind::kLimit, "pthread_mutex_init() of a mutex that processes share", [] {
    pthread_mutexattr_t attr;
    pthread_mutexattr_init(&attr);
    pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_mutex_t m;
    pthread_mutex_init(&m, &attr);
  });
  expect_found(FailureKind::kLimit, "pthread_spin_init() of a lock that processes share", [] {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, PTHREAD_PROCESS_SHARED);
  });
}

// --- Waiting
// --------------------------------------------------------------------------------------------

TEST(Mutex, TimedLockGetsItOrTimesOut) {
  static int got, timed_out;
  got = timed_out = 0;
  expect_clean([] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    auto lock = [&](int (*take)(pthread_mutex_t*)) {
      const int rc = take(&mutex.m);
      require(rc == 0 || rc == ETIMEDOUT, "result");
      (rc == 0 ? got : timed_out) += 1;
      if (rc != 0) return;
      sched_yield();
      pthread_mutex_unlock(&mutex.m);
    };
    parallel(
        [&] {
          lock([](pthread_mutex_t* m) {
            const timespec t = in_seconds(CLOCK_REALTIME, 1);
            return pthread_mutex_timedlock(m, &t);
          });
        },
        [&] {
          lock([](pthread_mutex_t* m) {
            const timespec t = in_seconds(CLOCK_MONOTONIC, 1);
            return pthread_mutex_clocklock(m, CLOCK_MONOTONIC, &t);
          });
        });
  });
  EXPECT_GT(got, 0);
  EXPECT_GT(timed_out, 0);
}
TEST(Mutex, TimedLockByTheOwnerTimesOut) {
  expect_clean([] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    pthread_mutex_lock(&mutex.m);
    const timespec t = in_seconds(CLOCK_REALTIME, 1);
    require(pthread_mutex_timedlock(&mutex.m, &t) == ETIMEDOUT, "timed");
    const timespec wrong = {t.tv_sec, 1'000'000'000};
    require(pthread_mutex_timedlock(&mutex.m, &wrong) == EINVAL, "no time");
    pthread_mutex_unlock(&mutex.m);
    require(pthread_mutex_timedlock(&mutex.m, &wrong) == 0, "no need to wait");
    pthread_mutex_unlock(&mutex.m);
  });
}

// --- Deadlocks
// ------------------------------------------------------------------------------------------

void opposite_orders() {
  static pthread_mutex_t first = PTHREAD_MUTEX_INITIALIZER, second = PTHREAD_MUTEX_INITIALIZER;
  sched::name_object(&first, sizeof first, "first");
  sched::name_object(&second, sizeof second, "second");
  auto both = [](pthread_mutex_t* one, pthread_mutex_t* two) {
    pthread_mutex_lock(one);
    pthread_mutex_lock(two);
    pthread_mutex_unlock(two);
    pthread_mutex_unlock(one);
  };
  parallel([&] { both(&first, &second); }, [&] { both(&second, &first); });
}
TEST(Deadlock, NamesWhoWaitsForWhatHeldByWhom) {
  expect_found(FailureKind::kDeadlock, "a circle of threads: main.", opposite_orders);
  Options options = seeded(1);
  options.explain = true;
  for (options.seed = 1; options.seed <= kSeeds; ++options.seed) {
    const Result r = run(opposite_orders, options);
    if (r.verdict != Verdict::kFailed) continue;
    const std::string& text = r.failure.message;
    EXPECT_TRUE(text.find("main.1 waits for mutex second, held by main.2") != std::string::npos &&
                text.find("main.2 waits for mutex first, held by main.1") != std::string::npos)
        << text;
    break;
  }
}
// A third thread that could go on for ever hides nothing.
TEST(Deadlock, IsFoundWhileOthersRun) {
  expect_found(FailureKind::kDeadlock, "a circle of threads", [] {
    Mutex a(PTHREAD_MUTEX_NORMAL), b(PTHREAD_MUTEX_NORMAL);
    std::atomic<int> ended{0};
    auto both = [&](pthread_mutex_t* one, pthread_mutex_t* two) {
      pthread_mutex_lock(one);
      pthread_mutex_lock(two);
      pthread_mutex_unlock(two);
      pthread_mutex_unlock(one);
      ended.fetch_add(1);
    };
    parallel([&] { both(&a.m, &b.m); }, [&] { both(&b.m, &a.m); },
             [&] {
               while (ended.load() != 2) sched_yield();
             });
  });
}
TEST(Deadlock, AHolderThatHasEndedIsNamed) {
  expect_found(FailureKind::kDeadlock, "main waits for mutex stack of main", [] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    parallel([&] { pthread_mutex_lock(&mutex.m); });
    pthread_mutex_lock(&mutex.m);
  });
  expect_found(FailureKind::kDeadlock, "held by main.1, which has ended", [] {
    Mutex mutex(PTHREAD_MUTEX_NORMAL);
    parallel([&] { pthread_mutex_lock(&mutex.m); });
    pthread_mutex_lock(&mutex.m);
  });
}

// --- Spin locks
// -----------------------------------------------------------------------------------------

template <bool kSame>
void spins() {
  pthread_spinlock_t a, b;
  pthread_spin_init(&a, PTHREAD_PROCESS_PRIVATE);
  pthread_spin_init(&b, PTHREAD_PROCESS_PRIVATE);
  int n = 0;
  auto add = [&](pthread_spinlock_t* lock) {
    pthread_spin_lock(lock);
    ++n;
    pthread_spin_unlock(lock);
  };
  parallel([&] { add(&a); }, [&] { add(kSame ? &a : &b); },
           [&] {
             if (pthread_spin_trylock(&a) != 0) return;
             ++n;
             pthread_spin_unlock(&a);
           });
  EXPECT_GE(n, 2);
  pthread_spin_destroy(&a);
  pthread_spin_destroy(&b);
}
TEST(Spin, ExcludesAndOrders) {
  expect_clean(spins<true>);
  expect_found(FailureKind::kDataRace, "", spins<false>);
}
TEST(Spin, MisuseIsFound) {
  expect_found(FailureKind::kLockMisuse, "locks a spin lock that it already holds", [] {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, 0);
    pthread_spin_lock(&lock);
    pthread_spin_lock(&lock);
  });
  expect_found(FailureKind::kLockMisuse, "unlocks a spin lock that it does not hold", [] {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, 0);
    pthread_spin_unlock(&lock);
  });
  expect_found(FailureKind::kLockMisuse, "destroys a spin lock that is locked", [] {
    pthread_spinlock_t lock;
    pthread_spin_init(&lock, 0);
    pthread_spin_lock(&lock);
    pthread_spin_destroy(&lock);
  });
  expect_found(FailureKind::kLockMisuse, "zeros are no initialiser", [] {
    pthread_spinlock_t lock = 0;
    pthread_spin_lock(&lock);
  });
}

}  // namespace

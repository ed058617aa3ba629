// SPDX-License-Identifier: Apache-2.0
// Read-write locks. This file is code under test.
#include <errno.h>
#include <pthread.h>

#include <atomic>
#include <shared_mutex>

#include "sched/sync_testing.h"

namespace {

using namespace sched_testing;

struct Rwlock {
  explicit Rwlock(int kind = PTHREAD_RWLOCK_DEFAULT_NP) {
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setkind_np(&attr, kind);
    pthread_rwlock_init(&l, &attr);
    pthread_rwlockattr_destroy(&attr);
  }
  ~Rwlock() { pthread_rwlock_destroy(&l); }
  pthread_rwlock_t l;
};

// --- Who orders whom
// ------------------------------------------------------------------------------------

template <bool kWriteUnderReadLock>
void readers_and_a_writer() {
  Rwlock lock;
  int data = 0, noted = 0;
  auto read = [&] {
    pthread_rwlock_rdlock(&lock.l);
    require(data == 0 || data == 2, "half written");
    if (kWriteUnderReadLock) ++noted;
    pthread_rwlock_unlock(&lock.l);
  };
  parallel(read, read, [&] {
    pthread_rwlock_wrlock(&lock.l);
    ++data;
    ++data;
    ++noted;
    pthread_rwlock_unlock(&lock.l);
  });
  require(noted >= 1, "what the writer noted is lost");
}
TEST(Rwlock, WritersExclude) {
  expect_clean(readers_and_a_writer<false>);
}
TEST(Rwlock, ReadersDoNotOrderEachOther) {
  expect_found(FailureKind::kDataRace, "is not ordered after", readers_and_a_writer<true>);
}
// One reader after the other, and yet not ordered: by no schedule may they seem to be.
TEST(Rwlock, ReadersOneAfterAnotherAreNotOrderedEither) {
  expect_found(FailureKind::kDataRace, "is not ordered after", [] {
    Rwlock lock;
    int data = 0;
    std::atomic<bool> first_done{false};
    parallel(
        [&] {
          pthread_rwlock_rdlock(&lock.l);
          data = 1;
          pthread_rwlock_unlock(&lock.l);
          first_done.store(true, std::memory_order_relaxed);
        },
        [&] {
          while (!first_done.load(std::memory_order_relaxed)) sched_yield();
          pthread_rwlock_rdlock(&lock.l);
          data = 2;
          pthread_rwlock_unlock(&lock.l);
        });
  });
}
TEST(Rwlock, AWriterIsOrderedAfterReaders) {
  expect_clean([] {
    Rwlock lock;
    int data = 0;
    std::atomic<bool> read_done{false};
    parallel(
        [&] {
          pthread_rwlock_rdlock(&lock.l);
          data = 1;
          read_done.store(true, std::memory_order_relaxed);
          pthread_rwlock_unlock(&lock.l);
        },
        [&] {
          while (!read_done.load(std::memory_order_relaxed)) sched_yield();
          pthread_rwlock_wrlock(&lock.l);
          data = 2;
          pthread_rwlock_unlock(&lock.l);
        });
  });
}

// --- Who may come in
// ------------------------------------------------------------------------------------

TEST(Rwlock, ReadersShareWritersDoNot) {
  static bool together;
  expect_clean([] {
    Rwlock lock;
    std::atomic<int> inside{0}, writers{0};
    auto read = [&] {
      pthread_rwlock_rdlock(&lock.l);
      if (inside.fetch_add(1) == 1) note(together);
      require(writers.load() == 0, "a writer is inside");
      sched_yield();
      inside.fetch_sub(1);
      pthread_rwlock_unlock(&lock.l);
    };
    parallel(read, read, [&] {
      pthread_rwlock_wrlock(&lock.l);
      require(writers.fetch_add(1) == 0 && inside.load() == 0, "not alone");
      writers.fetch_sub(1);
      pthread_rwlock_unlock(&lock.l);
    });
  });
  EXPECT_TRUE(together);
}

template <int kKind>
void reads_again_while_a_writer_waits() {
  Rwlock lock(kKind);
  parallel(
      [&] {
        pthread_rwlock_rdlock(&lock.l);
        pthread_rwlock_rdlock(&lock.l);
        pthread_rwlock_unlock(&lock.l);
        pthread_rwlock_unlock(&lock.l);
      },
      [&] {
        pthread_rwlock_wrlock(&lock.l);
        pthread_rwlock_unlock(&lock.l);
      });
}
TEST(Rwlock, AReaderMayLockAgainUnlessWritersComeFirst) {
  expect_clean(reads_again_while_a_writer_waits<PTHREAD_RWLOCK_PREFER_READER_NP>);
  expect_clean(reads_again_while_a_writer_waits<PTHREAD_RWLOCK_PREFER_WRITER_NP>);
  expect_found(FailureKind::kDeadlock, "for which a writer waits; it is held for reading by main.1",
               reads_again_while_a_writer_waits<PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP>);
}

TEST(Rwlock, TryAndTimedForms) {
  static int timed_out;
  timed_out = 0;
  expect_clean([] {
    Rwlock lock;
    pthread_rwlock_rdlock(&lock.l);
    require(pthread_rwlock_tryrdlock(&lock.l) == 0, "readers share");
    require(pthread_rwlock_trywrlock(&lock.l) == EBUSY, "readers keep writers out");
    timespec t = in_seconds(CLOCK_REALTIME, 1);
    require(pthread_rwlock_timedwrlock(&lock.l, &t) == ETIMEDOUT, "a writer times out");
    pthread_rwlock_unlock(&lock.l);
    pthread_rwlock_unlock(&lock.l);
    require(pthread_rwlock_trywrlock(&lock.l) == 0, "free");
    parallel([&] {
      require(pthread_rwlock_tryrdlock(&lock.l) == EBUSY, "a writer keeps readers out");
      timespec later = in_seconds(CLOCK_MONOTONIC, 1);
      const int rc = pthread_rwlock_clockrdlock(&lock.l, CLOCK_MONOTONIC, &later);
      require(rc == ETIMEDOUT, "a reader times out");
      ++timed_out;
    });
    pthread_rwlock_unlock(&lock.l);
    t = in_seconds(CLOCK_REALTIME, 1);
    require(pthread_rwlock_timedrdlock(&lock.l, &t) == 0, "free again");
    pthread_rwlock_unlock(&lock.l);
    t = in_seconds(CLOCK_MONOTONIC, 1);
    require(pthread_rwlock_clockwrlock(&lock.l, CLOCK_MONOTONIC, &t) == 0, "free again");
    pthread_rwlock_unlock(&lock.l);
  });
  EXPECT_GT(timed_out, 0);
}
// A writer that gives up lets those in whom it kept out.
TEST(Rwlock, AWriterThatTimesOutKeepsNobodyOut) {
  expect_clean([] {
    Rwlock lock(PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_rdlock(&lock.l);
    parallel(
        [&] {
          timespec t = in_seconds(CLOCK_REALTIME, 1);
          if (pthread_rwlock_timedwrlock(&lock.l, &t) == 0) pthread_rwlock_unlock(&lock.l);
        },
        [&] {
          pthread_rwlock_rdlock(&lock.l);
          pthread_rwlock_unlock(&lock.l);
        });
    pthread_rwlock_unlock(&lock.l);
  });
}

TEST(Rwlock, SharedMutexOfCpp) {
  expect_clean([] {
    std::shared_mutex mutex;
    int data = 0;
    parallel(
        [&] {
          std::shared_lock<std::shared_mutex> lock(mutex);
          require(data >= 0, "data");
        },
        [&] {
          std::lock_guard<std::shared_mutex> lock(mutex);
          ++data;
        });
  });
}

// --- Misuse
// ---------------------------------------------------------------------------------------------

TEST(Rwlock, MisuseIsFound) {
  expect_found(FailureKind::kLockMisuse, "unlocks a read-write lock that it does not hold", [] {
    Rwlock lock;
    pthread_rwlock_unlock(&lock.l);
  });
  expect_found(FailureKind::kLockMisuse, "unlocks a read-write lock that it does not hold", [] {
    Rwlock lock;
    pthread_rwlock_rdlock(&lock.l);
    parallel([&] { pthread_rwlock_unlock(&lock.l); });
  });
  expect_found(FailureKind::kLockMisuse, "already holds for writing", [] {
    Rwlock lock;
    pthread_rwlock_wrlock(&lock.l);
    pthread_rwlock_rdlock(&lock.l);
  });
  expect_found(FailureKind::kLockMisuse, "for writing a read-write lock that it holds for reading",
               [] {
                 Rwlock lock;
                 pthread_rwlock_rdlock(&lock.l);
                 pthread_rwlock_wrlock(&lock.l);
               });
  expect_found(FailureKind::kLockMisuse, "destroys a read-write lock that is locked", [] {
    Rwlock lock;
    pthread_rwlock_rdlock(&lock.l);
  });
}
TEST(Rwlock, SharedOnesAreRefused) {
  expect_found(FailureKind::kLimit, "pthread_rwlock_init() of a lock that processes share", [] {
    pthread_rwlockattr_t attr;
    pthread_rwlockattr_init(&attr);
    pthread_rwlockattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
    pthread_rwlock_t l;
    pthread_rwlock_init(&l, &attr);
  });
}
TEST(Rwlock, TwoThatUpgradeDeadlock) {
  expect_found(FailureKind::kLockMisuse, "for writing a read-write lock that it holds for reading",
               [] {
                 Rwlock lock;
                 auto upgrade = [&] {
                   pthread_rwlock_rdlock(&lock.l);
                   pthread_rwlock_wrlock(&lock.l);
                 };
                 parallel(upgrade, upgrade);
               });
}
TEST(Rwlock, DeadlockNamesReaders) {
  expect_found(FailureKind::kDeadlock, ", held for reading by main.", [] {
    Rwlock a, b;
    auto both = [](pthread_rwlock_t* one, pthread_rwlock_t* two) {
      pthread_rwlock_rdlock(one);
      pthread_rwlock_wrlock(two);
      pthread_rwlock_unlock(two);
      pthread_rwlock_unlock(one);
    };
    parallel([&] { both(&a.l, &b.l); }, [&] { both(&b.l, &a.l); });
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// Locks, conditions, atomic waits, once, time.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

void mutual_exclusion() {
  std::mutex m;
  int n = 0;
  auto add = [&] {
    std::lock_guard<std::mutex> lock(m);
    n++;
  };
  parallel(add, add, add);
  if (n != 3) sched::fail("T", "lost update");
}
TEST(Locks, MutexOrders) {
  expect_clean(mutual_exclusion);
}

void two_locks(bool same_order) {
  std::mutex a, b;
  auto first = [&] {
    std::lock_guard<std::mutex> x(a);
    std::lock_guard<std::mutex> y(b);
  };
  auto second = [&] {
    std::lock_guard<std::mutex> x(b);
    std::lock_guard<std::mutex> y(a);
  };
  if (same_order)
    parallel(first, first);
  else
    parallel(first, second);
}
TEST(Locks, SameOrderIsClean) {
  expect_clean([] { two_locks(true); });
}
TEST(Locks, OppositeOrderDeadlocks) {
  expect_found(FailureKind::kDeadlock, [] { two_locks(false); });
}

TEST(Locks, RelockIsFound) {
  expect_found(FailureKind::kLockMisuse, [] {
    std::mutex m;
    m.lock();
    m.lock();
  });
}
TEST(Locks, RecursiveRelockIsClean) {
  expect_clean([] {
    std::recursive_mutex m;
    int n = 0;
    auto add = [&] {
      m.lock();
      m.lock();
      n++;
      m.unlock();
      m.unlock();
    };
    parallel(add, add);
  });
}
TEST(Locks, UnlockByAnotherIsFound) {
  expect_found(FailureKind::kLockMisuse, [] {
    std::mutex m;
    m.lock();
    parallel([&] { m.unlock(); });
  });
}
TEST(Locks, TryLock) {
  expect_clean([] {
    std::mutex m;
    int n = 0;
    auto add = [&] {
      if (m.try_lock()) {
        n++;
        m.unlock();
      }
    };
    parallel(add, add);
  });
}

void condition(bool under_lock) {
  std::mutex m;
  std::condition_variable cv;
  std::atomic<bool> ready{false};
  parallel(
      [&] {
        if (under_lock) {
          std::lock_guard<std::mutex> lock(m);
          ready = true;
        } else
          ready = true;
        cv.notify_one();
      },
      [&] {
        std::unique_lock<std::mutex> lock(m);
        while (!ready) cv.wait(lock);
      });
}
TEST(Waiting, ConditionUnderLockIsClean) {
  expect_clean([] { condition(true); });
}
TEST(Waiting, NotifyOutsideLockLosesWakeup) {
  expect_found(FailureKind::kLostWakeup, [] { condition(false); });
}

void atomic_wait(bool notify) {
  std::atomic<int> x{0};
  int data = 0;
  std::atomic<int> busy{0};
  parallel(
      [&] {
        for (int i = 0; i < 400; ++i) busy.fetch_add(1);  // libraries spin before they wait
        data = 5;
        x.store(1, kRelease);
        if (notify) x.notify_one();
      },
      [&] {
        x.wait(0, kAcquire);
        if (data != 5) sched::fail("T", "too early");
      });
}
TEST(Waiting, AtomicWaitNotify) {
  expect_clean([] { atomic_wait(true); });
}
TEST(Waiting, MissingNotifyIsLostWakeup) {
  expect_found(FailureKind::kLostWakeup, [] { atomic_wait(false); });
}

TEST(Waiting, NotifyOneMayWakeEither) {
  static bool first[3];
  expect_clean([] {
    std::mutex m;
    std::condition_variable cv;
    int waiting = 0, tokens = 0, winner = 0;
    auto waiter = [&](int id) {
      std::unique_lock<std::mutex> lock(m);
      ++waiting;
      cv.wait(lock, [&] { return tokens > 0; });
      --tokens;
      if (winner == 0) winner = id;
    };
    parallel([&] { waiter(1); }, [&] { waiter(2); },
             [&] {
               for (int given = 0; given < 2;) {
                 std::unique_lock<std::mutex> lock(m);
                 if (waiting <= given) {
                   lock.unlock();
                   std::this_thread::yield();
                   continue;
                 }
                 ++tokens;
                 ++given;
                 cv.notify_one();
               }
             });
    first[winner] = true;
  });
  EXPECT_TRUE(first[1] && first[2]);
}

void call_once_twice() {
  std::once_flag flag;
  int runs = 0;
  auto f = [&] {
    std::call_once(flag, [&] {
      std::this_thread::yield();
      runs++;
    });
    if (runs != 1) sched::fail("T", "once");
  };
  parallel(f, f);
}
TEST(Waiting, CallOnce) {
  expect_clean(call_once_twice);
}

TEST(Waiting, SleepEndsAndTimesOut) {
  expect_clean([] {
    std::mutex m;
    std::condition_variable cv;
    auto begin = std::chrono::steady_clock::now();
    std::thread t([] { std::this_thread::sleep_for(std::chrono::hours(1)); });
    {
      std::unique_lock<std::mutex> lock(m);
      if (cv.wait_for(lock, std::chrono::seconds(5)) != std::cv_status::timeout)
        sched::fail("T", "no timeout");
    }
    t.join();
    if (std::chrono::steady_clock::now() - begin < std::chrono::hours(1))
      sched::fail("T", "too early");
  });
}

}  // namespace
}  // namespace engine_test

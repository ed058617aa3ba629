// SPDX-License-Identifier: Apache-2.0
// What the C++ library synchronises by, out of line or not: right programs run through, whatever order
// they rely on is seen, and what hangs is a verdict. The same for libstdc++ and libc++ (libcxx.h).
#include <atomic>
#include <barrier>
#include <chrono>
#include <exception>
#include <functional>
#include <future>
#include <latch>
#include <memory>
#include <mutex>
#include <semaphore>
#include <shared_mutex>
#include <stdexcept>
#include <thread>
#include <utility>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

void expect(bool holds, const char* otherwise) {
  if (!holds) sched::fail("T", otherwise);
}

void expect_hangs(Body body, FailureKind as = FailureKind::kLostWakeup) {
  Options o = seeded(1);
  o.step_budget = 5000;
  o.fair_budget = 5000;
  const Result r = search(body, 300, o);
  EXPECT_STREQ(sched::failure_kind_name(as), sched::failure_kind_name(r.failure.kind))
      << r.failure.message;
}

// --- Shared and weak pointers
// -----------------------------------------------------------------------------

struct Object {
  int a = 0, b = 0;
  ~Object() { a = b = -1; }
};

void locks_a_weak_pointer() {
  auto object = std::make_shared<Object>();
  std::weak_ptr<Object> weak = object;
  parallel(
      [object = std::move(object)]() mutable {
        object->a = 1;
        object.reset();
      },
      [weak] {
        if (auto mine = weak.lock()) mine->b = 1;
      },
      [weak] { expect(weak.lock() == nullptr || weak.use_count() >= 0, "count"); });
  expect(weak.expired(), "it is alive");
}
TEST(SharedPointers, LockKeepsTheObject) {
  expect_clean(locks_a_weak_pointer);
}

void uses_what_it_unlocked() {
  std::shared_ptr<Object> object(new Object);
  std::weak_ptr<Object> weak = object;
  parallel([&] { object.reset(); },
           [weak] {
             Object* mine = weak.lock().get();
             if (mine != nullptr) mine->b = 1;
           });
}
TEST(SharedPointers, UseAfterTheLastReferenceIsFound) {
  const Result r = search(uses_what_it_unlocked, 2000);
  EXPECT_TRUE(r.failure.kind == FailureKind::kUseAfterFree ||
              r.failure.kind == FailureKind::kDataRace)
      << r.failure.message;
}

void last_weak_reference() {
  std::weak_ptr<Object> first, second;
  {
    auto object = std::make_shared<Object>();
    first = second = object;
  }
  parallel([weak = std::move(first)]() mutable { weak.reset(); },
           [weak = std::move(second)]() mutable {
             expect(weak.expired(), "it is alive");
             weak.reset();
           });
}
TEST(SharedPointers, TheLastWeakReferenceEndsTheBlock) {
  expect_clean(last_weak_reference);
}

// --- Once
// -------------------------------------------------------------------------------------------------

void once_throws_first() {
  std::once_flag flag;
  int tries = 0, done = 0;
  const auto call = [&] {
    try {
      std::call_once(flag, [&] {
        if (++tries == 1) throw std::runtime_error("not yet");
        std::this_thread::yield();
        ++done;
      });
    } catch (const std::runtime_error&) {
      return;
    }
    expect(done == 1, "returned before it was done");
  };
  parallel(call, call, call);
  expect(tries == 2 && done == 1, "not tried again");
}
TEST(Once, AnotherTriesWhereOneThrew) {
  expect_clean(once_throws_first);
}

#ifdef _LIBCPP_VERSION
constexpr auto kWaitsForItself = FailureKind::kDeadlock;
#else
constexpr auto kWaitsForItself = FailureKind::kSyncMisuse;  // of pthread_once
#endif
TEST(Once, WaitingForOneselfIsFound) {
  expect_found(kWaitsForItself, [] {
    std::once_flag flag;
    std::call_once(flag, [&] { std::call_once(flag, [] {}); });
  });
}

std::once_flag global_once;
int global_runs;
TEST(Once, AnAbandonedExecutionLeavesTheFlag) {
  const Body abandons = [] {
    std::call_once(global_once, [] { sched::fail("T", "in the middle"); });
  };
  const Body counts = [] {
    std::call_once(global_once, [] { ++global_runs; });
    expect(global_runs == 1, "it was taken for done");
  };
  EXPECT_EQ(FailureKind::kOracle, search(abandons, 1).failure.kind);
  EXPECT_EQ(Verdict::kClean, search(counts, 1).verdict);
}

// --- Atomic waits
// --------------------------------------------------------------------------------------------

template <class T>
void waits_for(bool notifies) {
  std::atomic<T> word(T(0)), back(T(0));
  int data = 0;
  parallel(
      [&] {
        data = 1;
        word.store(T(1), kRelease);
        if (notifies) word.notify_one();
        back.wait(T(0), kAcquire);
        expect(data == 2, "too early");
      },
      [&] {
        word.wait(T(0), kAcquire);
        expect(data == 1, "too early");
        data = 2;
        back.store(T(1), kRelease);
        back.notify_all();
      });
}
template <class T>
void waits_unordered() {
  std::atomic<T> word(T(0));
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        word.store(T(1), kRelaxed);
        word.notify_all();
      },
      [&] {
        word.wait(T(0), kRelaxed);
        data = 2;
      });
}
template <class T>
class AtomicWait : public testing::Test {};
using Words = testing::Types<int, unsigned, long, unsigned char, bool>;
TYPED_TEST_SUITE(AtomicWait, Words);
TYPED_TEST(AtomicWait, EndsByItsNotification) {
  expect_clean([] { waits_for<TypeParam>(true); });
}
TYPED_TEST(AtomicWait, EndsNotWithout) {
  expect_hangs([] {
    std::atomic<TypeParam> word(TypeParam(0));
    parallel([&] { word.wait(TypeParam(0)); });
  });
}
TYPED_TEST(AtomicWait, OrdersOnlyWhatItsOrdersSay) {
  expect_found(FailureKind::kDataRace, waits_unordered<TypeParam>);
}

void passes_a_token() {
  std::atomic<int> turn{0};
  int data = 0;
  const auto player = [&](int me) {
    for (int seen; (seen = turn.load(kAcquire)) < 6;) {
      if (seen % 3 != me) {
        turn.wait(seen, kRelaxed);
        continue;
      }
      ++data;
      turn.store(seen + 1, kRelease);
      turn.notify_all();
    }
  };
  parallel([&] { player(0); }, [&] { player(1); }, [&] { player(2); });
  expect(data == 6, "a turn was lost");
}
TEST(AtomicWaits, PassATokenAround) {
  expect_clean(passes_a_token);
}

// --- Latch, semaphore, barrier
// -------------------------------------------------------------------------------

TEST(Latch, OrdersWhatPrecedesIt) {
  expect_clean([] {
    std::latch all(2);
    int a = 0, b = 0;
    parallel(
        [&] {
          a = 1;
          all.count_down();
        },
        [&] {
          b = 1;
          all.arrive_and_wait();
          expect(a == 1, "too early");
        },
        [&] {
          all.wait();
          expect(a + b == 2, "too early");
        });
  });
}
TEST(Latch, ThatIsNeverReachedHangs) {
  expect_hangs([] {
    std::latch all(3);
    parallel([&] { all.arrive_and_wait(); }, [&] { all.count_down(); });
  });
}

void semaphore(bool gives_back) {
  std::counting_semaphore<2> places(1);
  int inside = 0;
  const auto visit = [&] {
    places.acquire();
    ++inside;
    if (gives_back) places.release();
  };
  parallel(visit, visit, visit);
}
TEST(Semaphore, HandsOver) {
  expect_clean([] {
    std::binary_semaphore ready(0);
    int data = 0;
    parallel(
        [&] {
          data = 1;
          ready.release();
        },
        [&] {
          ready.acquire();
          expect(data == 1, "too early");
        });
  });
}
TEST(Semaphore, OfOnePlaceExcludes) {
  const Result r = search([] { semaphore(true); }, 2000);
#ifdef __GLIBCXX__
  // That of libstdc++ 12 may sleep for ever: it waits until the count is no longer what it was before it
  // tried, so a place that was taken and given back meanwhile is not seen.
  if (r.failure.kind == FailureKind::kLostWakeup) return;
#endif
  EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
}
TEST(Semaphore, ThatIsNotGivenBackHangs) {
  expect_hangs([] { semaphore(false); });
}
TEST(Semaphore, OfTwoPlacesDoesNotExclude) {
  expect_found(FailureKind::kDataRace, [] {
    std::counting_semaphore<2> places(2);
    int inside = 0;
    const auto visit = [&] {
      places.acquire();
      ++inside;
      places.release();
    };
    parallel(visit, visit);
  });
}
TEST(Semaphore, TimesOut) {
  expect_clean([] {
    std::binary_semaphore never(0);
    expect(!never.try_acquire_for(std::chrono::seconds(1)), "it was acquired");
  });
}

void phases() {
  int cells[2] = {}, sums = 0;
  std::barrier everybody(2, [&]() noexcept { sums += cells[0] + cells[1]; });
  const auto work = [&](int me) {
    for (int phase = 1; phase <= 3; ++phase) {
      cells[me] = phase;
      everybody.arrive_and_wait();
      expect(cells[1 - me] >= phase, "the other is behind");
      everybody.arrive_and_wait();
    }
  };
  parallel([&] { work(0); }, [&] { work(1); });
  expect(sums == 24, "not every phase was ended once");
}
TEST(Barrier, SeparatesPhases) {
  expect_clean(phases);
}
TEST(Barrier, ThatOneDropsGoesOn) {
  expect_clean([] {
    std::barrier everybody(2);
    int data = 0;
    parallel(
        [&] {
          data = 1;
          everybody.arrive_and_drop();
        },
        [&] {
          everybody.arrive_and_wait();
          expect(data == 1, "too early");
          everybody.arrive_and_wait();
        });
  });
}
#ifdef _LIBCPP_VERSION
constexpr auto kBarrierHangs = FailureKind::kLivelock;  // it sleeps, and looks again
#else
constexpr auto kBarrierHangs = FailureKind::kLostWakeup;
#endif
TEST(Barrier, ThatOneMissesHangs) {
  expect_hangs(
      [] {
        std::barrier everybody(2);
        parallel([&] { everybody.arrive_and_wait(); }, [] {});
      },
      kBarrierHangs);
}
TEST(Barrier, SeparatesNotWhatIsInOnePhase) {
  expect_found(FailureKind::kDataRace, [] {
    std::barrier everybody(2);
    int data = 0;
    const auto work = [&] {
      everybody.arrive_and_wait();
      ++data;
    };
    parallel(work, work);
  });
}

// --- Futures
// -----------------------------------------------------------------------------------------------

template <class T>
void hands_over() {
  std::promise<T> promise;
  std::future<T> future = promise.get_future();
  int data = 0;
  parallel(
      [&data, promise = std::move(promise)]() mutable {
        data = 1;
        if constexpr (std::is_void_v<T>)
          promise.set_value();
        else
          promise.set_value(7);
      },
      [&data, future = std::move(future)]() mutable {
        if constexpr (std::is_void_v<T>)
          future.get();
        else
          expect(future.get() == 7, "another value");
        expect(data == 1, "too early");
      });
}
TEST(Futures, HandOverWhatPrecedesThem) {
  expect_clean(hands_over<int>);
  expect_clean(hands_over<void>);
}
TEST(Futures, WhoeverIsLastEndsTheState) {
  expect_clean([] {
    std::promise<void> promise;
    std::shared_future<void> one = promise.get_future().share(), two = one;
    parallel([promise = std::move(promise)]() mutable { promise.set_value(); },
             [one = std::move(one)]() mutable {
               std::shared_future<void> third = one;
               one.wait();
             },
             [two = std::move(two)]() mutable { two = {}; });
  });
}
TEST(Futures, WithoutAPromiseThrow) {
  expect_clean([] {
    std::future<void> future;
    {
      std::promise<void> promise;
      future = promise.get_future();
    }
    try {
      future.get();
      expect(false, "a value from nowhere");
    } catch (const std::future_error&) {
    }
  });
}
TEST(Futures, OfNobodyHang) {
  expect_hangs([] {
    std::promise<int> promise;
    promise.get_future().wait();
  });
}
TEST(Futures, TasksOnThreadsOfTheirOwn) {
  expect_clean([] {
    int data = 1;
    std::packaged_task<int()> task([&] { return ++data; });
    std::future<int> result = task.get_future();
    std::thread thread(std::move(task));
    expect(result.get() == 2, "another value");
    thread.join();
    expect(std::async(std::launch::async, [&] { return ++data; }).get() == 3, "another value");
  });
}

// --- Locks, threads, exceptions
// -----------------------------------------------------------------------------------

TEST(Locks, TimedAndRecursive) {
  expect_clean([] {
    std::timed_mutex timed;
    std::recursive_timed_mutex recursive;
    int n = 0, m = 0;
    const auto work = [&] {
      if (timed.try_lock_for(std::chrono::seconds(1))) {
        ++n;
        timed.unlock();
      }
      std::scoped_lock once(recursive);
      std::scoped_lock twice(recursive);
      ++m;
    };
    parallel(work, work);
    expect(m == 2, "lost");
  });
}

TEST(Exceptions, CrossThreads) {
  expect_clean([] {
    std::exception_ptr thrown;
    std::thread([&] {
      try {
        throw std::runtime_error("there");
      } catch (...) {
        thrown = std::current_exception();
      }
    }).join();
    try {
      std::rethrow_exception(std::move(thrown));
    } catch (const std::runtime_error& e) {
      expect(e.what() == std::string("there"), "another one");
    }
  });
}

}  // namespace
}  // namespace engine_test

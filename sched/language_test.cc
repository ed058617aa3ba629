// SPDX-License-Identifier: Apache-2.0
// What the language itself does with threads: thread_local, exceptions, statics.
#include <atomic>
#include <memory>
#include <stdexcept>
#include <string>
#include <thread>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

struct Counted {
  static inline std::atomic<int> alive{0};
  int uses = 0;
  Counted() { alive++; }
  ~Counted() { alive--; }
};
thread_local Counted counted;
thread_local int plain_local = 7;

TEST(Language, ThreadLocalsAreEachThreadsOwn) {
  expect_clean([] {
    auto f = [] {
      if (plain_local != 7 || counted.uses != 0)
        sched::fail("T", "thread_local is shared or stale");
      plain_local = 1;
      counted.uses = 1;
      std::this_thread::yield();
      if (plain_local != 1 || counted.uses != 1) sched::fail("T", "thread_local lost");
    };
    parallel(f, f, f);
    if (Counted::alive != 0) sched::fail("T", "thread_local not destroyed");
  });
}

TEST(Language, ExceptionsUnwindAcrossSwitches) {
  expect_clean([] {
    auto f = [](int id) {
      try {
        std::this_thread::yield();
        throw std::runtime_error(std::to_string(id));
      } catch (const std::exception& e) {
        std::this_thread::yield();
        if (e.what() != std::to_string(id)) sched::fail("T", "wrong exception");
      }
    };
    parallel([&] { f(1); }, [&] { f(2); });
  });
}

TEST(Language, StaticLocalsInitialiseOnce) {
  Result r = search(
      [] {
        struct Slow {
          std::atomic<int> value{0};
          Slow() {
            std::this_thread::yield();
            value = 3;
          }
        };
        auto f = [] {
          static Slow s;
          if (s.value != 3) sched::fail("T", "seen unfinished");
        };
        parallel(f, f);
      },
      50);
  EXPECT_EQ(Verdict::kClean, r.verdict) << r.failure.message;
}

TEST(Language, DetachedThreadsEndBeforeTheExecution) {
  static int ended;
  ended = 0;
  Result r = search(
      [] {
        std::thread([] {
          std::this_thread::yield();
          ended++;
        }).detach();
      },
      20);
  EXPECT_EQ(Verdict::kClean, r.verdict);
  EXPECT_EQ(20, ended);
}

TEST(Language, SharedPointers) {
  expect_clean([] {
    auto p = std::make_shared<int>(1);
    auto f = [](std::shared_ptr<int> q) {
      auto copy = q;
      if (*copy != 1) sched::fail("T", "value");
    };
    std::thread a(f, p), b(f, p);
    p.reset();
    a.join();
    b.join();
  });
}

}  // namespace
}  // namespace engine_test

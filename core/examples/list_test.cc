// SPDX-License-Identifier: Apache-2.0
// The four lists under readers and updaters on real threads. Each value is overwritten when it is
// freed, so that also a build without sanitizers notices who still uses it; what readers write is
// plain data, for the thread sanitizer.
#include <gtest/gtest.h>

#include <atomic>
#include <thread>
#include <vector>

#include "core/examples/blocking_list.h"
#include "core/examples/deferred_list.h"
#include "core/examples/locked_list.h"
#include "core/examples/tryget_list.h"
#include "core/test_support.h"

namespace {

using percpu::Domain;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr int kKeys = 64, kReaders = 3, kUpdaters = 2;
constexpr int kRounds = 5000;       // of each updater, at least
constexpr uint64_t kFinds = 40000;  // of the readers together, before the updaters may end
constexpr int kPoison = -1;

struct Value {
  explicit Value(int k) : key(k) { ++alive; }
  ~Value() {
    for (const uint64_t by_reader : uses) freed_uses += by_reader;
    key = kPoison;
    std::atomic_signal_fence(std::memory_order_seq_cst);  // so that the poison is written
    --alive;
  }

  volatile int key;
  uint64_t uses[kReaders] = {};  // by reader i, while it holds a reference
  static inline std::atomic<int> alive = 0;
  static inline std::atomic<uint64_t> freed_uses = 0;
};

template <typename List>
class ListTest : public ::testing::Test {
 protected:
  ListTest() { Value::freed_uses = 0; }
  MisuseLog log;
};
using Lists =
    ::testing::Types<percpu_example::LockedList<Value>, percpu_example::TrygetList<Value>,
                     percpu_example::DeferredList<Value>, percpu_example::BlockingList<Value>>;
TYPED_TEST_SUITE(ListTest, Lists);

TYPED_TEST(ListTest, FindsWhatIsListed) {
  {
    Domain domain(this->log.options());
    TypeParam list(domain);
    EXPECT_EQ(list.find(1), nullptr);
    list.add(1);
    list.add(2);
    auto* const one = list.find(1);
    ASSERT_NE(one, nullptr);
    EXPECT_EQ(one->value.key, 1);
    EXPECT_TRUE(list.remove(1));
    EXPECT_FALSE(list.remove(1));
    EXPECT_EQ(list.find(1), nullptr);
    domain.drain();
    EXPECT_EQ(Value::alive, 2) << "R2: a reference is held";
    EXPECT_EQ(one->value.key, 1);
    list.put(one);
    domain.drain();
    EXPECT_EQ(Value::alive, 1) << "R3";
    list.add(3);
  }
  EXPECT_EQ(Value::alive, 0) << "R3";
  EXPECT_EQ(this->log.take(), Reports{});
}

TYPED_TEST(ListTest, ReadersAndUpdaters) {
  std::atomic<uint64_t> finds = 0, used = 0;
  std::atomic<int> wrong = 0;
  {
    Domain domain(this->log.options(kReaders));
    TypeParam list(domain);
    for (int key = 0; key < kKeys; ++key) list.add(key);
    std::atomic<bool> stop = false;
    std::vector<std::thread> threads;
    for (int i = 0; i < kReaders; ++i) {
      threads.emplace_back([&, i] {
        uint64_t mine = 0;
        decltype(list.find(0)) held = nullptr;
        for (int round = 0; !stop; ++round) {
          const int key = (round * 5 + i) % kKeys;
          auto* const node = list.find(key);
          if (node == nullptr) continue;
          ++node->value.uses[i];
          ++mine;
          // relaxed: says only that readers get somewhere.
          finds.fetch_add(1, std::memory_order_relaxed);
          if (round % 16 == 0) std::this_thread::yield();
          wrong += node->value.key != key ? 1 : 0;
          if (held != nullptr) {
            wrong += held->value.key == kPoison ? 1 : 0;
            list.put(held);
          }
          held = node;
        }
        if (held != nullptr) list.put(held);
        used += mine;
      });
    }
    for (int i = 0; i < kUpdaters; ++i) {
      threads.emplace_back([&, i] {
        for (int round = 0; round < kRounds || finds < kFinds; ++round) {
          const int key = (round * kUpdaters + i) % kKeys;  // nobody else's
          EXPECT_TRUE(list.remove(key));
          list.add(key);
        }
      });
    }
    for (size_t i = kReaders; i < threads.size(); ++i) threads[i].join();
    stop = true;
    for (size_t i = 0; i < kReaders; ++i) threads[i].join();
  }
  EXPECT_EQ(wrong, 0) << "R2: freed while a reference was held";
  EXPECT_EQ(Value::alive, 0) << "R1, R3";
  EXPECT_EQ(Value::freed_uses, used) << "R4";
  EXPECT_EQ(this->log.take(), Reports{});
}

// An updater takes a reference while readers see the element come and go.
TEST(TrygetListTest, UpdaterTakesReferencesPlainly) {
  MisuseLog log;
  {
    Domain domain(log.options());
    percpu_example::TrygetList<Value> list(domain);
    list.add(0);
    std::atomic<bool> stop = false;
    std::thread updater([&] {
      while (!stop) {
        if (auto* const node = list.find_for_update(0); node != nullptr) list.put(node);
      }
    });
    std::thread reader([&] {
      while (!stop) {
        if (auto* const node = list.find(0); node != nullptr) list.put(node);
      }
    });
    for (int round = 0; round < kRounds; ++round) {
      list.add(0);
      EXPECT_TRUE(list.remove(0));
    }
    stop = true;
    updater.join();
    reader.join();
  }
  EXPECT_EQ(Value::alive, 0);
  EXPECT_EQ(log.take(), Reports{});
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
#include "bench/planted_bugs.h"

#include <atomic>
#include <mutex>
#include <thread>
#include <vector>

#include "sched/sched.h"

namespace bench {
namespace {

using Atomic = std::atomic<int>;
constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr auto kAcquire = std::memory_order_acquire;
constexpr auto kRelease = std::memory_order_release;

void expect(bool right, const char* what) {
  if (!right) sched::fail("planted", what);
}

template <class F>
void in_parallel(int threads, F f) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back(f, i);
  for (auto& thread : all) thread.join();
}

// What a thread does beside: `n` operations that concern nobody.
void work(int n) {
  Atomic own{0};
  for (int i = 0; i < n; ++i) own.fetch_add(1);
}

// kThreads threads pass a token on, in turns; each tries each of its turns once, with work around.
template <int kThreads, int kDepth, int kWork>
void relay(void*) {
  Atomic token{0};
  in_parallel(kThreads, [&](int self) {
    for (int turn = self; turn < kDepth; turn += kThreads) {
      work(kWork);
      if (token.load() == turn) token.store(turn + 1);
    }
    work(kWork);
  });
  expect(token.load() < kDepth, "the token came around");
}

// A count that each of kThreads threads raises kTimes by a load and a store: 2 is the least that can be
// left, where one's first store comes after all but the last of another's; kLeast already is a failure.
template <int kThreads, int kTimes, int kLeast>
void least_sum(void*) {
  Atomic sum{0};
  in_parallel(kThreads, [&](int) {
    for (int i = 0; i < kTimes; ++i) sum.store(sum.load() + 1);
  });
  expect(sum.load() > kLeast, "nearly all was lost");
}

// Setters change two variables one after the other; the checker must come between the first halves and
// all second ones (SCTBench: reorder_N).
template <int kSetters>
void reorder(void*) {
  Atomic a{0}, b{0};
  in_parallel(kSetters + 1, [&](int self) {
    if (self < kSetters) {
      a.store(1);
      b.store(-1);
      return;
    }
    const int x = a.load(), y = b.load();
    expect((x == 0 && y == 0) || (x == 1 && y == -1), "half of a change was seen");
  });
}

// Two locks, data of the second made of the first's; the reader comes between (SCTBench: twostage_N).
template <int kWriters>
void two_stage(void*) {
  std::mutex first_lock, second_lock;
  int first = 0, second = 0;
  in_parallel(kWriters + 1, [&](int self) {
    if (self < kWriters) {
      work(4);
      int seen;
      {
        std::lock_guard l(first_lock);
        seen = ++first;
      }
      std::lock_guard l(second_lock);
      second = seen;
      return;
    }
    int before, after;
    {
      std::lock_guard l(first_lock);
      before = first;
    }
    {
      std::lock_guard l(second_lock);
      after = second;
    }
    expect(before < kWriters || after >= kWriters - 1, "the second stage lags by two");
  });
}

// Philosophers who all take the left fork first.
template <int kPhilosophers>
void philosophers(void*) {
  std::mutex forks[kPhilosophers];
  in_parallel(kPhilosophers, [&](int self) {
    work(self);
    std::lock_guard left(forks[self]);
    std::lock_guard right(forks[(self + 1) % kPhilosophers]);
  });
}

// A stack by compare-exchange whose nodes come back: one pops while others pop two and push the first
// again (ABA).
void stack_reuse(void*) {
  constexpr int kNodes = 4;
  Atomic head{0}, next[kNodes];
  for (int i = 0; i < kNodes; ++i) next[i].store(i + 1 < kNodes ? i + 1 : -1);
  Atomic taken[kNodes];
  for (auto& t : taken) t.store(0);
  auto pop = [&] {
    for (;;) {
      int top = head.load();
      if (top < 0) return -1;
      const int below = next[top].load();
      if (head.compare_exchange_strong(top, below)) {
        expect(taken[top].fetch_add(1) == 0, "a node has two owners");
        return top;
      }
    }
  };
  auto push = [&](int node) {
    taken[node].fetch_sub(1);
    int top = head.load();
    do next[node].store(top);
    while (!head.compare_exchange_strong(top, node));
  };
  in_parallel(4, [&](int self) {
    const int a = pop();
    if (self % 2 == 0) {
      const int b = pop();
      if (a >= 0) push(a);
      if (b >= 0) work(2);
    } else {
      work(3);
      if (a >= 0) push(a);
    }
  });
}

// A long thread and short ones: all short ones must come, in order, late in its course.
template <int kShort, int kLength>
void latecomers(void*) {
  Atomic progress{0}, stage{0};
  in_parallel(kShort + 1, [&](int self) {
    if (self == 0) {
      for (int i = 1; i <= kLength; ++i) progress.store(i);
      return;
    }
    const int seen = progress.load();
    if (seen >= kLength - 6 * (kShort - self) - 8 && seen < kLength && stage.load() == self - 1)
      stage.store(self);
  });
  expect(stage.load() != kShort, "all came late, and in order");
}

// A count of references by load and compare: the last of three who drop revives, while a fourth looks.
void revival(void*) {
  Atomic count{3}, released{0}, looked{0};
  in_parallel(4, [&](int self) {
    work(5);
    if (self == 3) {
      if (count.load() == 1) {
        looked.store(1);
        if (count.load() == 0 && released.load() == 0) {
          count.fetch_add(1);
          expect(released.load() == 0, "released while it was revived");
          count.fetch_sub(1);
        }
      }
      return;
    }
    if (count.fetch_sub(1) == 1 && looked.load() == 1) released.store(1);
  });
}

// --- With weak memory

// Two writers, two readers who see the writes in opposite orders; only in the last of some rounds it counts.
template <int kRounds>
void opposite_orders(void*) {
  Atomic x{0}, y{0}, seen[2];
  for (auto& s : seen) s.store(0, kRelaxed);
  in_parallel(4, [&](int self) {
    for (int r = 1; r <= kRounds; ++r) {
      if (self == 0) x.store(r, kRelease);
      if (self == 1) y.store(r, kRelease);
      if (self == 2 && x.load(kAcquire) == kRounds && y.load(kAcquire) == kRounds - 1)
        seen[0].store(1, kRelaxed);
      if (self == 3 && y.load(kAcquire) == kRounds && x.load(kAcquire) == kRounds - 1)
        seen[1].store(1, kRelaxed);
    }
  });
  expect(seen[0].load() + seen[1].load() < 2, "two orders of the same writes");
}

// A message through a chain of threads, one of whose links is relaxed.
template <int kLinks>
void broken_chain(void*) {
  Atomic data{0}, link[kLinks];
  for (auto& l : link) l.store(0, kRelaxed);
  in_parallel(kLinks + 1, [&](int self) {
    if (self == 0) {
      data.store(1, kRelaxed);
      link[0].store(1, kRelease);
      return;
    }
    work(2);
    if (link[self - 1].load(self == 2 ? kRelaxed : kAcquire) == 0) return;
    if (self < kLinks)
      link[self].store(1, kRelease);
    else
      expect(data.load(kRelaxed) == 1, "the message did not come with the flag");
  });
}

// Flags that all raise and then look at (Dekker's, without a fence), for kThreads: none sees any other.
template <int kThreads>
void all_enter(void*) {
  Atomic flag[kThreads], inside{0};
  for (auto& f : flag) f.store(0, kRelaxed);
  in_parallel(kThreads, [&](int self) {
    work(3);
    flag[self].store(1, kRelaxed);
    for (int other = 0; other < kThreads; ++other)
      if (other != self && flag[other].load(kRelaxed) != 0) return;
    inside.fetch_add(1, kRelaxed);
  });
  expect(inside.load() < kThreads, "all have entered");
}

// A sequence lock without the reader's fence: data of two different writes, and an even number.
void torn_read(void*) {
  Atomic sequence{0}, data[3];
  for (auto& d : data) d.store(0, kRelaxed);
  std::mutex writers;
  in_parallel(4, [&](int self) {
    if (self < 2) {
      std::lock_guard l(writers);
      const int s = sequence.load(kRelaxed);
      sequence.store(s + 1, kRelaxed);
      std::atomic_thread_fence(kRelease);
      for (auto& d : data) d.store(self + 1, kRelaxed);
      sequence.store(s + 2, kRelease);
      return;
    }
    const int before = sequence.load(kAcquire);
    int value[3];
    for (int i = 0; i < 3; ++i) value[i] = data[i].load(kRelaxed);
    if (sequence.load(kRelaxed) != before || before % 2 != 0) return;
    expect(value[0] == value[1] || value[1] == value[2] || value[0] == value[2],
           "three words of three times");
  });
}

// clang-format off
constexpr PlantedBug kBugs[] = {
    {"relay-3", "a token passes through 3 turns of 4 threads", 5, 3, false, relay<4, 3, 8>},
    {"relay-4", "4 turns of 4 threads", 5, 4, false, relay<4, 4, 6>},
    {"relay-5", "5 turns of 3 threads", 4, 5, false, relay<3, 5, 5>},
    {"relay-6", "6 turns of 3 threads", 4, 6, false, relay<3, 6, 4>},
    {"relay-7", "7 turns of 3 threads", 4, 7, false, relay<3, 7, 3>},
    {"sum-3x5", "3 threads count to 5 each, 3 are left", 4, 5, false, least_sum<3, 5, 3>},
    {"sum-4x4", "4 threads count to 4 each, 3 are left", 5, 5, false, least_sum<4, 4, 3>},
    {"reorder-8", "8 set two variables, one looks between", 10, 3, false, reorder<8>},
    {"two-stage-4", "the second of two locks lags by two", 6, 4, false, two_stage<4>},
    {"philosophers-5", "5 philosophers in a circle", 6, 5, false, philosophers<5>},
    {"philosophers-7", "7 philosophers in a circle", 8, 7, false, philosophers<7>},
    {"stack-reuse", "a stack's node returns while one pops it", 5, 5, false, stack_reuse},
    {"latecomers-3", "3 short threads, in order, late in a long one", 5, 4, false, latecomers<3, 60>},
    {"latecomers-4", "4 short threads", 6, 5, false, latecomers<4, 80>},
    {"revival", "a count revived between the last drop and its end", 5, 5, false, revival},
    {"opposite-orders", "two readers see two orders, in the last round", 5, 4, true, opposite_orders<3>},
    {"broken-chain-3", "a relaxed link among 3", 5, 4, true, broken_chain<3>},
    {"broken-chain-5", "a relaxed link among 5", 7, 6, true, broken_chain<5>},
    {"all-enter-4", "4 flags, none seen", 5, 4, true, all_enter<4>},
    {"all-enter-5", "5 flags, none seen", 6, 5, true, all_enter<5>},
    {"torn-read", "three words of three times", 5, 4, true, torn_read},
};
// clang-format on

}  // namespace

std::span<const PlantedBug> planted_bugs() {
  return kBugs;
}

}  // namespace bench

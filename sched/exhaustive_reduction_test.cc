// SPDX-License-Identifier: Apache-2.0
// Soundness of the reduction: random small programs show the same outcomes, and the same executions up to
// order, with reduction and with every choice tried. A reduction that leaves out too much fails here.
#include <array>
#include <mutex>
#include <vector>

#include "sched/exhaustive_testing.h"

namespace exhaustive_test {
namespace {

class Random {
 public:
  explicit Random(uint64_t seed) : state_(seed * 0x9E3779B97F4A7C15u + 1) {}
  uint32_t below(uint32_t n) {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
    uint64_t z = (state_ += 0x9E3779B97F4A7C15u);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return static_cast<uint32_t>(((z ^ z >> 31) >> 32) * n >> 32);
  }

 private:
  uint64_t state_;
};

enum class What { kLoad, kStore, kExchange, kAdd, kCompare, kFence, kLocked, kTryLock, kKinds };
struct Step {
  What what;
  unsigned object;
  memory_order order;
  int value;
};
struct Program {
  std::vector<std::vector<Step>> threads;
};

constexpr memory_order kLoads[] = {kRlx, kAcq, kSc};
constexpr memory_order kStores[] = {kRlx, kRel, kSc};
constexpr memory_order kBoth[] = {kRlx, kAcq, kRel, kAcqRel, kSc};

Step random_step(Random& random, int value, bool locks) {
  Step s;
  s.what =
      static_cast<What>(random.below(static_cast<uint32_t>(locks ? What::kKinds : What::kLocked)));
  if (random.below(3) == 0) s.what = random.below(2) == 0 ? What::kLoad : What::kStore;
  s.object = random.below(2);
  s.value = value;
  s.order = s.what == What::kLoad    ? kLoads[random.below(3)]
            : s.what == What::kStore ? kStores[random.below(3)]
                                     : kBoth[random.below(5)];
  if (s.what == What::kFence) s.order = random.below(3) != 0 ? kSc : kAcqRel;
  return s;
}

// 2 or 3 threads of 2 or 3 operations on 2 objects, 7 at most.
Program random_program(uint64_t seed, bool locks) {
  Random random(seed);
  Program p;
  p.threads.resize(2 + random.below(2));
  const uint32_t most = p.threads.size() == 2 ? 3 : 2;
  int value = 0;
  for (auto& thread : p.threads) {
    const uint32_t steps = 2 + random.below(most - 1);
    for (uint32_t i = 0; i < steps; ++i) thread.push_back(random_step(random, ++value, locks));
  }
  return p;
}

struct Objects {
  atomic<int> x[2] = {0, 0};
  std::mutex m[2];
  int guarded[2] = {0, 0};
};

int run_step(const Step& s, Objects& o) {
  atomic<int>& x = o.x[s.object];
  switch (s.what) {
    case What::kLoad:
      return x.load(s.order);
    case What::kStore:
      x.store(s.value, s.order);
      return 0;
    case What::kExchange:
      return x.exchange(s.value, s.order);
    case What::kAdd:
      return x.fetch_add(s.value, s.order);
    case What::kCompare: {
      int expected = 0;
      x.compare_exchange_strong(expected, s.value, s.order);
      return expected;
    }
    case What::kFence:
      std::atomic_thread_fence(s.order);
      return 0;
    case What::kTryLock:
      if (!o.m[s.object].try_lock()) return 9;
      break;
    case What::kLocked:
      o.m[s.object].lock();
      break;
    case What::kKinds:
      break;
  }
  const int before = o.guarded[s.object];
  o.guarded[s.object] = s.value;
  o.m[s.object].unlock();
  return before;
}

// The outcome: all that was read, and what the objects held at last.
void run_program(void* argument) {
  const Program& p = *static_cast<const Program*>(argument);
  Objects o;
  std::array<std::array<int, 3>, 3> seen = {};
  std::array<std::thread, 3> threads;
  for (size_t t = 0; t < p.threads.size(); ++t)
    threads[t] = std::thread([&, t] {
      for (size_t i = 0; i < p.threads[t].size(); ++i) seen[t][i] = run_step(p.threads[t][i], o);
    });
  for (size_t t = 0; t < p.threads.size(); ++t) threads[t].join();
  long outcome = 0;
  for (const auto& of_thread : seen)
    for (int v : of_thread) outcome = outcome * 29 + v;
  for (unsigned i = 0; i < 2; ++i) outcome = (outcome * 29 + o.x[i].load()) * 29 + o.guarded[i];
  last_outcome = outcome;
}

std::string text_of(const Program& p) {
  static const char* const names[] = {"load",    "store", "exchange", "add",
                                      "compare", "fence", "locked",   "try"};
  std::string text;
  for (const auto& thread : p.threads) {
    for (const Step& s : thread)
      text += std::string(" ") + names[static_cast<int>(s.what)] + std::to_string(s.object) + "/" +
              std::to_string(static_cast<int>(s.order));
    text += ";";
  }
  return text;
}

struct Totals {
  uint64_t programs = 0, reduced = 0, redundant = 0, all = 0, distinct = 0;
};

// Naive searches beyond this many executions say nothing, and are left out.
constexpr uint64_t kMostExecutions = 60000;

void compare(uint64_t seed, bool locks, ExhaustiveOptions options, Totals& totals) {
  Program p = random_program(seed, locks);
  options.bounds.executions = kMostExecutions;
  const Found reduced = explore(run_program, &p, options);
  options.reduce = false;
  const Found naive = explore(run_program, &p, options);
  if (!naive.result.complete && naive.result.gave_up == "executions") return;
  ++totals.programs;
  totals.all += naive.result.executions;
  totals.reduced += reduced.result.executions;
  totals.redundant += reduced.result.redundant;
  totals.distinct += naive.result.distinct;
  expect_complete(naive.result);
  expect_complete(reduced.result);
  EXPECT_EQ(naive.outcomes, reduced.outcomes) << "seed " << seed << ":" << text_of(p);
  if (options.bounds.preemptions == sched::kUnbounded &&
      options.bounds.stale == sched::kUnbounded) {
    EXPECT_EQ(naive.result.distinct, reduced.result.distinct)
        << "seed " << seed << ":" << text_of(p);
  }
}

void compare_all(const char* name, bool locks, const ExhaustiveOptions& options,
                 uint64_t at_least) {
  uint64_t seeds = 150;
  if (const char* more = getenv("EXHAUSTIVE_PROGRAMS")) seeds = strtoull(more, nullptr, 10);
  Totals totals;
  for (uint64_t seed = 1; seed <= seeds && !testing::Test::HasFailure(); ++seed)
    compare(seed, locks, options, totals);
  EXPECT_GE(totals.programs, at_least);
  printf(
      "%s: %llu programs, %llu executions in all, %llu with reduction (%llu of them redundant), "
      "%llu distinct\n",
      name, static_cast<unsigned long long>(totals.programs),
      static_cast<unsigned long long>(totals.all), static_cast<unsigned long long>(totals.reduced),
      static_cast<unsigned long long>(totals.redundant),
      static_cast<unsigned long long>(totals.distinct));
}

TEST(Reduction, ShowsAllUnderSequentialConsistency) {
  compare_all("sc", false, with_memory(false), 100);
}
TEST(Reduction, ShowsAllUnderWeakMemory) {
  compare_all("weak", false, with_memory(true), 100);
}
TEST(Reduction, ShowsAllWithLocks) {
  compare_all("locks", true, with_memory(false), 100);
}
TEST(Reduction, ShowsAllWithinPreemptions) {
  for (uint32_t preemptions : {0u, 1u, 2u}) {
    ExhaustiveOptions o = with_memory(false);
    o.bounds.preemptions = preemptions;
    compare_all("bounded", true, o, 100);
  }
}
TEST(Reduction, ShowsAllWithinPreemptionsUnderWeakMemory) {
  ExhaustiveOptions o = with_memory(true);
  o.bounds.preemptions = 1;
  compare_all("bounded, weak", false, o, 100);
}
TEST(Reduction, ShowsAllWithinStaleLoads) {
  ExhaustiveOptions o = with_memory(true);
  o.bounds.stale = 1;
  compare_all("one stale", false, o, 100);
}

}  // namespace
}  // namespace exhaustive_test

// SPDX-License-Identifier: Apache-2.0
// What the engine's verdicts are worth: published algorithms are never accused, and each is found
// and replayed when it lacks something that it needs. The algorithms are in the headers beside this
// file; here are the programs that use them, and what each broken variant must take to be found.
//
// LASTPUT_LITMUS_RUNS: executions of what must be clean (default 10000). If it is set, each broken
// variant also prints in how many of so many executions it fails.
#include <gtest/gtest.h>

#include <atomic>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <ostream>
#include <string>
#include <thread>

#include "sched/litmus/chase_lev.h"
#include "sched/litmus/dekker.h"
#include "sched/litmus/mcs_lock.h"
#include "sched/litmus/peterson.h"
#include "sched/litmus/reader_counts.h"
#include "sched/litmus/seqlock.h"
#include "sched/litmus/spsc_ring.h"
#include "sched/litmus/ticket_lock.h"
#include "sched/litmus/treiber.h"
#include "sched/sched.h"

namespace litmus {
namespace {

void expect(bool holds, const char* otherwise) {
  if (!holds) sched::fail("algorithm", otherwise);
}

template <class... F>
void parallel(F... f) {
  std::thread threads[] = {std::thread(f)...};
  for (auto& t : threads) t.join();
}

// --- Programs
// ---------------------------------------------------------------------------------------

// What a lock protects. The count is told by races, `inside` by two that are there at once: it is
// relaxed, so that it orders nothing.
class Section {
 public:
  void visit() {
    expect(inside_.fetch_add(1, kRlx) == 0, "two threads are inside");
    ++visits_;
    inside_.fetch_sub(1, kRlx);
  }
  int visits() const { return visits_; }

 private:
  std::atomic<int> inside_ = 0;
  int visits_ = 0;
};

template <class Lock>
void two_lock() {
  Lock lock;
  Section section;
  auto visit_twice = [&](unsigned me) {
    for (int i = 0; i < 2; ++i) {
      lock.lock(me);
      section.visit();
      lock.unlock(me);
    }
  };
  parallel([&] { visit_twice(0); }, [&] { visit_twice(1); });
  expect(section.visits() == 4, "a visit was lost");
}

template <PetersonDefect kDefect>
constexpr auto peterson = two_lock<Peterson<kDefect>>;
template <DekkerDefect kDefect>
constexpr auto dekker = two_lock<Dekker<kDefect>>;
template <TicketDefect kDefect>
constexpr auto ticket_lock = two_lock<TicketLock<kDefect>>;

template <McsDefect kDefect>
void mcs_lock() {
  using Lock = McsLock<kDefect>;
  Lock lock;
  Section section;
  auto visit = [&] {
    typename Lock::Guard guard(lock);
    section.visit();
  };
  auto visit_twice = [&] {
    visit();
    visit();
  };
  parallel(visit_twice, visit, visit);
  expect(section.visits() == 4, "a visit was lost");
}

template <SeqlockDefect kDefect>
void seqlock() {
  Seqlock<kDefect> lock;
  auto read = [&] {
    for (int i = 0, newest = 0; i < 2; ++i) {
      typename Seqlock<kDefect>::Values values;
      if (!lock.try_read(&values)) continue;
      expect(values.a == values.b, "a torn copy was accepted");
      expect(values.a >= newest, "a copy is older than the one before");
      newest = values.a;
    }
  };
  parallel(
      [&] {
        lock.write(1, 1);
        lock.write(2, 2);
      },
      read, read);
}

template <RingDefect kDefect, class Slot = int>
void spsc_ring() {
  constexpr int kItems = 4;
  SpscRing<kDefect, Slot> ring;
  parallel(
      [&] {
        for (int i = 1; i <= kItems; ++i)
          while (!ring.try_push(i)) std::this_thread::yield();
      },
      [&] {
        for (int i = 1; i <= kItems; ++i) {
          int value = 0;
          while (!ring.try_pop(&value)) std::this_thread::yield();
          expect(value == i, "an item is lost, or comes twice");
        }
      });
}

template <TreiberDefect kDefect>
void treiber_stack() {
  constexpr int kValues = 4;
  TreiberStack<kDefect, 3> stack;
  std::atomic<int> popped[kValues] = {};
  auto pop = [&](unsigned me) {
    int value = 0;
    if (!stack.pop(me, &value)) return false;
    expect(popped[value].fetch_add(1, kRlx) == 0, "a value was popped twice");
    return true;
  };
  stack.push(0);
  stack.push(1);
  parallel(
      [&] {
        pop(0);
        stack.push(2);
        pop(0);
      },
      [&] {
        pop(1);
        pop(1);
        stack.push(3);
      },
      [&] { pop(2); });
  while (pop(0)) {
  }
  for (auto& count : popped) expect(count.load(kRlx) == 1, "a value was lost");
}

template <ChaseLevDefect kDefect>
void chase_lev() {
  struct Task {
    int number = -1;
  };
  constexpr int kTasks = 3;
  Task tasks[kTasks];
  std::atomic<int> done[kTasks] = {};
  ChaseLevDeque<kDefect, Task, 2> deque;
  int pushed = 0;
  auto push = [&] {
    tasks[pushed].number = pushed;
    deque.push(&tasks[pushed++]);
  };
  auto run = [&](Task* task) {
    if (task == nullptr) return;
    expect(task->number >= 0, "a task was seen before it was written");
    expect(done[task->number].fetch_add(1, kRlx) == 0, "a task ran twice");
  };
  auto steal_twice = [&] {
    run(deque.steal());
    run(deque.steal());
  };
  parallel(
      [&] {
        push();
        push();
        run(deque.take());
        push();
        run(deque.take());
        run(deque.take());
      },
      steal_twice, steal_twice);
  while (Task* task = deque.take()) run(task);
  for (auto& count : done) expect(count.load(kRlx) == 1, "a task was lost");
}

template <ReaderCountsDefect kDefect>
void reader_counts() {
  struct Object {
    std::atomic<int> live = 1;
    int plain = 1;
  };
  ReaderCounts<kDefect> counts;
  std::atomic<Object*> current = new Object;
  auto read = [&] {
    const unsigned phase = counts.enter();
    // sync[object] acquire: the object is made.
    const Object* const object = current.load(kAcq);
    expect(object->live.load(kRlx) == 1 && object->plain == 1, "a dead object was read");
    counts.leave(phase);
  };
  auto replace = [&] {
    // sync[object] acq_rel: the new object is made, and the old one was.
    Object* const old = current.exchange(new Object, kAcqRel);
    counts.wait_for_readers();
    old->live.store(0, kRlx);
    delete old;
  };
  parallel(
      [&] {
        read();
        read();
      },
      read,
      [&] {
        replace();
        replace();
      });
  // relaxed, as all that is told after the threads have ended, or counts for the oracle alone.
  delete current.load(kRlx);
}

// --- The right variants
// -----------------------------------------------------------------------------

using Body = void (*)();

// What an execution is watched with.
struct Watch {
  bool weak_memory, races;
};
// Plain accesses are points too where no race check tells of them.
constexpr Watch kInterleavings{false, false};
constexpr Watch kRaces{false, true};
constexpr Watch kWeakMemory{true, true};

sched::Options options_of(Watch watch, uint64_t seed) {
  sched::Options o;
  o.weak_memory = watch.weak_memory;
  o.races = watch.races;
  o.plain_points = !watch.races;
  o.seed = seed;
  o.mean_interval = 2u << seed % 3;
  // Enough for each of these programs; what never ends is told apart soon.
  o.step_budget = 3000;
  o.fair_budget = 10000;
  return o;
}
using sched::run;

const char* const runs_set = getenv("LASTPUT_LITMUS_RUNS");
const uint64_t runs = runs_set == nullptr ? 10000 : strtoull(runs_set, nullptr, 10);

struct Search {
  sched::Result last;  // the failure, or the last of the clean ones
  uint64_t executions = 0;
  uint64_t cut_off = 0;
};
// Up to the first failure, with the seeds 1 to `limit`.
Search search(Body body, Watch watch, uint64_t limit) {
  Search s;
  while (s.executions < limit && s.last.verdict != sched::Verdict::kFailed) {
    sched::Options o = options_of(watch, ++s.executions);
    o.explain = true;
    s.last = run(body, o);
    s.cut_off += s.last.verdict == sched::Verdict::kCutOff;
  }
  return s;
}

void expect_clean(Body body, Watch watch) {
  ASSERT_GT(runs, 0u) << "LASTPUT_LITMUS_RUNS is no number";
  const Search s = search(body, watch, runs);
  EXPECT_NE(s.last.verdict, sched::Verdict::kFailed)
      << "seed " << s.executions << ": " << sched::failure_kind_name(s.last.failure.kind) << ": "
      << s.last.failure.message;
  EXPECT_LE(s.cut_off, runs / 100);
  ::testing::Test::RecordProperty("cut_off", static_cast<int>(s.cut_off));
}

struct Right {
  const char* name;
  Body body;
};
void PrintTo(const Right& right, std::ostream* out) {
  *out << right.name;
}

const Right kRight[] = {
    {"Peterson", peterson<PetersonDefect::kNone>},
    {"Dekker", dekker<DekkerDefect::kNone>},
    {"TicketLock", ticket_lock<TicketDefect::kNone>},
    {"McsLock", mcs_lock<McsDefect::kNone>},
    {"Seqlock", seqlock<SeqlockDefect::kNone>},
    {"SpscRing", spsc_ring<RingDefect::kNone>},
    {"SpscRingOfAtomics", spsc_ring<RingDefect::kNone, std::atomic<int>>},
    {"Treiber", treiber_stack<TreiberDefect::kNone>},
    {"ChaseLev", chase_lev<ChaseLevDefect::kNone>},
    {"ReaderCounts", reader_counts<ReaderCountsDefect::kNone>},
};

class Published : public ::testing::TestWithParam<Right> {};

TEST_P(Published, IsNeverAccused) {
  expect_clean(GetParam().body, kWeakMemory);
}
INSTANTIATE_TEST_SUITE_P(Algorithms, Published, ::testing::ValuesIn(kRight),
                         [](const auto& test) { return test.param.name; });

// --- The broken ones
// --------------------------------------------------------------------------------

// The least that shows a bug.
enum class Needs {
  kInterleaving,  // threads that take turns: what a patient stress test may meet, too
  kRaceCheck,     // happens-before: no value ever goes wrong under sequential consistency
  kWeakMemory,    // a stale load: no tool that is sequentially consistent tells of it
};

struct Broken {
  const char* name;
  Body body;
  Needs needs;
  uint64_t budget;  // executions; ten times and more what it takes
};
void PrintTo(const Broken& broken, std::ostream* out) {
  *out << broken.name;
}

const Broken kBroken[] = {
    {"PetersonAcquireRelease", peterson<PetersonDefect::kAcquireRelease>, Needs::kWeakMemory, 1000},
    {"PetersonTurnBeforeWish", peterson<PetersonDefect::kTurnBeforeWish>, Needs::kInterleaving,
     1000},

    {"DekkerNoFences", dekker<DekkerDefect::kNoFences>, Needs::kWeakMemory, 1000},
    {"DekkerNoFenceOfOne", dekker<DekkerDefect::kNoFenceOfOne>, Needs::kWeakMemory, 1000},
    {"DekkerNoAgainFence", dekker<DekkerDefect::kNoAgainFence>, Needs::kWeakMemory, 1000},
    {"DekkerNoReleaseFence", dekker<DekkerDefect::kNoReleaseFence>, Needs::kRaceCheck, 1000},
    {"DekkerNoAcquireFence", dekker<DekkerDefect::kNoAcquireFence>, Needs::kRaceCheck, 1000},
    {"DekkerTurnAfterFence", dekker<DekkerDefect::kTurnAfterFence>, Needs::kWeakMemory, 10000},

    {"TicketLockRelaxedUnlock", ticket_lock<TicketDefect::kRelaxedUnlock>, Needs::kRaceCheck, 1000},
    {"TicketLockRelaxedLock", ticket_lock<TicketDefect::kRelaxedLock>, Needs::kRaceCheck, 1000},
    {"TicketLockTicketInTwoSteps", ticket_lock<TicketDefect::kTicketInTwoSteps>,
     Needs::kInterleaving, 1000},

    {"McsLockRelaxedHandover", mcs_lock<McsDefect::kRelaxedHandover>, Needs::kRaceCheck, 1000},
    {"McsLockRelaxedRelease", mcs_lock<McsDefect::kRelaxedRelease>, Needs::kRaceCheck, 1000},
    {"McsLockRelaxedArrival", mcs_lock<McsDefect::kRelaxedArrival>, Needs::kRaceCheck, 1000},
    {"McsLockRelaxedLink", mcs_lock<McsDefect::kRelaxedLink>, Needs::kRaceCheck, 1000},
    {"McsLockForgetsLate", mcs_lock<McsDefect::kForgetsLate>, Needs::kInterleaving, 1000},

    {"SeqlockNoAcquireFence", seqlock<SeqlockDefect::kNoAcquireFence>, Needs::kWeakMemory, 1000},
    {"SeqlockNoReleaseFence", seqlock<SeqlockDefect::kNoReleaseFence>, Needs::kWeakMemory, 1000},
    {"SeqlockRelaxedEnd", seqlock<SeqlockDefect::kRelaxedEnd>, Needs::kWeakMemory, 1000},
    {"SeqlockRelaxedBegin", seqlock<SeqlockDefect::kRelaxedBegin>, Needs::kWeakMemory, 1000},
    {"SeqlockNoSecondLook", seqlock<SeqlockDefect::kNoSecondLook>, Needs::kInterleaving, 1000},
    {"SeqlockTakesOdd", seqlock<SeqlockDefect::kTakesOdd>, Needs::kInterleaving, 1000},
    {"SeqlockOddTooLate", seqlock<SeqlockDefect::kOddTooLate>, Needs::kInterleaving, 1000},

    {"SpscRingRelaxedTail", spsc_ring<RingDefect::kRelaxedTail>, Needs::kRaceCheck, 1000},
    {"SpscRingRelaxedTailLoad", spsc_ring<RingDefect::kRelaxedTailLoad>, Needs::kRaceCheck, 1000},
    {"SpscRingRelaxedHead", spsc_ring<RingDefect::kRelaxedHead>, Needs::kRaceCheck, 1000},
    {"SpscRingTailTooEarly", spsc_ring<RingDefect::kTailTooEarly>, Needs::kInterleaving, 1000},
    {"SpscRingHeadTooEarly", spsc_ring<RingDefect::kHeadTooEarly>, Needs::kInterleaving, 1000},
    {"SpscRingFullByOne", spsc_ring<RingDefect::kFullByOne>, Needs::kInterleaving, 1000},
    {"SpscRingOfAtomicsRelaxedTail", spsc_ring<RingDefect::kRelaxedTail, std::atomic<int>>,
     Needs::kWeakMemory, 1000},
    {"SpscRingOfAtomicsRelaxedTailLoad", spsc_ring<RingDefect::kRelaxedTailLoad, std::atomic<int>>,
     Needs::kWeakMemory, 1000},

    {"TreiberFreesAtOnce", treiber_stack<TreiberDefect::kFreesAtOnce>, Needs::kInterleaving, 1000},
    {"TreiberNoRecheck", treiber_stack<TreiberDefect::kNoRecheck>, Needs::kInterleaving, 1000},
    {"TreiberUnnamesEarly", treiber_stack<TreiberDefect::kUnnamesEarly>, Needs::kInterleaving,
     1000},
    {"TreiberNoReaderFence", treiber_stack<TreiberDefect::kNoReaderFence>, Needs::kWeakMemory,
     1000},
    {"TreiberNoScanFence", treiber_stack<TreiberDefect::kNoScanFence>, Needs::kWeakMemory, 1000},
    {"TreiberRelaxedHazard", treiber_stack<TreiberDefect::kRelaxedHazard>, Needs::kRaceCheck, 1000},
    {"TreiberRelaxedScan", treiber_stack<TreiberDefect::kRelaxedScan>, Needs::kRaceCheck, 1000},
    {"TreiberRelaxedPush", treiber_stack<TreiberDefect::kRelaxedPush>, Needs::kRaceCheck, 1000},
    {"TreiberRelaxedRecheck", treiber_stack<TreiberDefect::kRelaxedRecheck>, Needs::kRaceCheck,
     5000},

    {"ChaseLevNoTakeFence", chase_lev<ChaseLevDefect::kNoTakeFence>, Needs::kWeakMemory, 1000},
    {"ChaseLevNoStealFence", chase_lev<ChaseLevDefect::kNoStealFence>, Needs::kWeakMemory, 1000},
    {"ChaseLevNoPushFence", chase_lev<ChaseLevDefect::kNoPushFence>, Needs::kRaceCheck, 1000},
    {"ChaseLevRelaxedBottomLoad", chase_lev<ChaseLevDefect::kRelaxedBottomLoad>, Needs::kRaceCheck,
     1000},
    {"ChaseLevBottomBeforeItem", chase_lev<ChaseLevDefect::kBottomBeforeItem>, Needs::kInterleaving,
     1000},
    {"ChaseLevLastWithoutContest", chase_lev<ChaseLevDefect::kLastWithoutContest>,
     Needs::kInterleaving, 1000},
    {"ChaseLevStealWithoutContest", chase_lev<ChaseLevDefect::kStealWithoutContest>,
     Needs::kInterleaving, 1000},

    {"ReaderCountsNoLookBefore", reader_counts<ReaderCountsDefect::kNoLookBefore>,
     Needs::kInterleaving, 20000},
    {"ReaderCountsNoLookAfter", reader_counts<ReaderCountsDefect::kNoLookAfter>,
     Needs::kInterleaving, 1000},
    {"ReaderCountsNoReaderFence", reader_counts<ReaderCountsDefect::kNoReaderFence>,
     Needs::kWeakMemory, 1000},
    {"ReaderCountsNoWriterFence", reader_counts<ReaderCountsDefect::kNoWriterFence>,
     Needs::kWeakMemory, 1000},
    {"ReaderCountsRelaxedLeave", reader_counts<ReaderCountsDefect::kRelaxedLeave>,
     Needs::kRaceCheck, 1000},
    {"ReaderCountsRelaxedWait", reader_counts<ReaderCountsDefect::kRelaxedWait>, Needs::kRaceCheck,
     1000},
    {"ReaderCountsNoWait", reader_counts<ReaderCountsDefect::kNoWait>, Needs::kInterleaving, 1000},
    {"ReaderCountsFlagForCount", reader_counts<ReaderCountsDefect::kFlagForCount>,
     Needs::kInterleaving, 1000},
};

// Verdicts on the algorithm; none of them is the engine's own trouble.
bool accuses(sched::FailureKind kind) {
  using enum sched::FailureKind;
  return kind == kOracle || kind == kDataRace || kind == kUseAfterFree || kind == kBadFree ||
         kind == kLivelock;
}

void expect_replays(Body body, Watch watch, const sched::Result& failed) {
  for (const bool os_threads : {false, true}) {
    sched::Options o = options_of(watch, 0);
    o.choices = &failed.recording.choices;
    o.os_threads = os_threads;
    const sched::Result again = run(body, o);
    EXPECT_EQ(again.failure.kind, failed.failure.kind);
    EXPECT_EQ(again.trace_hash, failed.trace_hash);
  }
}

void print_rate(const Broken& broken, Watch watch, const char* property) {
  uint64_t failures = 0;
  for (uint64_t seed = 1; seed <= runs; ++seed)
    failures += run(broken.body, options_of(watch, seed)).verdict == sched::Verdict::kFailed;
  printf("%s, %s: one execution in %.1f\n", broken.name, property,
         static_cast<double>(runs) / static_cast<double>(failures));
}

void expect_found(const Broken& broken, Watch watch, const char* property) {
  const Search s = search(broken.body, watch, broken.budget);
  ASSERT_EQ(s.last.verdict, sched::Verdict::kFailed) << property << ": not in " << s.executions;
  EXPECT_TRUE(accuses(s.last.failure.kind))
      << sched::failure_kind_name(s.last.failure.kind) << ": " << s.last.failure.message;
  expect_replays(broken.body, watch, s.last);
  ::testing::Test::RecordProperty(property, static_cast<int>(s.executions));
  printf("%s, %s: %s after %d executions\n", broken.name, property,
         sched::failure_kind_name(s.last.failure.kind), static_cast<int>(s.executions));
  if (runs_set != nullptr) print_rate(broken, watch, property);
}

class Variant : public ::testing::TestWithParam<Broken> {};

TEST_P(Variant, IsFound) {
  const Broken& broken = GetParam();
  expect_found(broken, kWeakMemory, "weak_memory");
  if (broken.needs == Needs::kWeakMemory) return expect_clean(broken.body, kRaces);
  expect_found(broken, kRaces, "races");
  if (broken.needs == Needs::kRaceCheck) return expect_clean(broken.body, kInterleavings);
  expect_found(broken, kInterleavings, "interleavings");
}
INSTANTIATE_TEST_SUITE_P(Broken, Variant, ::testing::ValuesIn(kBroken),
                         [](const auto& test) { return test.param.name; });

}  // namespace
}  // namespace litmus

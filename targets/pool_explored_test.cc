// SPDX-License-Identifier: Apache-2.0
// Pools under the engine: small programs of a few threads, each run under many random schedules.
// Every execution is clean, and so says that nothing was handed out twice, lost, raced for or
// deadlocked on; the oracles below say the rest. This file is compiled as code under test.
//
// What it can find was seen by breaking the pool on purpose, each fault once: that needed a sixth of the
// schedules at most. ./lastput audit shows it of the memory orders.
#include <gtest/gtest.h>

#include <optional>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/pool.h"
#include "sched/sched.h"
#include "targets/explored_testing.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Misuse;
using percpu::per_cpu_ptr;
using percpu::Pool;
using percpu::Status;
using percpu::Watermarks;
using targets::explore;
using targets::parallel;
using targets::Unseen;

constexpr unsigned kCpus = 2;

void on_misuse(const Misuse& misuse, void*) {
  // P7, P10: what is lost is found by the end of the domain.
  sched::fail("P7", percpu::misuse_name(misuse.kind));
}

DomainOptions options() {
  DomainOptions options;
  options.cpus = kCpus;
  options.misuse = on_misuse;
  return options;
}

struct Program {
  explicit Program(Watermarks watermarks)
      : domain(options()), pool(std::in_place, domain, 8, 8, watermarks) {}

  // P1: nobody has written there, and nobody else does.
  void take() {
    started.add(1);
    auto* area = static_cast<uint64_t*>(pool->alloc());
    finished.add(1);
    if (area == nullptr) return;
    for (unsigned cpu = 0; cpu < kCpus; ++cpu) {
      uint64_t& word = *per_cpu_ptr(area, cpu);
      if (word != 0) sched::fail("P1", "an area is not zero, or somebody else's");
      word = ~uint64_t{0};
    }
    std::this_thread::yield();
    domain.free_percpu(area);
  }
  void take(int times) {
    for (int i = 0; i < times; ++i) take();
  }
  void expect_at_most(size_t areas) {
    if (pool->cached() > areas) sched::fail("P4", "more areas than anybody asked for");
  }
  // Gives the worker time, and asks nothing of it: nobody else would notice a kick that is lost.
  // Whether there are as many areas in the end.
  bool refilled(size_t least, size_t most) {
    for (int round = 0; round < 400; ++round) {
      std::this_thread::yield();
      Pool(domain, 8, 8, {});  // takes the worker's lock, so that what it did is seen
      if (pool->cached() >= least) break;
    }
    if (pool->cached() < least) return false;  // drain would kick
    domain.drain();
    return pool->cached() >= least && pool->cached() <= most;
  }
  // The worker has looked at every pool since.
  bool stays_at(size_t areas) {
    domain.drain();
    return pool->cached() == areas;
  }

  Domain domain;
  std::optional<Pool> pool;
  Unseen started, finished;  // allocs
};

// P4: two fills and a refill at once.
void fills_do_not_overshoot() {
  Program program({1, 2});
  parallel([&] { program.take(1); },
           [&] {
             if (program.pool->fill(3) != Status::kOk) sched::fail("P4", "fill failed");
             program.expect_at_most(3);
           },
           [&] {
             if (program.pool->fill(2) != Status::kOk) sched::fail("P4", "fill failed");
             program.expect_at_most(3);
           });
  program.domain.drain();
  program.expect_at_most(3);
}

// P1, P3: takers against each other and the worker; afterwards the last refill has come.
void takers_are_refilled() {
  Program program({2, 3});
  if (program.pool->fill() != Status::kOk) sched::fail("P4", "fill failed");
  parallel([&] { program.take(3); }, [&] { program.take(3); });
  if (!program.refilled(2, 3)) sched::fail("P3", "a refill is missing, or went too far");
}

// P3: somebody asks, a fill comes first, and somebody else takes again what it has brought: his
// request is not lost with the one that was served already.
void takers_meet_a_fill() {
  Program program({2, 3});
  parallel([&] { program.take(1); }, [&] { (void)program.pool->fill(); }, [&] { program.take(3); });
  if (program.pool->cached() < 2 && !program.refilled(2, 3)) {
    sched::fail("P3", "a request is lost");
  }
}

// P3: an alloc that finds nothing at all is as good as one that leaves nothing.
void the_first_take_starts_a_refill() {
  Program program({0, 2});
  parallel([&] { program.take(1); }, [&] { program.take(1); });
  // The second take may come before, after, or in the middle of the refill.
  if (!program.refilled(1, 2)) sched::fail("P3", "nobody has refilled an empty pool");
}

// P6: allocs that have returned before empty does cause nothing afterwards.
void nothing_refills_after_empty() {
  Program program({2, 3});
  constexpr int kTakes = 2;
  parallel([&] { program.take(kTakes); },
           [&] {
             for (bool alone = false; !alone; std::this_thread::yield()) {
               program.pool->empty();
               alone = program.finished.get() == kTakes;
             }
             if (program.pool->cached() != 0) sched::fail("P6", "the pool is not empty");
             if (!program.stays_at(0)) sched::fail("P6", "refilled after empty");
           });
}

// P6: and so it may be destroyed, with its memory gone.
void emptied_pools_may_go() {
  Program program({2, 3});
  parallel([&] { program.take(2); }, [&] { program.take(1); });
  program.pool.reset();
  program.domain.drain();
}

// P6: two callers and a refill.
void empties_may_meet() {
  Program program({1, 3});
  parallel(
      [&] {
        program.take(2);
        program.pool->empty();
      },
      [&] { program.pool->empty(); }, [&] { (void)program.pool->fill(2); });
  program.expect_at_most(2);
}

// P5: nobody takes anything after the small fill, so it is the last word, whatever a refill that is
// under way would like.
void a_small_fill_is_the_last_word() {
  Program program({3, 4});
  program.take();  // starts a refill
  if (program.pool->fill(1) != Status::kOk) sched::fail("P5", "fill failed");
  const size_t filled = program.pool->cached();
  if (filled == 0) sched::fail("P4", "fill did nothing");
  if (!program.stays_at(filled)) sched::fail("P5", "refilled in spite of a small fill");
  // Nor does a taker start a refill while anything is left.
  while (program.pool->cached() > 1) program.take();
  if (!program.stays_at(1)) sched::fail("P5", "refilled before the pool ran empty");
  program.take();
  if (!program.refilled(4, 4)) sched::fail("P5", "not refilled when the pool ran empty");
}

// P5: the small fill while somebody takes. Whatever state that leaves, running empty leads out of it.
void a_small_fill_meets_a_taker() {
  Program program({3, 4});
  parallel([&] { program.take(2); }, [&] { (void)program.pool->fill(2); });
  program.domain.drain();
  program.expect_at_most(4);
  for (size_t left = program.pool->cached(); left != 0; --left) program.take();
  if (!program.refilled(3, 4)) sched::fail("P5", "refills stay off for ever");
}

// Areas in the first chunk of slots; the second has twice as many.
constexpr size_t kFirstChunk = 64;

// P1: an area that has just come into the second chunk stands in for one that somebody else took.
void takers_meet_a_new_chunk() {
  Program program({});
  if (program.pool->fill(kFirstChunk) != Status::kOk) sched::fail("P4", "fill failed");
  const auto take = [&] { program.take(1); };
  parallel(take, take, take, [&] {
    (void)program.pool->fill(kFirstChunk);
    program.take(3);
  });
}

// P1: who is entitled to an area of the third chunk knows that there are so many.
void takers_know_all_chunks() {
  constexpr size_t kMany = 3 * kFirstChunk + 1;
  Program program({});
  parallel([&] { (void)program.pool->fill(kMany); },
           [&] {
             while (program.pool->cached() < kMany) std::this_thread::yield();
             program.take(1);
           });
}

// P3: no high watermark, no refill; and the worker sleeps, or the execution would not end.
void nothing_refills_without_a_high_watermark() {
  Program program({});
  if (program.pool->fill(2) != Status::kOk) sched::fail("P4", "fill failed");
  parallel([&] { program.take(2); }, [&] { program.take(2); });
  if (!program.stays_at(0)) sched::fail("P3", "refilled without a high watermark");
  // A worker that cannot sleep spends the budget here.
  for (int i = 0; i < 200; ++i) std::this_thread::yield();
}

// P10: the domain ends with refills on their way.
void the_end_waits_for_refills() {
  Program program({2, 3});
  parallel([&] { program.take(1); }, [&] { program.domain.drain(); });
}

// P9, P10: the same with the pool still there afterwards. What the domain was stays, as it must.
void the_end_comes_before_the_pool() {
  DomainOptions tolerant = options();
  tolerant.misuse = [](const Misuse& misuse, void*) {
    if (misuse.kind != percpu::MisuseKind::kPoolAlive) on_misuse(misuse, nullptr);
  };
  std::optional<Domain> domain(std::in_place, tolerant);
  Pool pool(*domain, 8, 8, {1, 2});
  if (pool.alloc() != nullptr) sched::fail("P1", "an area out of nothing");
  domain.reset();
  if (pool.cached() != 2) sched::fail("P9", "the end did not wait for a refill");
}

// P7: wherever memory runs out, nothing is lost, and the next alloc tries again.
void memory_runs_out() {
  std::optional<Program> program;
  try {
    program.emplace(Watermarks{2, 3});
  } catch (...) {
    return;
  }
  program->take(2);
  (void)program->pool->fill(3);
  program->domain.drain();
  while (program->pool->cached() != 0) program->take();
  program->take();
  if (!program->refilled(2, 3)) sched::fail("P3", "a refill that failed was not tried again");
}

TEST(PoolExplored, FillsDoNotOvershoot) {
  explore(fills_do_not_overshoot);
}
TEST(PoolExplored, TakersAreRefilled) {
  explore(takers_are_refilled);
}
TEST(PoolExplored, TakersMeetAFill) {
  explore(takers_meet_a_fill);
}
TEST(PoolExplored, TheFirstTakeStartsARefill) {
  explore(the_first_take_starts_a_refill);
}
TEST(PoolExplored, NothingRefillsAfterEmpty) {
  explore(nothing_refills_after_empty);
}
TEST(PoolExplored, EmptiedPoolsMayGo) {
  explore(emptied_pools_may_go);
}
TEST(PoolExplored, EmptiesMayMeet) {
  explore(empties_may_meet);
}
TEST(PoolExplored, ASmallFillIsTheLastWord) {
  explore(a_small_fill_is_the_last_word);
}
TEST(PoolExplored, ASmallFillMeetsATaker) {
  explore(a_small_fill_meets_a_taker);
}
TEST(PoolExplored, TakersMeetANewChunk) {
  // A taker must be kept from its slot for as long as it takes to add a chunk.
  explore(takers_meet_a_new_chunk, {.mean_interval = 60});
}
TEST(PoolExplored, TakersKnowAllChunks) {
  explore(takers_know_all_chunks, {.executions = 200, .step_budget = 200000});
}
TEST(PoolExplored, NothingRefillsWithoutAHighWatermark) {
  explore(nothing_refills_without_a_high_watermark, {.step_budget = 800});
}
TEST(PoolExplored, TheEndWaitsForRefills) {
  explore(the_end_waits_for_refills);
}
TEST(PoolExplored, TheEndComesBeforeThePool) {
  explore(the_end_comes_before_the_pool, {.leaks = false});
}
TEST(PoolExplored, MemoryRunsOut) {
  explore(memory_runs_out, {.allocations_that_fail = 24});
}

}  // namespace

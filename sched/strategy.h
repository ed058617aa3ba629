// SPDX-License-Identifier: Apache-2.0
// Where the choices of a schedule come from: given choices, else bytes of the input, else a strategy
// (Options::strategy), one file each in strategy/. The engine calls the functions below; they ask the
// Scheduler where neither choices nor bytes are left.
//
// Bytes: a preemption takes two, distance then target; a choice that must be made anyway (who runs
// when the current thread blocks, whom a wake-up wakes) takes one target byte.
//   distance = 1 + ((b & 15) << ((b >> 4) & 3)) points, b of 0xc0 and above: four times that
//   target   = b modulo the number of candidates, in order of creation
#ifndef LASTPUT_SCHED_STRATEGY_H_
#define LASTPUT_SCHED_STRATEGY_H_

#include <cstdint>

#include "sched/sched.h"
#include "sched/thread_set.h"

namespace sched {

enum class Turn : uint8_t {
  kPreempted,  // the current thread could go on; the candidates are others
  kBlocked,    // it waits, or has ended
  kYielded,    // it asks for another
  kTimedOut,   // nobody can run: whose deadline comes
  kWoken,      // no turn of anybody: which waiter a wake-up wakes
};

// What a strategy decides, and what it is told. It may look at the engine's state (engine.h), above all
// at Thread::pending, and draws from the generator below, never from anything that varies between
// processes. The recording run of a failure asks it the same questions in the same order. It lives
// as long as the process: begin() forgets what was.
class Scheduler {
 public:
  virtual ~Scheduler() = default;
  // An execution begins, of g.options. Comes before main is told of.
  virtual void begin() {}
  // A thread became able to run: a new one (maybe in the place of one that has ended), or one that waited.
  virtual void thread_ready(uint32_t /*thread*/, bool /*is_new*/) {}
  // Points until choose_thread(kPreempted) is called; 0: never. The first time is before the first
  // point, then as each of them is reached, before choose_thread.
  virtual uint64_t distance() = 0;
  // One of `candidates`, which are two at least; where the turn is kPreempted: one at least, and the
  // current thread is an answer, too.
  virtual uint32_t choose_thread(Turn turn, ThreadSet candidates) = 0;
  // Which threads that wait are candidates of a preemption, too: their deadline comes now; or what they
  // wait for comes for nothing.
  virtual ThreadSet choose_waiters(ThreadSet timed, ThreadSet spurious);
  // One of `departures` (bit n: n, not empty; sched.h has their meaning), or 0, as ever. Usual are
  // departures once in `one_in` times.
  virtual uint32_t choose_departure(uint32_t departures, uint32_t one_in);
  // Below n, which is 2 at least: sched::choose, and what the defaults here decide by.
  virtual uint32_t choose_number(uint32_t n);
};

// The scheduler of an execution with these options; each file of strategy/ has one.
Scheduler& random_scheduler();
Scheduler& pct_scheduler();
Scheduler& surw_scheduler();

// How often those that are asked at each point let waiters be candidates.
inline constexpr uint32_t kWaitersOneIn = 64;

// The generator of the execution, from Options::seed.
uint64_t next_random();
uint32_t random_below(uint32_t n);
// The scheduler's answer is no longer good: it is asked at the next point.
void ask_soon();
// From here on it is the strategy that is asked, no given choices.
void ask_anew();

// --- For the engine: what has been decided, by whomever. A given schedule decides nothing here.

void strategy_reset();
// Points until the next preemption; 0 = none any more.
uint64_t next_distance();
void tell_ready(uint32_t thread, bool is_new);
uint32_t choose_thread(Turn turn, const ThreadSet& candidates);
ThreadSet choose_waiters(const ThreadSet& timed, const ThreadSet& spurious);
uint32_t choose_departure_now(uint32_t departures, uint32_t one_in);
uint32_t choose_number(uint32_t n);
// In a given schedule: the thread named for this very choice, or kMaxThreads; the departure of
// another kind, or 0.
uint32_t given_thread();
uint32_t given_departure();

}  // namespace sched

#endif  // LASTPUT_SCHED_STRATEGY_H_

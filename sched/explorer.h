// SPDX-License-Identifier: Apache-2.0
// The search itself (exhaustive.h): a stack of turns, the executions that fill it, and what is left to be
// tried at each of its nodes.
#ifndef LASTPUT_SCHED_EXPLORER_H_
#define LASTPUT_SCHED_EXPLORER_H_

#include <bit>
#include <string>
#include <unordered_set>
#include <vector>

#include "sched/execution_graph.h"
#include "sched/exhaustive.h"
#include "sched/exploration.h"
#include "sched/trace.h"

namespace sched {

// Different loads of a thread that are watched for coming again.
inline constexpr unsigned kPollsWatched = 8;

inline uint32_t bit_of(uint32_t thread) {
  return 1u << thread;
}
inline uint32_t lowest(uint64_t set) {
  return static_cast<uint32_t>(std::countr_zero(set));
}

// A choice in a segment: of a set of bits, tried by ascending bit.
struct Branch {
  uint64_t options;
  uint32_t chosen;
};

// A thread whose next segment has been tried here, or earlier and nothing since then depends on it.
struct Sleeper {
  uint32_t thread;
  Footprint footprint;
};

// The turn before a segment, and the segment.
struct Node {
  uint32_t enabled = 0, backtrack = 0, done = 0;  // threads, as bits
  uint32_t chosen = 0;
  uint32_t keeps = kNone;    // who could go on: any other thread is a preemption
  uint32_t preemptions = 0;  // before this turn
  std::vector<Sleeper> sleepers;
  Footprint footprint;  // of the chosen thread, whatever its branches
  std::vector<Branch> branches;

  uint32_t asleep() const {
    uint32_t set = 0;
    for (const Sleeper& s : sleepers) set |= bit_of(s.thread);
    return set;
  }
};

// The same load again and again.
struct Poll {
  uintptr_t pc, address;
  uint64_t value;
  uint32_t times;
};
struct Polls {
  Poll polls[kPollsWatched];
  unsigned count = 0, next = 0;
};

class Explorer final : public Scheduler {
 public:
  ExhaustiveResult run(void (*body)(void*), void* argument, const ExhaustiveOptions& options);

  // --- Scheduler
  void begin() override;
  void thread_ready(uint32_t thread, bool) override {
    if (at_ < depth_) trace_.lets_run(thread);
  }
  uint64_t distance() override { return 1; }
  uint32_t choose_thread(Turn, ThreadSet candidates) override { return branch(candidates.bits()); }
  ThreadSet choose_waiters(ThreadSet timed, ThreadSet spurious) override {
    ThreadSet set;
    if (allowed(timeouts_, options_.bounds.timeouts, !timed.empty(), result_.met.timeouts))
      set |= timed;
    if (allowed(failing_, options_.bounds.spurious, !spurious.empty(), result_.met.spurious))
      set |= spurious;
    return set;
  }
  uint32_t choose_departure(uint32_t, uint32_t) override { return 0; }
  // As a given schedule does, which is how an execution is run again.
  uint32_t choose_number(uint32_t) override { return 0; }

  // --- What exploration.h declares
  uint32_t turn(Turn turn, uint32_t candidates);
  uint32_t departure(Departure what, uint32_t departures);
  uint32_t worth(const Loc* loc, uint32_t ages, bool writes, bool seq_cst);
  void atomic(const AtomicAccess& access);
  void unasked(const Thread& thread);
  void sync(Object object);
  void met_stale() { result_.met.stale = true; }
  Trace& trace() { return trace_; }

 private:
  bool bounded() const { return options_.bounds.preemptions != kUnbounded; }
  bool reduces() const { return options_.reduce; }
  bool sleeps() const { return reduces() && !bounded(); }
  // Whether a bound lets one more of it happen; notes where it does not.
  static bool allowed(uint32_t so_far, uint32_t most, bool wanted, bool& met) {
    if (so_far < most) return true;
    met |= wanted;
    return false;
  }

  uint32_t branch(uint64_t options);
  void end_segment();
  void add_race(uint32_t earlier, uint32_t later);
  void add_backtrack(Node& node, uint32_t threads);
  Node& new_node(uint32_t enabled, uint32_t keeps);
  uint32_t ready(uint32_t candidates);
  uint32_t all_of(uint32_t enabled) const;
  bool may_run(const Node& node, uint32_t thread);
  bool next();
  bool next_branch(Node& node);
  bool next_thread(Node& node);
  Options run_options() const;
  void count(const Result& one);
  void keep_failure(void (*body)(void*), void* argument);
  bool goes_on();
  void poll(const AtomicAccess& access);

  ExhaustiveOptions options_;
  ExhaustiveResult result_;
  std::unordered_set<uint64_t> distinct_;
  double start_ = 0;
  std::string problem_;

  // The stack of the search; only the first depth_ nodes count.
  std::vector<Node> nodes_;
  uint32_t depth_ = 0;
  uint32_t changed_ = 0;  // the first node that is new in this execution

  // Of this execution.
  Trace trace_;
  ExecutionGraph graph_;
  uint32_t at_ = 0;         // the node whose segment is open
  uint32_t branch_at_ = 0;  // of that node
  uint32_t stale_ = 0, timeouts_ = 0, failing_ = 0;
  uint32_t begun_ = 0;     // threads that have had a turn
  uint32_t spinning_ = 0;  // threads that wait until another has written
  Polls polls_[kMaxThreads];
  std::vector<Object> synced_;  // by the open segment
  std::vector<uint32_t> races_;
  bool redundant_ = false, is_open_ = false;
};

// One a process; never destroyed.
Explorer& explorer();

}  // namespace sched

#endif  // LASTPUT_SCHED_EXPLORER_H_

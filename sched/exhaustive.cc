// SPDX-License-Identifier: Apache-2.0
#include "sched/exhaustive.h"

#include <time.h>

#include "sched/explorer.h"
#include "sched/fatal.h"

namespace sched {
namespace {

double now() {
  timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) * 1e-9;
}

}  // namespace

Explorer& explorer() {
  static auto* e = new Explorer;
  return *e;
}

// --- One execution -----------------------------------------------------------------------------------

void Explorer::begin() {
  EngineOff off;
  trace_.begin();
  graph_.begin();
  at_ = branch_at_ = 0;
  stale_ = timeouts_ = failing_ = spinning_ = 0;
  begun_ = bit_of(0);
  for (Polls& p : polls_) p = Polls{};
  redundant_ = false;
  is_open_ = true;
  trace_.open(0);
  synced_.clear();
  if (depth_ == 0) new_node(bit_of(0), kNone).chosen = 0;
}

Node& Explorer::new_node(uint32_t enabled, uint32_t keeps) {
  if (nodes_.size() == depth_) nodes_.emplace_back();
  Node& node = nodes_[depth_++];
  node.enabled = enabled;
  node.backtrack = reduces() ? 0 : all_of(enabled);
  node.done = 0;
  node.keeps = keeps;
  node.preemptions = 0;
  node.sleepers.clear();
  node.footprint.clear();
  node.branches.clear();
  return node;
}

void Explorer::end_segment() {
  if (!is_open_) return;
  is_open_ = false;
  races_.clear();
  trace_.close(&races_);
  if (!trace_.only_waited())
    for (Object object : synced_) graph_.sync(trace_.thread_of(at_), object);
  if (trace_.wrote()) {
    const uint32_t writer = bit_of(trace_.thread_of(at_));
    for (uint32_t s = spinning_ & ~writer; s != 0; s &= s - 1) polls_[lowest(s)] = Polls{};
    spinning_ &= writer;
  }
  if (at_ < changed_) return;
  Node& node = nodes_[at_];
  for (const Access& a : trace_.footprint()) add_access(node.footprint, a);
  if (!reduces()) return;
  for (uint32_t earlier : races_) add_race(earlier, at_);
  if (trace_.exited()) node.backtrack |= node.enabled;
}

void Explorer::add_backtrack(Node& node, uint32_t threads) {
  threads &= node.enabled;
  node.backtrack |= threads != 0 ? bit_of(lowest(threads)) : node.enabled;
}

void Explorer::add_race(uint32_t earlier, uint32_t later) {
  Node& node = nodes_[earlier];
  const uint32_t thread = trace_.thread_of(later);
  if (!bounded()) {
    const uint32_t initials = trace_.initials(earlier, later);
    if ((initials & (node.backtrack | bit_of(node.chosen) | node.asleep())) != 0) return;
    return add_backtrack(node, (initials & bit_of(thread)) != 0 ? bit_of(thread) : initials);
  }
  add_backtrack(node, bit_of(thread));
  // The bound may forbid that; so also where its thread's turn began.
  uint32_t begin = earlier;
  while (begin != 0 && trace_.thread_of(begin - 1) == trace_.thread_of(earlier)) --begin;
  add_backtrack(nodes_[begin], bit_of(thread));
}

// What is tried without reduction: everybody. But main, which starts and joins the others, and the begin
// and end of each go first where preemptions are not counted, or the smallest programs take hours.
uint32_t Explorer::all_of(uint32_t enabled) const {
  if (bounded()) return enabled;
  for (uint32_t s = enabled; s != 0; s &= s - 1) {
    const Thread& t = g.threads[lowest(s)];
    const bool ends = t.pending.address == object_at(&t);
    if (&t == g.threads || ends || (begun_ & bit_of(lowest(s))) == 0) return bit_of(lowest(s));
  }
  return enabled;
}

// Of those who can run, who does not wait for another to write.
uint32_t Explorer::ready(uint32_t candidates) {
  if ((candidates & ~spinning_) != 0) return candidates & ~spinning_;
  return candidates;
}

bool Explorer::may_run(const Node& node, uint32_t thread) {
  if (node.keeps == kNone || thread == node.keeps) return true;
  return allowed(node.preemptions, options_.bounds.preemptions, true, result_.met.preemptions);
}

uint32_t Explorer::turn(Turn turn, uint32_t candidates) {
  end_segment();
  if (turn == Turn::kYielded) spinning_ |= bit_of(g.current);
  const uint32_t enabled = ready(candidates);
  const bool could_go_on = turn == Turn::kPreempted && (enabled & bit_of(g.current)) != 0;
  ++at_;
  branch_at_ = 0;
  if (at_ >= depth_) {
    Node& node = new_node(enabled, could_go_on ? g.current : kNone);
    const Node& before = nodes_[at_ - 1];
    node.preemptions =
        before.preemptions + (before.keeps != kNone && before.chosen != before.keeps ? 1 : 0);
    if (sleeps()) {
      for (const Sleeper& s : before.sleepers)
        if (s.thread != before.chosen && !trace_.exited() &&
            (trace_.only_waited() || !conflict(s.footprint, trace_.footprint())))
          node.sleepers.push_back(s);
    }
    const uint32_t awake = enabled & ~node.asleep();
    if (awake == 0) {
      redundant_ = true;
      --depth_;
      end_execution(Verdict::kCutOff);
    }
    const uint32_t first = reduces() ? awake : node.backtrack;
    node.chosen = could_go_on && (first & bit_of(g.current)) != 0 ? g.current : lowest(first);
    // Whoever may go on unasked is a race with whoever would wake it, which no execution shows otherwise.
    node.backtrack |= bit_of(node.chosen) | (enabled & ~g.runnable.bits());
  }
  Node& node = nodes_[at_];
  if (node.enabled != enabled) {
    problem_ = "the program takes another course when it runs again in the same order";
    end_execution(Verdict::kCutOff);
  }
  begun_ |= bit_of(node.chosen);
  trace_.open(node.chosen);
  synced_.clear();
  is_open_ = true;
  return node.chosen;
}

uint32_t Explorer::branch(uint64_t options) {
  EngineOff off;
  std::vector<Branch>& branches = nodes_[at_].branches;
  if (branch_at_ == branches.size()) branches.push_back({options, lowest(options)});
  if (branches[branch_at_].options != options)
    problem_ = "the program chooses otherwise when it runs again in the same order";
  return branches[branch_at_++].chosen;
}

uint32_t Explorer::departure(Departure what, uint32_t departures) {
  if (departures == 0 || what == Departure::kReuse) return 0;
  if (what == Departure::kSerial) return branch(uint64_t{departures} | 1);
  if (what == Departure::kFailure) {
    if (!allowed(failing_, options_.bounds.spurious, true, result_.met.spurious)) return 0;
    const uint32_t fails = branch(uint64_t{departures} | 1);
    failing_ += fails != 0;
    return fails;
  }
  if ((spinning_ & bit_of(g.current)) != 0) {
    result_.met.polls = true;
    return 0;
  }
  if (!allowed(stale_, options_.bounds.stale, true, result_.met.stale)) return 0;
  const uint32_t chosen = branch(uint64_t{departures} | 1);
  stale_ += chosen != 0;
  return chosen;
}

uint32_t Explorer::worth(const Loc* loc, uint32_t ages, bool writes, bool seq_cst) {
  uint32_t latest_age = 0;
  if (!sleeps() || !trace_.races_with_latest_store(loc->address, writes, seq_cst, &latest_age))
    return ages;
  return ages & ((2u << latest_age) - 1);
}

void Explorer::poll(const AtomicAccess& access) {
  Polls& p = polls_[g.current];
  for (unsigned i = 0; i < p.count; ++i) {
    Poll& known = p.polls[i];
    if (known.pc != access.pc || known.address != access.address || known.value != access.value)
      continue;
    if (++known.times <= options_.bounds.polls) return;
    result_.met.polls = true;
    spinning_ |= bit_of(g.current);
    return;
  }
  p.polls[p.next] = {access.pc, access.address, access.value, 1};
  p.next = (p.next + 1) % kPollsWatched;
  if (p.count < kPollsWatched) ++p.count;
}

void Explorer::atomic(const AtomicAccess& access) {
  const bool writes = access.kind == StepKind::kStore || access.kind == StepKind::kRmw;
  trace_.touch(access.address, writes);
  if (access.order == __ATOMIC_SEQ_CST && options_.run.weak_memory) trace_.touch(kScOrder, false);
  if (writes) {
    trace_.store(access.address, access.age);
    polls_[g.current] = Polls{};
  } else {
    poll(access);
  }
  graph_.atomic(g.current, access);
}

void Explorer::unasked(const Thread& thread) {
  if (thread.timed) {
    ++timeouts_;
    trace_.touch(kTime, true);
  } else {
    ++failing_;
  }
  trace_.touch(queue_of(thread.wait_key), true);
}

void Explorer::sync(Object object) {
  trace_.touch(object, true);
  for (Object o : synced_)
    if (o == object) return;
  synced_.push_back(object);
}

// --- The search --------------------------------------------------------------------------------------

bool Explorer::next_branch(Node& node) {
  while (!node.branches.empty()) {
    Branch& last = node.branches.back();
    const uint64_t rest =
        last.chosen == 63 ? 0 : last.options >> (last.chosen + 1) << (last.chosen + 1);
    if (rest != 0) {
      last.chosen = lowest(rest);
      return true;
    }
    node.branches.pop_back();
  }
  return false;
}

bool Explorer::next_thread(Node& node) {
  node.done |= bit_of(node.chosen);
  if (sleeps()) node.sleepers.push_back({node.chosen, node.footprint});
  node.footprint.clear();
  uint32_t left = node.backtrack & ~node.done & ~node.asleep();
  for (; left != 0; left &= left - 1) {
    node.chosen = lowest(left);
    if (may_run(node, node.chosen)) return true;
    node.done |= bit_of(node.chosen);
  }
  return false;
}

bool Explorer::next() {
  for (; depth_ != 0; --depth_) {
    changed_ = depth_ - 1;
    if (next_branch(nodes_[changed_]) || next_thread(nodes_[changed_])) return true;
  }
  return false;
}

Options Explorer::run_options() const {
  Options o = options_.run;
  o.strategy = Strategy::kExhaustive;
  o.bytes = {};
  o.choices = nullptr;
  o.seed = 0;
  o.step_budget = options_.bounds.steps;
  o.fair_budget = 0;
  o.plain_points |= !o.races;
  o.explain = o.record_always = false;
  o.on_failure = nullptr;
  return o;
}

bool Explorer::goes_on() {
  const Bounds& b = options_.bounds;
  if (!problem_.empty())
    result_.gave_up = problem_;
  else if (b.executions != 0 && result_.executions >= b.executions)
    result_.gave_up = "executions";
  else if (b.seconds != 0 && now() - start_ >= b.seconds)
    result_.gave_up = "seconds";
  else if (options_.stop != nullptr && options_.stop(options_.stop_context))
    result_.gave_up = "stopped";
  return result_.gave_up.empty();
}

void Explorer::count(const Result& one) {
  ++result_.executions;
  result_.points += one.steps;
  if (one.verdict == Verdict::kClean) {
    end_segment();
    distinct_.insert(graph_.hash());
  } else if (redundant_) {
    ++result_.redundant;
  } else if (problem_.empty()) {
    ++result_.cut_off;
  }
}

// Writes down how the search came there, then runs it again as anybody would.
void Explorer::keep_failure(void (*body)(void*), void* argument) {
  changed_ = depth_;
  Options o = run_options();
  o.record_always = true;
  const Result recorded = sched::run(body, argument, o);
  o = options_.run;
  o.strategy = Strategy::kRandom;
  o.plain_points |= !o.races;
  o.step_budget = options_.bounds.steps;
  o.choices = &recorded.recording.choices;
  o.explain = true;
  result_.failure = sched::run(body, argument, o);
  result_.gave_up = "a failure";
  if (result_.failure.verdict == Verdict::kFailed) return;
  result_.gave_up = "a failure that does not come again: " + recorded.failure.message;
}

ExhaustiveResult Explorer::run(void (*body)(void*), void* argument,
                               const ExhaustiveOptions& options) {
  options_ = options;
  result_ = ExhaustiveResult{};
  distinct_.clear();
  problem_.clear();
  depth_ = changed_ = 0;
  start_ = now();
  do {
    if (!goes_on()) break;
    const Result one = sched::run(body, argument, run_options());
    count(one);
    if (one.verdict == Verdict::kFailed) {
      keep_failure(body, argument);
      break;
    }
    if (options.on_execution != nullptr && one.verdict == Verdict::kClean)
      options.on_execution(one, options.on_execution_context);
  } while (next());
  if (!problem_.empty()) result_.gave_up = problem_;
  if (result_.gave_up.empty() && result_.cut_off != 0) result_.gave_up = "steps";
  result_.complete = result_.gave_up.empty();
  result_.distinct = distinct_.size();
  return std::move(result_);
}

ExhaustiveResult explore_all(void (*body)(void*), void* argument,
                             const ExhaustiveOptions& options) {
  SCHED_CHECK(!g.active, "explore_all() inside an execution");
  return explorer().run(body, argument, options);
}

std::string describe(const BoundsMet& met) {
  std::string text;
  auto add = [&](bool is_met, const char* what) {
    if (is_met) text += (text.empty() ? "" : ", ") + std::string(what);
  };
  add(met.preemptions, "preemptions");
  add(met.stale, "stale loads");
  add(met.timeouts, "early deadlines");
  add(met.spurious, "what fails for nothing");
  add(met.polls, "polls");
  return text;
}

std::string describe_bounds(const Bounds& b, const Options& run) {
  auto few = [](uint32_t n, const std::string& one, const std::string& many) {
    if (n == kUnbounded) return "any number of " + many;
    if (n == 0) return "no " + many;
    return "at most " + std::to_string(n) + " " + (n == 1 ? one : many);
  };
  std::string text = few(b.preemptions, "preemption", "preemptions");
  if (run.weak_memory)
    text += ", " + few(b.stale, "stale load or late store", "stale loads and late stores");
  else
    text += ", sequential consistency";
  text += ", " + few(b.timeouts, "early deadline", "early deadlines") + ", " +
          few(b.spurious, "wake-up for nothing", "wake-ups for nothing") + ", " +
          few(b.polls, "poll in a row", "polls in a row") + ", " + std::to_string(b.steps) +
          " steps";
  return text + ", no reuse of freed memory";
}

}  // namespace sched

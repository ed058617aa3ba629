// SPDX-License-Identifier: Apache-2.0
#include "replay/minimize.h"

#include <algorithm>
#include <iterator>
#include <numeric>

#include "sched/shrink.h"

namespace replay {
namespace {

using sched::Choice;
using targets::Artifact;
using targets::Operation;
using targets::Program;

constexpr unsigned kMeanIntervals[] = {2, 4, 8, 16, 32, 63};

bool names_thread(const Choice& choice) {
  return choice.to.empty() || choice.to[0] != '-';
}

// For each operation of each thread, its number (from 1) in the program that it was made from.
using Origins = std::vector<std::vector<uint32_t>>;

Origins origins_of(const Program& program) {
  Origins origins(program.threads.size());
  for (size_t t = 0; t < origins.size(); ++t) {
    origins[t].resize(program.threads[t].size());
    std::iota(origins[t].begin(), origins[t].end(), 1u);
  }
  return origins;
}

// Drops what has become illegal, from both.
void drop_illegal(Program& program, Origins& origins) {
  const Program before = program;
  targets::drop_illegal(program);
  for (size_t t = 0; t < program.threads.size(); ++t) {
    std::vector<uint32_t> left;
    size_t at = 0;
    for (const Operation& op : program.threads[t]) {
      while (!(before.threads[t][at] == op)) ++at;
      left.push_back(origins[t][at++]);
    }
    origins[t] = std::move(left);
  }
}

// The schedule of the program that `origins` tells of, from that of the one it was made from: what
// operations that are gone did is left out.
std::vector<Choice> carry_over(const std::vector<Choice>& schedule, const Program& from,
                               const Origins& origins) {
  std::vector<Choice> carried;
  for (Choice choice : schedule) {
    for (size_t t = 0; t < origins.size(); ++t) {
      if (choice.thread != targets::thread_name(static_cast<unsigned>(t)) || choice.op == 0)
        continue;
      const auto& left = origins[t];
      const auto place = std::lower_bound(left.begin(), left.end(), choice.op);
      const bool kept =
          choice.op > from.threads[t].size() || (place != left.end() && *place == choice.op);
      choice.op = kept ? static_cast<uint32_t>(place - left.begin()) + 1 : UINT32_MAX;
    }
    if (choice.op != UINT32_MAX) carried.push_back(std::move(choice));
  }
  return carried;
}

class Minimizer {
 public:
  Minimizer(targets::Body body, const MinimizeOptions& options) : body_(body), options_(options) {}

  bool begin(const Artifact& failing) {
    const targets::ExecuteResult found = targets::execute_artifact(body_, failing, {});
    best_.executions = found.executions;
    if (!found.failed) return false;
    best_.group = identify(found.failure.failure, failing);
    take(failing, found.failure);
    best_.before = best_.after;
    return true;
  }

  Minimized run() {
    for (bool some = true; some && !stopped_;) {
      some = operations_go();
      some |= threads_go();
      some |= setup_simplifies();
      some |= memory_simplifies();
      some |= choices_go();
      if (!some) some = fewer_choices_are_found();
    }
    best_.complete = !stopped_;
    return std::move(best_);
  }

 private:
  targets::Kind kind() const { return best_.artifact.kind(); }
  const Program& program() const { return best_.artifact.program; }
  const std::vector<Choice>& schedule() const { return best_.artifact.schedule; }

  Group identify(const sched::Failure& failure, const Artifact& artifact) {
    return group_of(failure, artifact.program, artifact.kind(), symbolizer_);
  }

  // The artifact of a failed execution of `candidate`: only the choices that were really made.
  void take(const Artifact& candidate, const sched::Result& failed) {
    Artifact taken = targets::make_artifact(candidate.target, candidate.bug, candidate.program,
                                            failed.failure, failed.recording);
    taken.count = candidate.count;
    taken.memory = candidate.memory;
    taken.build = candidate.build;
    taken.program.seed = 0;
    taken.program.interval = 0;
    best_.artifact = std::move(taken);
    best_.after = extent_of(best_.artifact);
  }

  bool stop() { return stopped_ = stopped_ || (options_.stop && options_.stop(best_)); }

  bool fits(const Program& candidate) const {
    Program fitted = candidate;
    targets::fit(options_.abilities, &fitted);
    return fitted == candidate;
  }

  // Whether one execution fails in the same way; it is the best then.
  bool fails(const Artifact& candidate, const sched::Options& options) {
    ++best_.executions;
    const sched::Result result = targets::execute_once(body_, candidate.program, options);
    if (result.verdict != sched::Verdict::kFailed) return false;
    if (identify(result.failure, candidate) != best_.group) return false;
    if (must_be_shorter_ && result.recording.choices.size() >= schedule().size()) return false;
    take(candidate, result);
    if (options_.improved) options_.improved(best_);
    return true;
  }
  sched::Options options_for(const Artifact& candidate) {
    sched::Options options = targets::schedule_options(candidate.program, 0, &bytes_);
    options.bytes = {};
    options.explain = true;
    options.weak_memory = candidate.memory == targets::Memory::kWeak;
    return options;
  }
  bool fails_by_its_schedule(const Artifact& candidate) {
    sched::Options options = options_for(candidate);
    options.choices = &candidate.schedule;
    return fails(candidate, options);
  }
  bool fails_by_a_random_one(const Artifact& candidate, unsigned tries) {
    sched::Options options = options_for(candidate);
    for (unsigned i = 0; i < tries && !stop(); ++i) {
      options.seed = i + 1;
      options.mean_interval = kMeanIntervals[i % std::size(kMeanIntervals)];
      if (fails(candidate, options)) return true;
    }
    return false;
  }
  // The program with what is left of the schedule, or with any other.
  bool still_fails(Program&& smaller, Origins&& origins) {
    if (stop()) return false;
    if (is_concurrent(kind())) drop_illegal(smaller, origins);
    if (smaller == program() || targets::check(smaller, kind()) || !fits(smaller)) return false;
    Artifact candidate = best_.artifact;
    candidate.schedule = carry_over(schedule(), program(), origins);
    candidate.program = std::move(smaller);
    return fails_by_its_schedule(candidate) ||
           fails_by_a_random_one(candidate, options_.random_schedules);
  }

  bool operations_go() {
    const auto size = [this] { return targets::operation_count(program()); };
    return sched::shrink(size, [this](size_t first, size_t count) {
      Program smaller = program();
      Origins origins = origins_of(smaller);
      size_t index = 0;
      for (size_t t = 0; t < origins.size(); ++t) {
        auto& ops = smaller.threads[t];
        const size_t begin = std::clamp(first, index, index + ops.size()) - index;
        const size_t end = std::clamp(first + count, index, index + ops.size()) - index;
        index += ops.size();
        const auto from = static_cast<ptrdiff_t>(begin), to = static_cast<ptrdiff_t>(end);
        ops.erase(ops.begin() + from, ops.begin() + to);
        origins[t].erase(origins[t].begin() + from, origins[t].begin() + to);
      }
      return still_fails(std::move(smaller), std::move(origins));
    });
  }

  // Threads that do nothing.
  bool threads_go() {
    bool some = false;
    for (auto t = static_cast<unsigned>(program().threads.size()); t-- > 0;) {
      if (program().threads[t].empty() && program().threads.size() > 1) some |= thread_goes(t);
    }
    return some;
  }
  bool thread_goes(unsigned gone) {
    Artifact candidate = best_.artifact;
    Program& smaller = candidate.program;
    smaller.threads.erase(smaller.threads.begin() + gone);
    for (auto& ref : smaller.refs) {
      if (ref.controller == gone) ref.controller = 0;
      if (ref.controller > gone) --ref.controller;
      std::shift_left(ref.tokens.begin() + gone, ref.tokens.end(), 1);
      ref.tokens.back() = 0;
    }
    for (auto& ops : smaller.threads) {
      for (Operation& op : ops) {
        if (targets::operation_info(op.code).argument != targets::Argument::kThread) continue;
        if (op.argument == gone) return false;
        if (op.argument > gone) --op.argument;
      }
    }
    if (targets::check(smaller, kind())) return false;
    std::vector<Choice> carried;
    for (Choice choice : schedule()) {
      if (renumber(choice.thread, gone) && renumber(choice.to, gone)) carried.push_back(choice);
    }
    candidate.schedule = std::move(carried);
    return fails_by_its_schedule(candidate) ||
           fails_by_a_random_one(candidate, options_.random_schedules);
  }
  // The name of a thread when number `gone` is gone; false: it is that thread's.
  static bool renumber(std::string& name, unsigned gone) {
    if (name == targets::thread_name(gone)) return false;
    for (unsigned t = gone + 1; t < targets::kMaxThreads; ++t) {
      if (name != targets::thread_name(t)) continue;
      name = targets::thread_name(t - 1);
      break;
    }
    return true;
  }

  // Each change on its own, simplest value first.
  template <class Change>
  bool try_setup(Change change) {
    Program simpler = program();
    change(simpler);
    if (simpler == program()) return false;
    Origins origins = origins_of(simpler);
    return still_fails(std::move(simpler), std::move(origins));
  }
  bool setup_simplifies() {
    bool some = false;
    for (uint8_t cpus = 1; cpus < program().cpus; ++cpus)
      if (try_setup([&](Program& p) { lower_cpus(p, cpus); })) {
        some = true;
        break;
      }
    some |= try_setup([](Program& p) { p.fail_allocation = 0; });
    some |= try_setup([](Program& p) { p.plain_points = false; });
    some |= try_setup([](Program& p) { p.slow_callbacks = false; });
    some |= try_setup([](Program& p) { p.misuse = false; });
    some |= try_setup([](Program& p) { p.without = 0; });
    some |= try_setup([](Program& p) { p.leftovers = targets::Leftovers::kThread; });
    some |= try_setup([](Program& p) { p.manager.thread = false; });
    for (size_t r = program().refs.size(); r-- > 0;) some |= ref_simplifies(r);
    for (size_t p = program().pools.size(); p-- > 0;) some |= pool_simplifies(p);
    for (size_t l = program().lists.size(); l-- > 0;) some |= list_simplifies(l);
    for (size_t t = 0; t < program().threads.size(); ++t) {
      for (size_t i = 0; i < program().threads[t].size(); ++i) {
        const auto argument = targets::operation_info(program().threads[t][i].code).argument;
        const bool small = argument == targets::Argument::kSmall;
        if (!small && argument != targets::Argument::kCount && argument != targets::Argument::kRuns)
          continue;
        some |= try_setup([&](Program& p) { p.threads[t][i].argument = small ? 0 : 1; });
      }
    }
    return some;
  }
  static void lower_cpus(Program& p, uint8_t cpus) {
    p.cpus = cpus;
    for (auto& ops : p.threads)
      for (Operation& op : ops)
        if (targets::operation_info(op.code).argument == targets::Argument::kCpu)
          op.argument = std::min<uint64_t>(op.argument, cpus - 1u);
  }
  // What fails under sequential consistency, too, is understood without the rest.
  bool memory_simplifies() {
    if (best_.artifact.memory == targets::Memory::kSequential) return false;
    Artifact candidate = best_.artifact;
    candidate.memory = targets::Memory::kSequential;
    std::erase_if(candidate.schedule, [](const Choice& c) { return !names_thread(c); });
    return fails_by_its_schedule(candidate) ||
           fails_by_a_random_one(candidate, options_.random_schedules);
  }
  bool ref_simplifies(size_t r) {
    if (program().refs.size() > 1 &&
        try_setup([&](Program& p) { erase(p, p.refs, targets::kRef, r); }))
      return true;
    bool some = false;
    for (const uint8_t flag : {targets::kFlagAtomic, targets::kFlagDead, targets::kFlagReinit})
      some |= try_setup([&](Program& p) { p.refs[r].flags &= static_cast<uint8_t>(~flag); });
    some |= try_setup([&](Program& p) { p.refs[r].release = targets::ReleaseAction::kMark; });
    some |= try_setup([&](Program& p) { p.refs[r].ending = targets::Ending::kKill; });
    some |= try_setup([&](Program& p) { p.refs[r].controller = 0; });
    for (size_t t = 0; t < program().threads.size(); ++t) {
      for (uint8_t tokens = 0; tokens < program().refs[r].tokens[t]; ++tokens)
        if (try_setup([&](Program& p) { p.refs[r].tokens[t] = tokens; })) {
          some = true;
          break;
        }
    }
    return some;
  }
  bool pool_simplifies(size_t n) {
    if (program().pools.size() > 1 &&
        try_setup([&](Program& p) { erase(p, p.pools, targets::kPool, n); }))
      return true;
    bool some = try_setup([&](Program& p) {
      p.pools[n].size = targets::kPoolSizes[0];
      p.pools[n].align = targets::kPoolAlignments[0];
    });
    some |= try_setup([&](Program& p) { p.pools[n].ending = targets::PoolEnding::kDestroy; });
    while (program().pools[n].high > program().pools[n].low &&
           try_setup([&](Program& p) { --p.pools[n].high; }))
      some = true;
    while (program().pools[n].low > 0 && try_setup([&](Program& p) { --p.pools[n].low; }))
      some = true;
    return some;
  }
  bool list_simplifies(size_t n) {
    if (program().lists.size() > 1 &&
        try_setup([&](Program& p) { erase(p, p.lists, targets::kList, n); }))
      return true;
    bool some = false;
    while (program().lists[n].elements > 0 && try_setup([&](Program& p) { --p.lists[n].elements; }))
      some = true;
    return some;
  }
  // A ref, pool or list that no operation names any more; `need`: of operations that name such a thing.
  template <class Thing>
  static void erase(Program& p, std::vector<Thing>& things, targets::Need need, size_t gone) {
    const auto names = [&](const Operation& op) {
      return (targets::operation_info(op.code).needs & need) != 0;
    };
    const auto takes = [&](const Operation& op) {
      const auto argument = targets::operation_info(op.code).argument;
      return (need == targets::kRef && argument == targets::Argument::kRefNumber) ||
             (need == targets::kPool && argument == targets::Argument::kPoolNumber);
    };
    for (auto& ops : p.threads)
      for (const Operation& op : ops)
        if ((names(op) && op.ref == gone) || (takes(op) && op.argument == gone)) return;
    things.erase(things.begin() + static_cast<ptrdiff_t>(gone));
    for (auto& ops : p.threads)
      for (Operation& op : ops) {
        if (names(op) && op.ref > gone) --op.ref;
        if (takes(op) && op.argument > gone) --op.argument;
      }
  }

  bool choices_go() {
    must_be_shorter_ = true;
    const bool some =
        sched::shrink([this] { return schedule().size(); },
                      [this](size_t first, size_t count) {
                        if (stop()) return false;
                        Artifact candidate = best_.artifact;
                        auto begin = candidate.schedule.begin() + static_cast<ptrdiff_t>(first);
                        candidate.schedule.erase(begin, begin + static_cast<ptrdiff_t>(count));
                        return fails_by_its_schedule(candidate);
                      });
    must_be_shorter_ = false;
    return some;
  }

  // Another schedule of the same program, with fewer choices.
  bool fewer_choices_are_found() {
    if (schedule().size() < 2) return false;
    must_be_shorter_ = true;
    const bool some = fails_by_a_random_one(best_.artifact, 10 * options_.random_schedules);
    must_be_shorter_ = false;
    return some;
  }

  const targets::Body body_;
  const MinimizeOptions& options_;
  sched::Symbolizer symbolizer_;
  Minimized best_;
  std::vector<uint8_t> bytes_;
  bool stopped_ = false;
  bool must_be_shorter_ = false;  // the schedule, for a candidate to be taken
};

std::string counted(size_t n, const char* one, const char* many) {
  return std::to_string(n) + " " + (n == 1 ? one : many);
}

}  // namespace

Extent extent_of(const Artifact& artifact) {
  Extent extent;
  extent.operations = targets::operation_count(artifact.program);
  extent.threads = artifact.program.threads.size();
  extent.switches = static_cast<size_t>(
      std::count_if(artifact.schedule.begin(), artifact.schedule.end(), names_thread));
  extent.departures = artifact.schedule.size() - extent.switches;
  return extent;
}

std::string describe(const Extent& extent) {
  std::string text = counted(extent.operations, "operation", "operations") + " in " +
                     counted(extent.threads, "thread", "threads") + ", " +
                     counted(extent.switches, "switch", "switches");
  if (extent.departures != 0)
    text += ", " + counted(extent.departures, "choice of memory", "choices of memory");
  return text;
}

std::optional<Minimized> minimize(const Artifact& failing, targets::Body body,
                                  const MinimizeOptions& options) {
  Minimizer minimizer(body, options);
  if (!minimizer.begin(failing)) return std::nullopt;
  return minimizer.run();
}

}  // namespace replay

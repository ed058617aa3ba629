// SPDX-License-Identifier: Apache-2.0
#include "sched/why.h"

#include <algorithm>
#include <iterator>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "sched/history.h"
#include "sched/symbolize.h"
#include "sched/timeline.h"

namespace sched {
namespace {

constexpr unsigned kFailingWanted = 60, kPassingWanted = 120, kMostSamples = 1500;
constexpr unsigned kPassingSearched = 10;  // for what they do that the failing one does not
constexpr unsigned kMeanIntervals[] = {8, 3, 20, 5, 12};
constexpr size_t kMostConditions = 3, kMostReads = 3;
// A condition that tells fewer than one in so many of the passing executions apart says little.
constexpr unsigned kLeastShare = 20;

// A step of an execution, by what stays the same in others: thread, operation, kind, place in the code, and
// how many like it came before.
using Key = std::tuple<std::string, uint32_t, StepKind, uintptr_t, unsigned>;

bool writes(StepKind kind) {
  return kind != StepKind::kLoad && kind != StepKind::kRead && kind != StepKind::kCasFail &&
         kind != StepKind::kReadLock;
}
bool is_access(const Step& step) {
  switch (step.kind) {
    case StepKind::kLoad:
    case StepKind::kStore:
    case StepKind::kRmw:
    case StepKind::kCasFail:
    case StepKind::kRead:  // recorded where they are points of the schedule
    case StepKind::kWrite:
    case StepKind::kLock:
    case StepKind::kReadLock:
    case StepKind::kTryLock:
    case StepKind::kWait:
    case StepKind::kWake:
      return true;
    default:
      return false;
  }
}

// The accesses of an execution: where each is, and whether it overlooked a newer store.
class Accesses {
 public:
  explicit Accesses(const Recording& recording) {
    std::map<Key, unsigned> seen;
    for (size_t i = 0; i < recording.steps.size(); ++i) {
      const Step& step = recording.steps[i];
      if (!is_access(step)) continue;
      Key key{recording.threads[step.thread], step.op, step.kind, step.pc, 0};
      std::get<4>(key) = seen[key]++;
      places_[key] = i;
      keys_[i] = key;
      if (step.age != 0) stale_.insert(key);
    }
  }
  // Whether both are there, in this order.
  bool in_order(const Key& first, const Key& second) const {
    const auto a = places_.find(first), b = places_.find(second);
    return a != places_.end() && b != places_.end() && a->second < b->second;
  }
  bool has(const Key& key) const { return places_.contains(key); }
  bool is_stale(const Key& key) const { return stale_.contains(key); }
  const Key& key_of(size_t step) const { return keys_.at(step); }

 private:
  std::map<Key, size_t> places_;
  std::map<size_t, Key> keys_;
  std::set<Key> stale_;
};

// What may set failing executions apart from others.
struct Candidate {
  enum class Kind : uint8_t {
    kOrder,   // `first` comes before `second`
    kStale,   // `first` overlooks what is newer; `second` is the same
    kNotYet,  // `first` comes before `second`, which the failing execution never gets to
  };
  Kind kind;
  Key first, second;
  Step first_step, second_step;

  bool holds(const Accesses& in) const {
    switch (kind) {
      case Kind::kOrder:
        return in.in_order(first, second);
      case Kind::kStale:
        return in.is_stale(first);
      case Kind::kNotYet:
        return in.has(first) && !in.in_order(second, first);
    }
    return false;
  }
  // All is there, and it is the other way around. What is merely not there may be so for many reasons.
  bool is_reversed(const Accesses& in) const {
    return kind == Kind::kStale ? in.has(first) && !in.is_stale(first) : in.in_order(second, first);
  }
};

// `counts(step)`: whether it is of interest.
template <class Counts>
class Candidates {
 public:
  Candidates(const Recording& failing, const Accesses& own, Counts counts)
      : failing_(failing), own_(own), counts_(counts) {}

  // Neighbours on one object, by different threads, one of which at least changes it.
  void add_own() {
    std::map<uintptr_t, std::vector<size_t>> objects;
    for (size_t i = 0; i < failing_.steps.size(); ++i) {
      const Step& step = failing_.steps[i];
      if (!is_access(step) || step.address == 0 || !counts_(step)) continue;
      auto& before = objects[step.address];
      std::set<uint8_t> met;  // the last access of each other thread
      for (size_t k = before.size(); k-- > 0;) {
        const Step& other = failing_.steps[before[k]];
        if (other.thread == step.thread || !met.insert(other.thread).second) continue;
        if (writes(step.kind) || writes(other.kind)) add(Candidate::Kind::kOrder, before[k], i);
      }
      before.push_back(i);
      if (step.age != 0) add(Candidate::Kind::kStale, i, i);
    }
  }

  // What the failing operation did, before what another thread does to the same object in an execution
  // that passes.
  void add_missing(const Recording& passing, const Accesses& others, const std::string& thread,
                   uint32_t op) {
    for (size_t i = 0; i < failing_.steps.size(); ++i) {
      const Step& step = failing_.steps[i];
      if (failing_.threads[step.thread] != thread || step.op != op) continue;
      if (!is_access(step) || step.address == 0 || !counts_(step)) continue;
      for (size_t k = 0; k < passing.steps.size(); ++k) {
        const Step& other = passing.steps[k];
        if (!is_access(other) || other.address != step.address || !counts_(other)) continue;
        if (passing.threads[other.thread] == thread || own_.has(others.key_of(k))) continue;
        if (!writes(step.kind) && !writes(other.kind)) continue;
        if (known_.emplace(own_.key_of(i), others.key_of(k)).second)
          all_.push_back({Candidate::Kind::kNotYet, own_.key_of(i), others.key_of(k), step, other});
      }
    }
  }
  std::vector<Candidate> take() { return std::move(all_); }

 private:
  void add(Candidate::Kind kind, size_t a, size_t b) {
    all_.push_back({kind, own_.key_of(a), own_.key_of(b), failing_.steps[a], failing_.steps[b]});
  }
  const Recording& failing_;
  const Accesses& own_;
  Counts counts_;
  std::set<std::pair<Key, Key>> known_;
  std::vector<Candidate> all_;
};

class Investigation {
 public:
  explicit Investigation(const FailingSchedule& asked) : asked_(asked) {}

  Why run() {
    Options options = asked_.options;
    options.choices = &asked_.schedule;
    options.explain = true;
    options.record_plain = options.plain_points;
    Result found = asked_.execute(options);
    if (found.verdict != Verdict::kFailed) return why_;
    failure_ = std::move(found.failure);
    recording_ = std::move(found.recording);
    std::set<uintptr_t> pcs;
    for (const Step& step : recording_.steps) pcs.insert(step.pc);
    symbolizer_.load(std::vector<uintptr_t>(pcs.begin(), pcs.end()));
    why_.memory = memory_needed(recording_);
    find_certainty();
    find_conditions();
    tell_last_reads();
    why_.words = in_words();
    return std::move(why_);
  }

 private:
  bool is_it(const Result& result) const {
    return result.verdict == Verdict::kFailed && result.failure.kind == failure_.kind &&
           result.failure.guarantee == failure_.guarantee;
  }

  // The first `kept` choices, then at random.
  Result go_on_after(size_t kept, unsigned seed, bool record) {
    const std::vector<Choice> prefix(asked_.schedule.begin(),
                                     asked_.schedule.begin() + static_cast<ptrdiff_t>(kept));
    Options options = asked_.options;
    options.choices = &prefix;
    options.go_on = true;
    options.seed = seed + 1;
    options.mean_interval = kMeanIntervals[seed % std::size(kMeanIntervals)];
    options.record_always = record;
    options.record_plain = options.plain_points;
    return asked_.execute(options);
  }
  unsigned failures_after(size_t kept) {
    unsigned n = 0;
    for (unsigned seed = 0; seed < kContinuations; ++seed)
      n += is_it(go_on_after(kept, seed, false));
    return n;
  }

  void find_certainty() {
    const size_t all = asked_.schedule.size();
    size_t kept = all + 1;
    unsigned with = 0, without = failures_after(all);
    while (without == kContinuations && kept > 0) {
      --kept;
      with = without;
      without = kept == 0 ? 0 : failures_after(kept - 1);
    }
    why_.certain_after = kept;
    why_.fail_with = with;
    why_.fail_without = without;
    if (kept == 0 || kept > all) return;
    why_.certain_choice = choice_in_words(asked_.schedule[kept - 1]);
    // Of the choices given, those that could be made were; all of them, where their number says so.
    if (recording_.choice_steps.size() == all)
      why_.certain_step = recording_.choice_steps[kept - 1];
  }

  void find_conditions() {
    const Accesses own(recording_);
    Candidates found(recording_, own, [this](const Step& step) { return !is_of_harness(step); });
    found.add_own();
    std::vector<Accesses> failing, passing;
    const size_t prefixes = asked_.schedule.size() + 1;
    for (unsigned i = 0; i < kMostSamples; ++i) {
      if (failing.size() == kFailingWanted && passing.size() == kPassingWanted) break;
      const Result r = go_on_after(prefixes - 1 - i % prefixes, i, true);
      if (is_it(r) && failing.size() < kFailingWanted) failing.emplace_back(r.recording);
      if (r.verdict != Verdict::kClean || passing.size() == kPassingWanted) continue;
      passing.emplace_back(r.recording);
      if (passing.size() <= kPassingSearched)
        found.add_missing(r.recording, passing.back(), failure_.thread, failure_.op);
    }
    why_.failing = static_cast<unsigned>(failing.size());
    why_.passing = static_cast<unsigned>(passing.size());
    std::vector<Candidate> candidates = found.take();
    std::erase_if(candidates, [&](const Candidate& c) {
      return !std::all_of(failing.begin(), failing.end(),
                          [&](const Accesses& a) { return c.holds(a); });
    });
    choose_conditions(candidates, passing);
  }

  // Greedily those that tell most of the passing executions that are left from failing ones.
  void choose_conditions(const std::vector<Candidate>& candidates,
                         const std::vector<Accesses>& passing) {
    std::vector<const Accesses*> left;
    for (const Accesses& a : passing) left.push_back(&a);
    while (!left.empty() && why_.conditions.size() < kMostConditions) {
      const Candidate* best = nullptr;
      size_t most = passing.size() / kLeastShare;
      for (const Candidate& c : candidates) {
        const auto reversed = static_cast<size_t>(std::count_if(
            left.begin(), left.end(), [&](const Accesses* a) { return c.is_reversed(*a); }));
        if (reversed <= most) continue;
        best = &c;
        most = reversed;
      }
      if (best == nullptr) break;
      const auto having = static_cast<unsigned>(std::count_if(
          passing.begin(), passing.end(), [&](const Accesses& a) { return best->holds(a); }));
      why_.conditions.push_back({in_words(*best), why_.failing, having});
      std::erase_if(left, [&](const Accesses* a) { return !best->holds(*a); });
    }
  }

  // --- Words

  bool is_of_harness(const Step& step) {
    if (asked_.harness.empty()) return false;
    const auto& frames = symbolizer_.frames(step.pc);
    const auto own = std::find_if(frames.begin(), frames.end(),
                                  [](const Frame& frame) { return !is_uninteresting(frame); });
    return own != frames.end() && own->file.starts_with(asked_.harness);
  }
  const std::string& thread_of(const Step& step) const { return recording_.threads[step.thread]; }
  std::string operation_of(const std::string& thread, uint32_t op) const {
    return asked_.operation ? asked_.operation(thread, op) : "";
  }
  // " (kill ref0, ref_modes.cc:188)"
  std::string where(const std::string& thread, const Step& step) {
    std::string text = operation_of(thread, step.op);
    const std::string location = symbolizer_.location(step.pc);
    if (!text.empty() && !location.empty()) text += ", ";
    text += location;
    return text.empty() ? "" : " (" + text + ")";
  }
  static const char* verb_of(StepKind kind) {
    switch (kind) {
      case StepKind::kLoad:
      case StepKind::kCasFail:
      case StepKind::kRead:
        return "reads";
      case StepKind::kStore:
      case StepKind::kWrite:
        return "writes";
      case StepKind::kRmw:
        return "changes";
      case StepKind::kLock:
      case StepKind::kReadLock:
        return "locks";
      case StepKind::kTryLock:
        return "tries to lock";
      case StepKind::kWait:
        return "waits on";
      default:
        return "wakes";
    }
  }
  std::string in_words(const std::string& thread, const Step& step) {
    return thread + " " + verb_of(step.kind) + " " + step.text + where(thread, step);
  }
  std::string in_words(const Candidate& c) {
    const std::string &thread = std::get<0>(c.first), &other = std::get<0>(c.second);
    if (c.kind != Candidate::Kind::kStale)
      return in_words(thread, c.first_step) + " before " + in_words(other, c.second_step);
    const std::string object = c.first_step.text + where(thread, c.first_step);
    return c.first_step.kind == StepKind::kStore
               ? thread + "'s store to " + object + " comes before newer ones"
               : thread + " gets an old value of " + object;
  }
  std::string choice_in_words(const Choice& choice) const {
    const std::string title = operation_of(choice.thread, choice.op);
    const std::string in = choice.thread + (title.empty() ? "" : ", in " + title + ",");
    if (!choice.to.empty() && choice.to[0] == '-') return in + " takes an older store or block";
    return in + " gives way to " + choice.to;
  }

  void tell_last_reads() {
    const History history = history_of(recording_);
    std::set<uintptr_t> told;
    for (size_t i = recording_.steps.size(); i-- > 0 && why_.last_reads.size() < kMostReads;) {
      const Step& step = recording_.steps[i];
      const bool reads = step.kind == StepKind::kLoad || step.kind == StepKind::kRmw ||
                         step.kind == StepKind::kCasFail;
      if (!reads || thread_of(step) != failure_.thread || step.op != failure_.op) continue;
      if (is_of_harness(step) || !told.insert(step.address).second) continue;
      const uint64_t value = step.kind == StepKind::kLoad ? step.value : step.before;
      std::string text = thread_of(step) + " read " + step.text + " = " +
                         describe_value(value, step.size) + where(thread_of(step), step);
      const size_t writer = history.steps[i].read_from;
      if (writer != kNowhere) {
        const Step& w = recording_.steps[writer];
        text += ", as " + thread_of(w) + " wrote it" + where(thread_of(w), w);
      }
      if (step.age != 0)
        text += ": stale, " + std::to_string(step.age) +
                (step.age == 1 ? " store is" : " stores are") + " newer";
      why_.last_reads.push_back(std::move(text));
    }
  }

  std::string in_words() const {
    std::string what = operation_of(failure_.thread, failure_.op);
    what = what.empty() ? failure_.thread : failure_.thread + ", in " + what;
    std::string text = what + ": " + failure_.message + ". ";
    const size_t all = asked_.schedule.size();
    const std::string of = " of " + std::to_string(kContinuations);
    if (why_.certain_after == 0 || (all == 0 && why_.certain_after <= all)) {
      text += "It fails whatever the schedule is: in " + std::to_string(why_.fail_with) + of +
              " random ones. ";
    } else if (why_.certain_after > all && all == 0) {
      text += "It fails when nobody is preempted; of random schedules " +
              std::to_string(why_.fail_without) + of + " fail. ";
    } else if (why_.certain_after > all) {
      text += "It needs all of its schedule, and nobody to come between after that: " +
              std::to_string(why_.fail_without) + of + " continuations fail. ";
    } else {
      text += "Once " + why_.certain_choice +
              ", nothing can save it: " + std::to_string(why_.fail_with) + of +
              " continuations fail, " + std::to_string(why_.fail_without) +
              " without that choice. ";
    }
    for (size_t i = 0; i < why_.conditions.size(); ++i) {
      text += i == 0 ? "It takes that " : "; and that ";
      text += why_.conditions[i].text;
    }
    if (!why_.conditions.empty()) text += ". ";
    return text + memory_in_words();
  }
  const char* memory_in_words() const {
    const bool race = failure_.kind == FailureKind::kDataRace;
    switch (why_.memory) {
      case MemoryNeeded::kSequential:
        return race ? "No weak memory is needed for two threads to meet there: what keeps them "
                      "apart "
                      "is missing, or has too weak an order."
                    : "No weak memory is needed: an interleaving does it, on any machine.";
      case MemoryNeeded::kX86:
        return "An interleaving alone does not do it, but x86 does: a store waits in its buffer "
               "while "
               "later loads of its thread go ahead.";
      case MemoryNeeded::kWeaker:
        return "x86 never does it: it takes a weaker machine (Arm, POWER), or a compiler that "
               "reorders.";
    }
    return "";
  }

  const FailingSchedule& asked_;
  Failure failure_;
  Recording recording_;
  Symbolizer symbolizer_;
  Why why_;
};

// Lines of at most so many characters, where there are blanks to break at.
std::string wrapped(const std::string& text, const std::string& first, const std::string& indent) {
  constexpr size_t kWidth = 100;
  std::string out = first;
  size_t column = indent.size();
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find(' ', at), text.size());
    if (column + end - at > kWidth && column > indent.size()) {
      out += "\n" + indent;
      column = indent.size();
    } else if (column > indent.size()) {
      out += " ";
      ++column;
    }
    out.append(text, at, end - at);
    column += end - at;
    at = end + 1;
  }
  return out + "\n";
}

}  // namespace

Why explain_why(const FailingSchedule& failing) {
  return Investigation(failing).run();
}

Inflection inflection_of(const Why& why) {
  if (why.words.empty()) return {};
  if (why.certain_step == 0)
    return {0, "there is no inflection point before the failure: " +
                   std::string(why.certain_after == 0 ? "it fails whatever the schedule is"
                                                      : "it takes all of its schedule")};
  return {why.certain_step, "this is the inflection point: " + why.certain_choice +
                                "; from here on " + std::to_string(why.fail_with) + " of " +
                                std::to_string(kContinuations) + " continuations fail, " +
                                std::to_string(why.fail_without) +
                                " without that choice. To go to the failure: continue"};
}

std::string print_why(const Why& why) {
  std::string text = "why:\n" + wrapped(why.words, "  ", "  ");
  for (const Condition& c : why.conditions)
    text += wrapped(c.text + ": in all " + std::to_string(c.failing) +
                        " failing executions looked at, in " + std::to_string(c.passing) + " of " +
                        std::to_string(why.passing) + " others",
                    "  - ", "    ");
  for (const std::string& read : why.last_reads) text += wrapped(read, "  - ", "    ");
  return text;
}

}  // namespace sched

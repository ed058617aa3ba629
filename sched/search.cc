// SPDX-License-Identifier: Apache-2.0
#include "sched/search.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>
#include <utility>

#include "sched/report.h"

namespace sched {
namespace {

uint64_t mix(uint64_t z) {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return z ^ z >> 31;
}

// Guarantees are what fail() names; the engine's own verdicts are known by their kind.
Failure told(Failure failure) {
  if (failure.kind != FailureKind::kOracle) failure.guarantee.clear();
  return failure;
}

Result run_explained(const Body& body, Options options) {
  options.explain = true;
  Result result = run(body, options);
  result.failure = told(std::move(result.failure));
  return result;
}

void tell_and_abort(const Failure& engines, const Recording& recording, void*) {
  const Failure failure = told(engines);
  std::fprintf(stderr, "\n%s\n%s", print_failure_report(failure, recording, {}).c_str(),
               summary_line(failure).c_str());
  std::fflush(stderr);
  std::abort();
}

}  // namespace

Options schedule_of_search(const Options& base, uint64_t n, Profile* profile) {
  Options o = base;
  if (n == 0) {
    o.seed = 0;
    o.strategy = Strategy::kRandom;
    o.mean_interval = 0;
    o.learn = profile;
  } else {
    o.seed = mix(base.seed + n * 0x9E3779B97F4A7C15u) | 1;
    o.profile = profile;
    mix_strategies(static_cast<uint32_t>(n), &o);
  }
  return o;
}

SearchResult search(const Body& body, const Options& base, uint64_t executions) {
  SearchResult found;
  Profile profile;
  while (found.executions < executions && !found.failed()) {
    found.options = schedule_of_search(base, found.executions++, &profile);
    found.result = run_explained(body, found.options);
    found.points += found.result.steps;
    found.cut_off += found.result.verdict == Verdict::kCutOff;
  }
  found.options.profile = nullptr;
  found.options.learn = nullptr;
  return found;
}

std::string describe(const SearchResult& found) {
  if (!found.failed()) return "";
  const Result& r = found.result;
  std::string text = print_failure_report(r.failure, r.recording, {}) + "\nafter " +
                     std::to_string(found.executions) + " executions, by these choices:\n";
  for (const Choice& c : r.recording.choices) text += "  " + print_choice(c) + "\n";
  return text;
}

Result replay(const Body& body, const std::vector<Choice>& choices, const Options& base) {
  Options o = base;
  o.choices = &choices;
  return run_explained(body, o);
}

std::string print_choice(const Choice& c) {
  return c.thread + " op " + std::to_string(c.op) + " point " + std::to_string(c.point) + " -> " +
         c.to;
}

bool parse_choice(const std::string& text, Choice* c) {
  std::istringstream in(text);
  std::string op, point, arrow, more;
  return in >> c->thread >> op >> c->op >> point >> c->point >> arrow >> c->to && op == "op" &&
         point == "point" && arrow == "->" && !(in >> more);
}

void run_or_abort(const Body& body, const Options& options) {
  Options o = options;
  o.explain = true;
  o.on_failure = tell_and_abort;
  run(body, o);
}

}  // namespace sched

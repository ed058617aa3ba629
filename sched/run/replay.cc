// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "sched/debug/launch_debugger.h"
#include "sched/debug/rr.h"
#include "sched/long_search.h"
#include "sched/page.h"
#include "sched/report.h"
#include "sched/run/artifact.h"
#include "sched/run/explain.h"
#include "sched/run/minimize.h"
#include "sched/run/process.h"
#include "sched/run/search.h"
#include "sched/run/words.h"
#include "sched/why.h"

namespace sched::program {
namespace {

// A continuation that takes so many times the points of the failing execution is not waited for.
constexpr uint64_t kPointsPerPoint = 10;

// How a repeated run ended, in a word that is equal for equal ends.
std::string ending(const Result& r) {
  return format("%s, trace 0x%llx", failure_kind_name(r.failure.kind),
                static_cast<unsigned long long>(r.trace_hash));
}

std::string compare(const Options& options, const Result& first, unsigned times) {
  unsigned same = 0;
  for (unsigned i = 0; i < times; ++i) same += ending(execute(options, true)) == ending(first);
  return format("%u of %u the same: %s\n", same, times, ending(first).c_str());
}

std::string page(const ReplaySettings& settings, const Result& result) {
  PageOptions options;
  options.title = "program " + settings.name;
  options.replay = "./lastput replay " + settings.file;
  return print_page(result.failure, result.recording, options);
}

Steps steps_of(const ReplaySettings& settings) {
  if (settings.timeline) return Steps::kMatters;
  return settings.all_steps ? Steps::kAll : Steps::kLast;
}

// What runs the artifact, and nothing else.
Options options_of(const Artifact& a, Profile* profile) {
  Options options = a.options;
  options.leaks = false;
  if (a.has_schedule) {
    options.choices = &a.schedule;
  } else if (options.strategy != Strategy::kRandom) {
    learn(options, profile);
    options.profile = profile;
  }
  return options;
}

// Without words where there is no schedule to vary, or where an execution that fails has no end.
Why why_of(const Options& options, const Result& failed) {
  const FailureKind kind = failed.failure.kind;
  if (options.choices == nullptr || takes_long(kind) || kind == FailureKind::kLimit) return {};
  FailingSchedule question;
  question.execute = [](const Options& o) { return execute(o, true); };
  question.options = options;
  question.options.choices = nullptr;
  question.options.fair_budget = 0;  // an execution that goes on and on passes
  question.options.step_budget =
      std::min(options.step_budget, kPointsPerPoint * (failed.steps + 100));
  question.schedule = failed.recording.choices;
  return explain_why(question);
}

std::vector<std::string> arguments_of(const ReplaySettings& settings) {
  std::vector<std::string> arguments = settings.again;
  arguments.insert(arguments.begin(), "--replay=" + settings.file);
  return arguments;
}
// Returns only if it cannot: gdb takes the place of this process.
int debug(const ReplaySettings& settings, const Why& why) {
  const Inflection inflection = inflection_of(why);
  const DebugRequest request = {arguments_of(settings), {}, inflection.step, inflection.words};
  std::string error;
  become_gdb(request, &error);
  say("lastput: " + error + "\n");
  return kMissing;
}
int record(const ReplaySettings& settings) {
  std::string command, error;
  if (record_by_rr(arguments_of(settings), settings.rr, &command, &error) < 0) {
    say("lastput: " + error + "\n");
    return kMissing;
  }
  say("recorded: " + command + "\n" + (error.empty() ? "" : "note: " + error + "\n"));
  return kFound;
}

// Whether this is what the artifact tells of.
std::string compare_with_then(const Artifact& a, const Result& result) {
  if (a.hash == 0) return "";
  if (a.hash == result.trace_hash) return "the trace is the one that was found\n";
  const std::string kind = failure_kind_name(result.failure.kind);
  if (!a.found.empty() && a.found != kind)
    return "it fails in another way than then: then " + a.found + ", now " + kind + "\n";
  return "it fails by another trace than the one that was found: the program has changed since, or "
         "the compiler\n";
}

int tell_failure(const ReplaySettings& settings, const Artifact& a, const Options& options,
                 const Result& result) {
  say("\n" + report(result, steps_of(settings), settings.color) + "\n");
  if (settings.for_debugger) {
    say(summary_line(result.failure));
    return kFound;
  }
  if (result.failure.kind == FailureKind::kLimit) {
    say(kNotControlled);
    return kBroken;
  }
  if (const std::string words = compare_with_then(a, result); !words.empty()) say(words + "\n");
  if (const Why why = settings.why ? why_of(options, result) : Why{}; !why.words.empty())
    say(print_why(why) + "\n");
  if (settings.times > 1) say(compare(options, result, settings.times));
  if (!settings.page.empty()) {
    if (!write_file(settings.page, page(settings, result))) {
      say("lastput: cannot write " + settings.page + ": " + strerror(errno) + "\n");
      return kBroken;
    }
    say("written: " + settings.page + "\n");
  }
  say("replay: ./lastput replay " + settings.file + "\n" + summary_line(result.failure));
  return kFound;
}

}  // namespace

int replay(const ReplaySettings& given) {
  ReplaySettings settings = given;
  prepare(!settings.for_debugger);
  std::ifstream in(settings.file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  Artifact a;
  std::string error;
  if (!in || !parse(text.str(), &a, &error)) {
    say("lastput: " + settings.file + ": " + (error.empty() ? "cannot be read" : error) + "\n");
    return kUnreadable;
  }
  if (settings.minimize) {
    a.options.leaks = false;
    if (!minimize(settings.file, settings.seconds, &a, &error)) {
      say("lastput: " + error + "\n");
      return kUnreadable;
    }
    settings.file = minimized_path(settings.file);
  }
  Profile profile;
  const Options options = options_of(a, &profile);
  Options shown = options;
  shown.record_always = shown.record_plain = a.has_schedule;
  shown.os_threads = settings.for_debugger;
  const bool handed_on = settings.debug || !settings.rr.empty();
  if (!handed_on)
    say("lastput: program " + settings.name + ", replay of " + settings.file +
        "\nwhat it prints:\n");
  const Result result = execute(shown, handed_on);
  if (result.verdict != Verdict::kFailed) {
    say("does not fail\n");
    if (!a.found.empty())
      say("hint: it failed once (" + a.found +
          "): the program has changed since, or the compiler\n");
    return kClean;
  }
  const Why why = settings.debug ? why_of(options, result) : Why{};
  if (handed_on) process_hand_over();
  if (settings.debug) return debug(settings, why);
  if (!settings.rr.empty()) return record(settings);
  return tell_failure(settings, a, options, result);
}

}  // namespace sched::program

// SPDX-License-Identifier: Apache-2.0
#include <cerrno>
#include <cstring>
#include <fstream>
#include <sstream>

#include "sched/launch_debugger.h"
#include "sched/page.h"
#include "sched/report.h"
#include "sched/run/artifact.h"
#include "sched/run/explain.h"
#include "sched/run/search.h"
#include "sched/run/words.h"

namespace sched::program {
namespace {

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

}  // namespace

int replay(const ReplaySettings& settings) {
  prepare();
  std::ifstream in(settings.file, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  Artifact a;
  std::string error;
  if (!in || !parse(text.str(), &a, &error)) {
    say("lastput: " + settings.file + ": " + (error.empty() ? "cannot be read" : error) + "\n");
    return kUnreadable;
  }
  a.options.leaks = false;
  Options options = a.options;
  Profile profile;
  if (!a.has_schedule && options.strategy != Strategy::kRandom) {
    learn(options, &profile);
    options.profile = &profile;
  }
  if (a.has_schedule) {
    options.choices = &a.schedule;
    options.record_always = options.record_plain = true;
  }
  options.os_threads = settings.for_debugger;
  if (!settings.debug.empty()) {
    become_gdb({settings.debug, {}, 0}, &error);
    say("lastput: " + error + "\n");
    return kMissing;
  }
  say("lastput: program " + settings.name + ", replay of " + settings.file + "\nwhat it prints:\n");
  const Result result = execute(options, false);
  options.record_always = options.record_plain = false;
  if (result.verdict != Verdict::kFailed) {
    say("does not fail\n");
    return kClean;
  }
  say("\n" + report(result, steps_of(settings), settings.color) + "\n");
  if (result.failure.kind == FailureKind::kLimit) {
    say(kNotControlled);
    return kBroken;
  }
  if (settings.times > 1) say(compare(options, result, settings.times));
  if (!settings.page.empty()) {
    if (!write_file(settings.page, page(settings, result))) {
      say("lastput: cannot write " + settings.page + ": " + strerror(errno) + "\n");
      return kBroken;
    }
    say("written: " + settings.page + "\n");
  }
  say(summary_line(result.failure));
  return kFound;
}

}  // namespace sched::program

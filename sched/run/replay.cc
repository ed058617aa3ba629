// SPDX-License-Identifier: Apache-2.0
#include <fstream>
#include <sstream>

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
  say("lastput: program " + settings.name + ", replay of " + settings.file + "\nwhat it prints:\n");
  const Result result = execute(options, false);
  options.record_always = options.record_plain = false;
  if (result.verdict != Verdict::kFailed) {
    say("does not fail\n");
    return kClean;
  }
  say("\n" + report(result, settings.all_steps, settings.color) + "\n");
  if (settings.times > 1) say(compare(options, result, settings.times));
  say(summary_line(result.failure));
  return kFound;
}

}  // namespace sched::program

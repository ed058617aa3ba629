// SPDX-License-Identifier: Apache-2.0
// Known bugs: the header of a patch, and what hunting it with the fuzzer brought.
#ifndef LASTPUT_BUGS_KNOWN_BUG_H_
#define LASTPUT_BUGS_KNOWN_BUG_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace bugs {

// From the lines before the diff: "Bug: NAME", "What: ...", "Breaks: G2 G1", "Class: ...", and
// optionally "Target: NAME" of the fuzzer that must find it, "Within: N" executions.
struct KnownBug {
  std::string name;
  std::string what;
  std::vector<std::string>
      breaks;  // any of these guarantees counts as found; others are passed over
  std::string klass;
  std::string target = "percpu_ref";
  uint64_t within = 0;  // executions that the median of kWithinSeeds hunts may take; 0: any number
};
inline constexpr unsigned kWithinSeeds = 25;
// True and *bug, or false and *error: a sentence. `file_name` without folder and extension must be
// the bug's name.
bool parse_header(const std::string& patch, const std::string& file_name, KnownBug* bug,
                  std::string* error);

// Replays of one artifact: how many of them failed, in the same way and with the same trace.
struct Replays {
  std::string artifact;
  unsigned same = 0;
  unsigned times = 0;
  bool good() const { return times != 0 && same == times; }
};

// What was left when the failure's artifact had been made small.
struct Minimal {
  unsigned operations = 0, switches = 0, departures = 0;
  double seconds = 0;
  bool complete = false;
  std::string why;  // one paragraph; empty: replay could not say
};

struct Hunt {
  KnownBug bug;
  std::string problem;    // the fuzzer could not run or left no report; empty: it did
  std::string guarantee;  // that broke; empty: none
  std::string detector;   // what noticed: "oracle", "data-race", ...
  std::string
      strategy;  // that chose the failing schedule: "random", "pct", ..., "preemptions" of the input
  uint64_t executions = 0;
  double seconds = 0;
  std::vector<Replays> replays;
  std::optional<Minimal> minimal;
  // Of the test that replay wrote of it: "" where it was not tried, kGoodTest, or what is wrong with it.
  std::string emitted;
  static constexpr const char* kGoodTest = "good";
  // Hunts with other seeds; one that found nothing has kNotFound executions.
  struct Again {
    uint64_t executions;
    double seconds;
  };
  std::vector<Again> again;
  static constexpr uint64_t kNotFound = UINT64_MAX;
  // What peers brought, by the peer's name: executions, or seconds, until they found it.
  std::vector<std::pair<std::string, std::string>> peers;

  bool found() const;             // one of bug.breaks
  bool replayed() const;          // something was replayed, and all were the same
  uint64_t median() const;        // of the executions of all hunts
  double median_seconds() const;  // of all hunts
  bool soon_enough() const;       // as bug.within says, of kWithinSeeds hunts or more
  bool minimized() const { return minimal && minimal->complete; }
  bool explained() const { return minimal && !minimal->why.empty(); }
  bool good_test() const { return emitted.empty() || emitted == kGoodTest; }
  bool good() const {
    return problem.empty() && found() && replayed() && minimized() && explained() && good_test() &&
           soon_enough();
  }
};

// The report that a fuzzer writes to $LASTPUT_REPORT; sets what it says in *hunt, and the
// artifacts. False: not a report.
bool parse_report(const std::string& json, Hunt* hunt);
// The report that the replay tool writes to $LASTPUT_REPORT; *kind: what noticed the failure. *minimal is
// set where it was asked to minimize.
bool parse_replay_report(const std::string& json, Replays* replays, std::string* kind,
                         std::optional<Minimal>* minimal);

// What is kept of a bug in corpus/regressions: NAME.lastput, its smallest failure, and NAME.md, what that is.
// REQUIRES: hunt.good().
std::string regression_name(const Hunt& hunt);  // "G4_stale_confirm"
std::string regression_page(const Hunt& hunt);
// The bug and the guarantee that a kept file's name says; false: it is none.
bool parse_regression_name(const std::string& stem, std::string* guarantee, std::string* bug);

std::string table(const std::vector<Hunt>& hunts);
std::string to_json(const std::vector<Hunt>& hunts);

}  // namespace bugs

#endif  // LASTPUT_BUGS_KNOWN_BUG_H_

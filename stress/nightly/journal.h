// SPDX-License-Identifier: Apache-2.0
// The folder of a night, from which its report can be made at any time, also after kill -9:
//
//   night.json    what was planned, and on what machine; written once, before the first round
//   rounds.jsonl  one line of JSON for each round that has ended, appended and flushed to the disk
//   N.log         what round N says: while it runs, and for good unless it was clean
//   ended.txt     why the night ended before its rounds did; else it is not there
//   coverage.txt  what ./lastput coverage said at its end, where probes were asked for
//   N.json        what the soak of round N has done (stress/result.h), until it is in rounds.jsonl
#ifndef LASTPUT_STRESS_NIGHTLY_JOURNAL_H_
#define LASTPUT_STRESS_NIGHTLY_JOURNAL_H_

#include <cstdint>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <string>

#include "stress/nightly/plan.h"

namespace nightly {

using Json = nlohmann::ordered_json;

// Something on the disk is not as it should be: what, and what to do.
struct DiskError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// `facts`: what the report says of the machine, in words.
Json night_json(const Wishes& wishes, const Plan& plan, int64_t began, const Json& facts);

// How a round ended. Times in seconds.
struct Ending {
  int code = 0;       // exit code of its command; -1: not known, it was cut off
  int64_t began = 0;  // since 1970
  double took = 0;
  int64_t inputs_before = -1, inputs_after = -1;  // of a fuzz target's corpus; -1: not known
  std::string log;                                // what it said
  std::string json;                               // N.json; "": there is none
};
// One line of rounds.jsonl: number, cell, command, began, took, code, result (clean, failure, skipped, broken, stopped,
// "cut off"), why; and as far as there is: failure (failure.h), stress (stress/result.h), fuzz.
Json record_of(const Json& planned, const Ending& ending);

// The last line by which a command said how it ended: why a round could not run.
std::string last_words(const std::string& log);

// --- Files; all throw DiskError ------------------------------------------------------------------------------

// Bytes of a file, at most so many from its end. "": it is not there.
std::string file_text(const std::string& path, size_t most = size_t{8} << 20);
// Written beside, flushed, then renamed.
void write_whole(const std::string& path, const std::string& text);
// One line, all of it or nothing, on the disk when it returns.
void append_line(const std::string& path, const std::string& line);
// A string of JSON in one line, whatever bytes it is made of.
std::string one_line(const Json& json);

struct Night {
  Json facts;                   // night.json
  std::vector<Json> rounds;     // what has ended, and what was cut off
  std::string ended, coverage;  // the files of these names; "": they are not there
};
Night read_night(const std::string& folder);
// The record of round `number`, appended; its files go if it was clean. Returns it.
Json note_round(const std::string& folder, unsigned number, Ending ending);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_JOURNAL_H_

// SPDX-License-Identifier: Apache-2.0
// Records this very program under rr, and tells whether the recording replays.
//
// Two are known: stock rr, which counts retired conditional branches in hardware, and rr.soft, which counts in software and takes
// -W. Their exit codes alone do not tell what went wrong, so what they leave is looked at.
#ifndef LASTPUT_SCHED_DEBUG_RR_H_
#define LASTPUT_SCHED_DEBUG_RR_H_

#include <optional>
#include <string>
#include <vector>

namespace sched {

struct RrRecording {
  std::vector<std::string> arguments;  // of this program
  std::string trace;                   // a folder that is not there yet
  std::string log;                     // where the program's words go; empty: to our output
  bool chaos = false;                  // rr chooses priorities and time slices at random
};

class Rr {
 public:
  // What records on this machine, seen by recording something.
  // ERRORS: nothing, and *error says what is missing and what to do.
  static std::optional<Rr> find(std::string* error);

  // Records, and waits for the end; end_child() ends it early, and the trace is whole. Returns the program's exit code, or 128 and the signal.
  // ERRORS: -1, and *error says why there is no whole trace.
  int record(const RrRecording& recording, std::string* error) const;

  // Puts all files that the trace needs into it, so that it can be taken elsewhere, and outlives a build; and notes in it how it is
  // replayed (kHowFile). ERRORS: false; it needs this machine's files as they are.
  bool pack(const std::string& trace) const;

  // Whether a replay says, word for word, what `log` says that the program said, in `seconds` at most.
  // ERRORS: false, and *error tells the first line that differs.
  bool replays(const std::string& trace, const std::string& log, unsigned seconds,
               std::string* error) const;

  // How to go through it, for a person.
  std::string command(const std::string& trace) const;

  static constexpr const char* kHowFile =
      "how-to-replay";  // in a trace: one line, such as "rr replay -W"

 private:
  explicit Rr(std::vector<std::string> flags) : flags_(std::move(flags)) {}
  std::vector<std::string> flags_;  // of record and replay
};

// All of it: records the program to `trace`, packs that, and *command is how to go through it; *error may hold a note that it could not be
// packed. Returns the program's exit code. ERRORS: -1, and *error says what is missing and what to do.
int record_by_rr(const std::vector<std::string>& arguments, const std::string& trace,
                 std::string* command, std::string* error);

}  // namespace sched

#endif  // LASTPUT_SCHED_DEBUG_RR_H_

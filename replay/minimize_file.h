// SPDX-License-Identifier: Apache-2.0
// `replay --minimize FILE`: shows the search, keeps the best so far in a file.
#ifndef LASTPUT_REPLAY_MINIMIZE_FILE_H_
#define LASTPUT_REPLAY_MINIMIZE_FILE_H_

#include <string>

#include "replay/minimize.h"

namespace replay {

// Minimizes, `body` running the programs, for `seconds` at most, or until SIGINT or SIGTERM, and writes the smallest artifact so far to
// sched::minimized_path(path), whole or not at all, at each improvement (but not more often than ten times a
// second, and at the end). Progress goes to stdout: one line that is overwritten in a terminal.
// ERRORS: nothing, and *error says what: it does not fail, or the file cannot be written (then the artifact
// is in *error too, so that it is not lost).
std::optional<Minimized> minimize_file(const std::string& path, const targets::Artifact& failing,
                                       targets::Body body, const targets::Abilities& abilities,
                                       double seconds, std::string* error);

}  // namespace replay

#endif  // LASTPUT_REPLAY_MINIMIZE_FILE_H_

// SPDX-License-Identifier: Apache-2.0
// What a round's words say of how it failed, and when two failures are one.
#ifndef LASTPUT_STRESS_NIGHTLY_FAILURE_H_
#define LASTPUT_STRESS_NIGHTLY_FAILURE_H_

#include <string>
#include <vector>

namespace nightly {

struct Failure {
  std::string guarantee;              // "G2", or what noticed it where no guarantee is named
  std::string about;                  // "release while held"
  std::string summary;                // the line of the log
  std::string message;                // one sentence; "" where none was told
  std::vector<std::string> stack;     // functions of ours, innermost first
  std::vector<std::string> commands;  // that go on, beside the round's own: "./lastput replay ..."
  std::string artifact;               // what was left; "": nothing, or the commands name it
  // Failures with equal keys are one. Guarantee and functions, each by its file and its name: no addresses, which differ in every
  // process; no lines, which a change elsewhere in the file moves; no class, which not every compiler tells. Of a stack that ends in core, the
  // functions of core, up to three: whatever scenario called them; else the two innermost. Of a race, the innermost of both threads,
  // in either order. Where no frame is ours, the sentence, without its numbers.
  std::string key;
};

// Whether the words are those of a failure.
bool tells_failure(const std::string& log);
// REQUIRES: tells_failure(log), or the round is known to have failed.
Failure failure_in(const std::string& log);

// "percpu::Ref::put" of "void percpu::linux_rseq::Ref::put<1>(unsigned long) [clone .isra.0]".
std::string plain_function(std::string name);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_FAILURE_H_

// SPDX-License-Identifier: Apache-2.0
// Program counters as functions and source lines.
//
// Asks llvm-symbolizer or addr2line, as a child process, where there is one; without (a fuzzing
// service allows no children) it takes what the dynamic linker knows: exported names, else module
// and offset. $LASTPUT_SYMBOLIZER names another program; empty, it forbids children. Not
// async-signal-safe. REQUIRES: the engine is inactive (outside an execution, or in on_failure).
#ifndef LASTPUT_SCHED_SYMBOLIZE_H_
#define LASTPUT_SCHED_SYMBOLIZE_H_

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "sched/sched.h"

namespace sched {

struct Frame {
  std::string function;  // demangled, without its parameters; empty: unknown
  std::string file;      // relative to the source tree where it lies in it; empty: unknown
  unsigned line = 0;
  std::string module;  // "percpu_ref_fuzzer+0x1234"
};

class Symbolizer {
 public:
  // Looks all of these up with one child process a module. Idempotent.
  void load(std::span<const uintptr_t> pcs);

  // Frames of a return address, innermost first: several where functions were inlined, never none.
  const std::vector<Frame>& frames(uintptr_t pc);

  // "#0 function file:line" a line, innermost first. Leaves out the frames of the engine, of thread
  // start-up and of the standard library, unless nothing else is there.
  std::string print_stack(const Stack& stack);

  // The innermost line outside the standard library: "ref.h:120"; empty: unknown.
  std::string location(uintptr_t pc);

 private:
  std::map<uintptr_t, std::vector<Frame>> known_;
};

// The stack with its title, looked up by a symbolizer of its own.
std::string print_stack(const Stack& stack);

// Whether a function says nothing about the code under test: engine, thread start-up, std
// internals.
bool is_uninteresting(const std::string& function);
// The same of a frame: those of the C and C++ libraries, too.
bool is_uninteresting(const Frame& frame);

}  // namespace sched

#endif  // LASTPUT_SCHED_SYMBOLIZE_H_

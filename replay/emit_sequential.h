// SPDX-License-Identifier: Apache-2.0
// The parts of an emitted test that a sequential program has of its own: its refs, and each call with what the
// model (targets/model.h) says that it must have done.
#ifndef LASTPUT_REPLAY_EMIT_SEQUENTIAL_H_
#define LASTPUT_REPLAY_EMIT_SEQUENTIAL_H_

#include <string>
#include <vector>

#include "sched/sched.h"
#include "targets/program.h"

namespace replay {

std::string sequential_setup(const targets::Program& program);

// A function calls(). Calls and checks are those of targets/sequential.cc, point for point. `recording`: of the failure;
// where an allocation fails, it says which init that was.
std::string sequential_calls(const targets::Program& program, const sched::Recording& recording);

}  // namespace replay

#endif  // LASTPUT_REPLAY_EMIT_SEQUENTIAL_H_

// SPDX-License-Identifier: Apache-2.0
// Recordings by hand, for tests of what is made of them.
#ifndef LASTPUT_SCHED_RECORDING_TESTING_H_
#define LASTPUT_SCHED_RECORDING_TESTING_H_

#include <string>
#include <utility>

#include "sched/sched.h"

namespace sched {

inline constexpr uintptr_t kX = 0x1000, kY = 0x1010;

// Each step has the next index. Objects are kX, called "x", and kY, called "y".
struct RecordingBuilder {
  Recording out{{"main", "a", "b"}, {}, {}, {}};

  Step& add(unsigned thread, StepKind kind, uintptr_t address = 0) {
    Step step;
    step.index = out.steps.size() + 1;
    step.thread = static_cast<uint8_t>(thread);
    step.kind = kind;
    step.size = 8;
    step.address = address;
    if (address != 0) step.text = address == kX ? "x" : "y";
    out.steps.push_back(step);
    return out.steps.back();
  }
  RecordingBuilder& load(unsigned thread, uint64_t value, uint32_t age = 0, uintptr_t at = kX) {
    Step& step = add(thread, StepKind::kLoad, at);
    step.value = step.before = value;
    step.age = age;
    return *this;
  }
  RecordingBuilder& store(unsigned thread, uint64_t value, uint32_t age = 0, uintptr_t at = kX) {
    Step& step = add(thread, StepKind::kStore, at);
    step.value = value;
    step.age = age;
    return *this;
  }
  RecordingBuilder& rmw(unsigned thread, uint64_t before, uint64_t value, uint32_t age = 0) {
    Step& step = add(thread, StepKind::kRmw, kX);
    step.before = before;
    step.value = value;
    step.age = age;
    return *this;
  }
  RecordingBuilder& plain(unsigned thread, bool writes, uintptr_t at) {
    add(thread, writes ? StepKind::kWrite : StepKind::kRead, at);
    return *this;
  }
  RecordingBuilder& allocate(unsigned thread, uintptr_t at, uint64_t bytes) {
    add(thread, StepKind::kMalloc, at).value = bytes;
    return *this;
  }
};

}  // namespace sched

#endif  // LASTPUT_SCHED_RECORDING_TESTING_H_

// SPDX-License-Identifier: Apache-2.0
// The objects of a recording: which store each load returned, and what each object held after each step.
#ifndef LASTPUT_SCHED_HISTORY_H_
#define LASTPUT_SCHED_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "sched/sched.h"

namespace sched {

inline constexpr size_t kNowhere = static_cast<size_t>(-1);

// What a step says of the atomic object, or the lock, that it works on.
struct Observation {
  size_t object = kNowhere;  // index into History::objects; kNowhere: it works on none
  size_t read_from =
      kNowhere;       // the step that stored what this one read; kNowhere: it read nothing, or
                      // what was there before the first store that the engine saw
  std::string value;  // of the object from now on: its newest store; "held by T1"
};

struct History {
  std::vector<std::string> objects;  // their names, in the order of their first steps
  std::vector<Observation> steps;    // one for each step of the recording
};

// By the ages of loads and stores (Step::age), an object's stores are put into their modification order. What
// memory holds that no recorded step has stored (a constructor's plain write) has no source.
History history_of(const Recording& recording);

}  // namespace sched

#endif  // LASTPUT_SCHED_HISTORY_H_

// SPDX-License-Identifier: Apache-2.0
// What one thread may see of a percpu ref, when the worker has caught up after every call: an integer
// and a few flags. The table is that of core/ref.h; this is its second, naive implementation.
//
//   call              percpu, live      atomic, live      dead, count > 0   dead, count 0     absent
//   ----------------  ----------------  ----------------  ----------------  ----------------  --------
//   get n             + n               + n               + n               leaks, misuse     misuse
//   put n             - n, unnoticed    - n; 0: release;  as atomic         leaks, misuse     misuse
//                                       below: leaks
//   tryget n          true              true              true              false             misuse
//   tryget_live n     true              true              false             false             misuse
//   kill              true: dead; - 1   true: dead; - 1   false             false             misuse
//   switch_to_atomic  (1) atomic        (1) sticky        (1) sticky        (1) sticky        misuse
//   switch_to_percpu  (1) not sticky    (1) percpu        (1) not sticky    (1) not sticky    misuse
//   resurrect         misuse            misuse            (1) live; + 1     misuse            misuse
//   reinit            misuse            misuse            misuse            (1) live; 1       misuse
//   init              misuse            misuse            misuse            misuse            fresh
//   exit, cancel_init absent            absent            absent            absent            nothing
//   (1) misuse without one of the flags. Revival goes to percpu mode unless sticky. Leaving percpu mode
//   with a count below what the switch itself holds: leaks, misuse. Misuse changes nothing else.
//
// A ref that leaks counts as held for ever: no call brings it to 0.
#ifndef LASTPUT_TARGETS_MODEL_H_
#define LASTPUT_TARGETS_MODEL_H_

#include <cstdint>

#include "targets/program.h"

namespace targets {

// How often each callback has run.
struct CallbackCounts {
  unsigned releases = 0;
  unsigned confirms = 0;
  unsigned switched = 0;
  bool operator==(const CallbackCounts&) const = default;
};

struct Answer {
  bool applies = true;  // false: the call is not to be made (the rest says nothing)
  bool has_result = false;
  bool result = false;
  const char* misuse = nullptr;  // name of the one report that is due
  bool misuse_optional = false;  // ... may be
};

class RefModel {
 public:
  // Absent, until init.
  explicit RefModel(const RefSetup& setup) : setup_(setup) {}

  // What the operation must answer; and the state moves on. `n`: how many, for the counting calls.
  Answer apply(OpCode code, uint64_t n);
  bool absent() const { return absent_; }
  bool dead() const { return dead_; }
  bool is_zero() const { return (atomic_ || absent_) && count_ == 0 && !leaked_; }
  bool is_dying() const { return dead_; }
  bool leaked() const { return leaked_; }
  uint64_t count() const { return count_; }  // modulo 2^64
  const CallbackCounts& callbacks() const { return callbacks_; }

 private:
  Answer count_call(OpCode code, uint64_t n);
  Answer mode_call(OpCode code);
  Answer init();
  Answer end(OpCode code);
  Answer kill(bool confirm);
  Answer switch_to_atomic(bool callback);
  Answer revive(bool from_zero);
  const char* leave_percpu();
  void drop(uint64_t n);
  void release();
  void begin_life(uint64_t count);

  RefSetup setup_;
  bool absent_ = true;
  bool ever_initialised_ = false;
  bool atomic_ = false, dead_ = false, sticky_ = false, leaked_ = false;
  bool fresh_ = false;  // nothing but init has happened
  uint64_t count_ = 0;
  unsigned lives_ = 0;
  CallbackCounts callbacks_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_MODEL_H_

// SPDX-License-Identifier: Apache-2.0
// What a program does with the manager of its domain, and what must hold of runs and releases there
// (M1, M3, M5 of core/manager.h). M2 is looked at when main ends a ref, M7 in tryget. M4 has no
// oracle of its own, and M6 hardly one: what breaks them deadlocks, or touches freed memory.
#ifndef LASTPUT_TARGETS_MANAGER_RUNS_H_
#define LASTPUT_TARGETS_MANAGER_RUNS_H_

#include "core/domain.h"
#include "targets/program.h"

namespace targets {

// The calling thread is one of the program's, not of the library's.
void enter_program_thread();

// Starts the manager's thread; false where there is no memory for it.
bool start_manager(percpu::Domain& domain, const Program& program);
// `alone`: no other thread of the program may start it again meanwhile. Then no release is under way
// afterwards, which is checked.
void stop_manager(percpu::Domain& domain, bool alone);
// Makes one run in the calling thread, and checks what it says it has done.
void scan_by_hand(percpu::Domain& domain, const Program& program);
// As many runs as two full passes take.
unsigned runs_of_two_passes(const Program& program);

// While release of a ref runs. `managed`: from its start, so that only the manager may release it.
class ReleaseInProgress {
 public:
  ReleaseInProgress(unsigned ref, bool managed);
  ~ReleaseInProgress();
  ReleaseInProgress(const ReleaseInProgress&) = delete;
  ReleaseInProgress& operator=(const ReleaseInProgress&) = delete;

 private:
  const bool by_thread_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_MANAGER_RUNS_H_

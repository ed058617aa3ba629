// SPDX-License-Identifier: Apache-2.0
// RcuReaders on liburcu, where the build has found it; else on reader counts, as on the portable
// platform. Its flavour is bp, which registers threads by itself and does not meet a program's own
// use of the others. Readers cost less than reader counts do; a grace period that meets a reader
// who stays inside looks again every 10 ms. liburcu's own callbacks are not used: they always wait
// that long, on a worker that belongs to the whole process.
//
// liburcu's readers are those of the process: a grace period of one domain waits for the readers of
// all, and for the program's own of that flavour.
//
// liburcu says nothing to ThreadSanitizer, so such a build takes the reader counts.
#ifndef PERCPU_CORE_PLATFORM_LINUX_RCU_READERS_H_
#define PERCPU_CORE_PLATFORM_LINUX_RCU_READERS_H_

#include "percpu_platform.h"

#if defined(PERCPU_HAS_LIBURCU) && !defined(PERCPU_ANNOUNCES_EDGES)

#include <urcu/urcu-bp.h>

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

class RcuReaders {
 public:
  RcuReaders(unsigned /*cpus*/, unsigned (* /*cpu_index*/)(void*), void* /*context*/) noexcept {}

  // Begins a reader. What it answers is for leave.
  void* enter() noexcept {
    urcu_bp_read_lock();
    return nullptr;
  }
  void leave(void* /*entered*/) noexcept { urcu_bp_read_unlock(); }
  // Returns when every reader has left that entered before the call. MAY BLOCK.
  // REQUIRES: the caller is no reader.
  void wait_for_grace_period() noexcept { urcu_bp_synchronize_rcu(); }

  // For fork_watch.h: keep liburcu's locks while the process forks, and let go of them; the child
  // forgets the readers that it does not have. MAY BLOCK: for a grace period under way, as that
  // holds a lock. So in a reader, which the grace period may be waiting for, nothing is kept, and
  // nobody knows in what state the child finds the locks: it has no use for grace periods.
  static void hold_for_fork() noexcept {
    if (may_hold()) urcu_bp_before_fork();
  }
  static void resume_after_fork(bool in_child) noexcept {
    if (may_hold()) {
      in_child ? urcu_bp_after_fork_child() : urcu_bp_after_fork_parent();
    } else if (in_child) {
      lost_ = true;
    }
  }
  // False in the child of a fork in a reader.
  static bool available() noexcept { return !lost_; }

 private:
  static bool may_hold() noexcept { return !lost_ && urcu_bp_read_ongoing() == 0; }

  static constinit inline bool lost_ = false;  // written where the process has one thread
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#else
#include "../counted_rcu_readers.h"
#endif

#endif  // PERCPU_CORE_PLATFORM_LINUX_RCU_READERS_H_

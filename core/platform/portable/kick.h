// SPDX-License-Identifier: Apache-2.0
// Kick: wakes one thread that waits for work, from any context. On atomic waits of the standard
// library, which on Linux are one system call; where a library builds them on a lock, notify may be
// called from anywhere but signal handlers.
#ifndef PERCPU_CORE_PLATFORM_PORTABLE_KICK_H_
#define PERCPU_CORE_PLATFORM_PORTABLE_KICK_H_

#include <atomic>
#include <cerrno>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

class Kick {
 public:
  // Lets a wait return that is under way, or else the next one; any number of them are one.
  // Keeps errno. ORDERING: what precedes happens before the return of that wait.
  void notify() noexcept {
    // sync[refill] seq_cst: release: what is asked for is visible to the waiter; and it comes before
    // the library's look for waiters in the one total order, or a waiter is missed.
    // audit[seq_cst to acq_rel, release] kept: libraries count their waiters as they like. The one
    // that is searched does it by seq_cst operations (libstdc++ from 12 on), which makes up for less
    // here; libstdc++ 11 does not.
    if (kicked_.exchange(1, std::memory_order_seq_cst) != 0) return;
    const int kept = errno;
    kicked_.notify_one();
    errno = kept;
  }
  // MAY BLOCK. REQUIRES: one caller at a time.
  void wait() noexcept {
    // sync[refill] acquire: the other side of notify. relaxed: whether to sleep; the exchange
    // settles it.
    while (kicked_.exchange(0, std::memory_order_acquire) == 0) {
      kicked_.wait(0, std::memory_order_relaxed);
    }
  }

 private:
  std::atomic<int> kicked_ = 0;
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_PORTABLE_KICK_H_

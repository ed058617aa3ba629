// SPDX-License-Identifier: Apache-2.0
// Kick: wakes one thread that waits for work, from any context: a futex.
#ifndef PERCPU_CORE_PLATFORM_LINUX_KICK_H_
#define PERCPU_CORE_PLATFORM_LINUX_KICK_H_

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdint>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {

class Kick {
 public:
  // Lets a wait return that is under way, or else the next one; any number of them are one.
  // Keeps errno. ORDERING: what precedes happens before the return of that wait.
  void notify() noexcept {
    // sync[refill] release: what is asked for is visible to the waiter.
    if (kicked_.exchange(1, std::memory_order_release) != 0) return;
    const int kept = errno;
    futex(FUTEX_WAKE_PRIVATE, 1);
    errno = kept;
  }
  // MAY BLOCK. REQUIRES: one caller at a time.
  void wait() noexcept {
    // sync[refill] acquire: the other side of notify. The kernel looks at the word again before it
    // puts the thread to sleep, so no kick comes too early.
    while (kicked_.exchange(0, std::memory_order_acquire) == 0) futex(FUTEX_WAIT_PRIVATE, 0);
  }

 private:
  void futex(int operation, uint32_t value) noexcept {
    syscall(SYS_futex, &kicked_, operation, value, nullptr);
  }

  std::atomic<uint32_t> kicked_ = 0;
  static_assert(sizeof(kicked_) == sizeof(uint32_t) && std::atomic<uint32_t>::is_always_lock_free);
};

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_PLATFORM_LINUX_KICK_H_

// SPDX-License-Identifier: Apache-2.0
// CallbackScope: which of the library's callbacks the calling thread is in, innermost first.
//
// A callback may not wait for what only the callback's own return, or another callback, can bring
// about; and a ref's own switch callback may not change that ref's mode. Both are refused and
// reported instead of deadlocking, wherever the callback runs: on a worker, or inside put, kill or
// a switch.
#ifndef PERCPU_CORE_CALLBACK_SCOPE_H_
#define PERCPU_CORE_CALLBACK_SCOPE_H_

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class Ref;

class CallbackScope {
 public:
  // `confirmed`: the ref whose switch callback this is; null for a release, after which it may be
  // gone.
  explicit CallbackScope(const Ref* confirmed) noexcept
      : confirmed_(confirmed), outer_(innermost_) {
    innermost_ = this;
  }
  ~CallbackScope() { innermost_ = outer_; }
  CallbackScope(const CallbackScope&) = delete;
  CallbackScope& operator=(const CallbackScope&) = delete;

  static bool active() noexcept { return innermost_ != nullptr; }
  static bool confirming(const Ref* ref) noexcept {
    for (const CallbackScope* scope = innermost_; scope != nullptr; scope = scope->outer_) {
      if (scope->confirmed_ == ref) return true;
    }
    return false;
  }

 private:
  static thread_local constinit inline CallbackScope* innermost_ = nullptr;

  const Ref* const confirmed_;
  CallbackScope* const outer_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_CALLBACK_SCOPE_H_

// SPDX-License-Identifier: Apache-2.0
#include "rcuref_count.h"

#include "domain_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

void RefCount::misused(Domain& domain, MisuseKind kind, const char* call) noexcept {
  // A put that met 0 came after free was called, so a reader's get_unless_zero must go on failing.
  const bool below_zero = kind == MisuseKind::kPutBelowZero;
  // relaxed: whatever the count was, it says nothing about anybody's writes any more.
  count_.store(below_zero ? 0 : kLeaked, std::memory_order_relaxed);
  domain.state_->report(kind, nullptr, call,
                        kind == MisuseKind::kInitTwice ? "in use" : "no reference held", this);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

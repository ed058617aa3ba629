// SPDX-License-Identifier: Apache-2.0
#include "domain.h"

#include "callback_scope.h"
#include "domain_state.h"
#include "rcu_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

Domain::Domain(const DomainOptions& options) : state_(new DomainState(options)) {}

Domain::~Domain() {
  if (RcuState::in_reader()) {
    // The callbacks that are queued may wait for this very reader.
    state_->report(MisuseKind::kWaitInReader, nullptr, "~Domain", "in a reader");
    state_->leak();
    return;
  }
  if (CallbackScope::active()) {
    state_->report(MisuseKind::kDomainEndInCallback, nullptr, "~Domain", "in a callback");
    if (state_->on_worker()) {
      // The worker cannot wait for itself. It goes on, and so do the refs.
      state_->leak();
      return;
    }
  }
  if (state_->end()) {
    state_->leak();
  } else {
    delete state_;
  }
}

void Domain::drain() noexcept {
  state_->drain();
}

unsigned Domain::cpus() const noexcept {
  return state_->cpus();
}

unsigned Domain::current_cpu() const noexcept {
  return state_->current_cpu();
}

void* Domain::alloc_percpu(size_t size, size_t alignment) noexcept {
  return state_->memory.allocate(size, alignment);
}

void Domain::free_percpu(void* area) noexcept {
  if (area == nullptr || state_->memory.free(area) != 0) return;
  state_->report(MisuseKind::kNotAnArea, nullptr, "free_percpu", "no area begins there", area);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

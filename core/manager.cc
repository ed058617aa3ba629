// SPDX-License-Identifier: Apache-2.0
#include "manager.h"

#include "domain_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

Manager::Manager(Domain& domain) noexcept : state_(domain.state_) {}

Status Manager::start(const ManagerOptions& options) noexcept {
  return state_->manager.start(options);
}

bool Manager::stop() noexcept {
  return state_->manager.stop();
}

bool Manager::running() const noexcept {
  DomainState::Lock lock(state_->mutex);
  return state_->manager.running(lock);
}

Scan Manager::scan_once(int max_scan_count) noexcept {
  return state_->manager.scan(max_scan_count);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

// SPDX-License-Identifier: Apache-2.0
#include "rcu.h"

#include "domain_state.h"
#include "rcu_state.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

Rcu::Rcu(Domain& domain) : state_(&domain.state_->rcu()) {}

Rcu::Token Rcu::read_lock() noexcept {
  Token token;
  token.count = state_->enter();
  return token;
}

void Rcu::read_unlock(Token token) noexcept {
  state_->leave(token.count);
}

bool Rcu::synchronize() noexcept {
  if (!state_->may_wait_for_readers("synchronize")) return false;
  state_->wait_for_grace_period();
  return true;
}

bool Rcu::call(RcuHead& head, Callback callback) noexcept {
  return state_->queue(head, callback);
}

bool Rcu::barrier() noexcept {
  if (!state_->may_wait_for_callbacks("barrier")) return false;
  state_->wait_for_callbacks();
  return true;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

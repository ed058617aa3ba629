// SPDX-License-Identifier: Apache-2.0
// What the scenarios share on the side of the core.
#ifndef LASTPUT_STRESS_SOAK_H_
#define LASTPUT_STRESS_SOAK_H_

#include <memory>

#include "core/domain.h"
#include "core/rcu.h"
#include "stress/scenario.h"

namespace stress {

// What the core reports as misuse breaks a guarantee: these programs are legal.
void on_misuse(const percpu::Misuse& misuse, void* context);
percpu::DomainOptions domain_options();

// Who sees an object that is older than he may breaks a guarantee.
//   holder   has a reference: nothing older than kUnlisted. G2
//   reader   has found it, and is still inside: `oldest`.  U1
void check_holders_age(Worker& worker, unsigned age, const char* kind);
void check_readers_age(Worker& worker, unsigned age, unsigned oldest, const char* kind);

// In an object that goes through the stages of the pipe, one grace period each, and is freed after the last.
struct Aging : percpu::RcuHead {
  std::atomic<unsigned> age = kListed;
  percpu::Rcu* rcu = nullptr;
  void (*free)(Aging&) = nullptr;

  unsigned now() const noexcept { return age.load(std::memory_order_relaxed); }
  // Only ever up, by whoever ends the object. ORDERING: none, it is looked at by those who should not be there.
  void become(unsigned stage) noexcept { age.store(stage, std::memory_order_relaxed); }
};
// From kReleased on. REQUIRES: nobody can find it any more who begins now.
void retire(Aging& aging);

}  // namespace stress

#endif  // LASTPUT_STRESS_SOAK_H_

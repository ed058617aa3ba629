// SPDX-License-Identifier: Apache-2.0
// The count under test, where nobody brings another: the core's (ref_under_test.h).
#ifndef LASTPUT_TARGETS_CORE_UNDER_TEST_H_
#define LASTPUT_TARGETS_CORE_UNDER_TEST_H_

#include "core/domain.h"
#include "core/ref.h"
#include "targets/abilities.h"
#include "targets/program.h"

namespace targets {

using RefUnderTest = percpu::Ref;

// With the program's CPUs; what the core reports as misuse breaks a guarantee, unless it is expected.
class DomainUnderTest : public percpu::Domain {
 public:
  explicit DomainUnderTest(const Program& program);
};

inline DomainUnderTest make_domain(const Program& program) {
  return DomainUnderTest(program);
}

inline constexpr Abilities kAbilities = {};

inline percpu::Domain* core_domain(DomainUnderTest& domain) {
  return &domain;
}

inline Begun begin_life(percpu::Ref& ref, percpu::Domain& domain, percpu::Ref::Callback release,
                        uint8_t flags) {
  const percpu::Status status = ref.init(domain, release, static_cast<percpu::Flags>(flags));
  if (status == percpu::Status::kOk) return Begun::kLives;
  return status == percpu::Status::kOutOfMemory ? Begun::kNoMemory : Begun::kRefused;
}

}  // namespace targets

#endif  // LASTPUT_TARGETS_CORE_UNDER_TEST_H_

// SPDX-License-Identifier: Apache-2.0
// The domain that all benchmarks of refs share, as the refs of a program would.
#ifndef LASTPUT_BENCH_SHARED_DOMAIN_H_
#define LASTPUT_BENCH_SHARED_DOMAIN_H_

#include <cstdlib>

#include "core/domain.h"
#include "core/ref.h"

namespace bench {

inline percpu::Domain& shared_domain() {
  static percpu::Domain domain;
  return domain;
}

inline void init(percpu::Ref& ref, percpu::Ref::Callback release,
                 percpu::Flags flags = percpu::Flags::kNone) {
  if (ref.init(shared_domain(), release, flags) != percpu::Status::kOk) std::abort();
}

}  // namespace bench

#endif  // LASTPUT_BENCH_SHARED_DOMAIN_H_

// SPDX-License-Identifier: Apache-2.0
// liburcu's reference count.
#ifndef LASTPUT_BENCH_URCU_COUNT_H_
#define LASTPUT_BENCH_URCU_COUNT_H_

#include <urcu/ref.h>

#include <cstdlib>

namespace bench {

class UrcuCount {
 public:
  UrcuCount() { urcu_ref_init(&ref_); }
  void pair() noexcept {
    urcu_ref_get(&ref_);
    urcu_ref_put(&ref_, [](urcu_ref*) { std::abort(); });
  }
  void try_pair() noexcept {
    if (!urcu_ref_get_unless_zero(&ref_)) std::abort();
    urcu_ref_put(&ref_, [](urcu_ref*) { std::abort(); });
  }

 private:
  urcu_ref ref_;
};

}  // namespace bench

#endif  // LASTPUT_BENCH_URCU_COUNT_H_

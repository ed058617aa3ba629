// SPDX-License-Identifier: Apache-2.0
// The scenario of a pool: workers, and their signal handlers, take areas, look at every CPU's part of them, hand them to each other
// and free them, while the pool is filled and emptied.
//
//   P1 P8  an area is all zero when it comes, and stays its owner's    P4  no more in stock than fills were asked for
//   P6     an empty pool that nobody uses stays empty                  G8  when all are parked, every area has been freed
#ifndef LASTPUT_STRESS_POOL_SOAK_H_
#define LASTPUT_STRESS_POOL_SOAK_H_

#include <memory>

#include "stress/scenario.h"

namespace stress {

std::unique_ptr<Scenario> make_pool_soak(const Setup& setup);

}  // namespace stress

#endif  // LASTPUT_STRESS_POOL_SOAK_H_

// SPDX-License-Identifier: Apache-2.0
#include <sched.h>

#include "stress/adversity.h"
#include "stress/scenario.h"

namespace stress {
namespace {

constexpr unsigned kMaxSpinBits = 12;  // some microseconds

std::atomic<uint64_t> callback_seed = 0;  // 0: callbacks are not delayed

void spin(unsigned rounds) {
  for (unsigned i = 0; i < rounds; ++i) asm volatile("# spin");
}

}  // namespace

void disturb_callbacks(uint64_t seed) noexcept {
  callback_seed.store(seed, std::memory_order_relaxed);
}

void disturb(targets::Random& random) noexcept {
  switch (random.below(8)) {
    case 0:
      sched_yield();
      break;
    case 1:
    case 2:
      spin(random.below(1U << random.below(kMaxSpinBits)));
      break;
    default:
      break;
  }
}

void disturb_callback() noexcept {
  thread_local targets::Random random(callback_seed.load(std::memory_order_relaxed));
  if (callback_seed.load(std::memory_order_relaxed) != 0) disturb(random);
}

}  // namespace stress

// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <thread>

extern "C" int part(double value) {
  std::atomic<int> sum{0};
  std::jthread a([&] { sum.fetch_add(1, std::memory_order_relaxed); });
  std::jthread b([&] { sum.fetch_add(static_cast<int>(value) - 1, std::memory_order_relaxed); });
  a.join();
  b.join();
  return sum;
}

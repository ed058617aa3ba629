// SPDX-License-Identifier: Apache-2.0
#include "core/percpu_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <set>
#include <vector>

namespace {

using percpu::PercpuMemory;
namespace platform = percpu::platform;

constexpr unsigned kCpus = 3;

uintptr_t number(const void* area) {
  return reinterpret_cast<uintptr_t>(area);
}

TEST(PercpuMemoryTest, RefusesWhatItCannotGive) {
  PercpuMemory memory(kCpus);
  EXPECT_EQ(memory.allocate(0, 8), nullptr);
  EXPECT_EQ(memory.allocate(PercpuMemory::kMaxAreaSize + 1, 8), nullptr);
  EXPECT_EQ(memory.allocate(8, 0), nullptr);
  EXPECT_EQ(memory.allocate(8, 3), nullptr);
  EXPECT_EQ(memory.allocate(8, PercpuMemory::kMaxAlignment * 2), nullptr);
  EXPECT_EQ(memory.used_bytes(), 0u);
}

TEST(PercpuMemoryTest, AreasAreAlignedApartAndZero) {
  PercpuMemory memory(kCpus);
  std::vector<std::pair<std::byte*, size_t>> areas;
  for (int round = 0; round < 40; ++round) {
    for (size_t alignment = 1; alignment <= PercpuMemory::kMaxAlignment; alignment *= 2) {
      const size_t size = 1 + alignment * static_cast<size_t>(round % 3);
      auto* area = static_cast<std::byte*>(memory.allocate(size, alignment));
      ASSERT_NE(area, nullptr);
      EXPECT_EQ(number(area) % alignment, 0u);
      EXPECT_EQ(number(area) & platform::kFlagMask, 0u) << "no room for the flags";
      for (unsigned cpu = 0; cpu < kCpus; ++cpu) {
        std::byte* mine = area + cpu * platform::kStride;
        for (size_t i = 0; i < size; ++i) ASSERT_EQ(mine[i], std::byte{0}) << "not zero, or shared";
        std::memset(mine, 0xff, size);
      }
      areas.emplace_back(area, size);
    }
  }
  for (const auto& [area, size] : areas) memory.free(area, size);
  EXPECT_EQ(memory.used_bytes(), 0u);
  for (const auto& [area, size] : areas) {
    auto* again = static_cast<std::byte*>(memory.allocate(size, 8));
    ASSERT_NE(again, nullptr);
    for (unsigned cpu = 0; cpu < kCpus; ++cpu)
      EXPECT_EQ(again[cpu * platform::kStride], std::byte{0});
  }
}

TEST(PercpuMemoryTest, PacksDenselyAndReuses) {
  PercpuMemory memory(1);
  std::set<uintptr_t> first;
  for (size_t i = 0; i < platform::kStride / 8; ++i) first.insert(number(memory.allocate(8, 8)));
  EXPECT_EQ(*first.rbegin() - *first.begin(), platform::kStride - 8);
  EXPECT_EQ(first.size(), platform::kStride / 8);
  for (const uintptr_t area : first) memory.free(reinterpret_cast<void*>(area), 8);
  EXPECT_EQ(first.count(number(memory.allocate(8, 8))), 1u);
  EXPECT_EQ(memory.used_bytes(), 8u);
}

TEST(PercpuMemoryDeathTest, NoticesADoubleFree) {
  PercpuMemory memory(1);
  void* area = memory.allocate(8, 8);
  memory.free(area, 8);
  EXPECT_DEATH(memory.free(area, 8), "check failed");
}

}  // namespace

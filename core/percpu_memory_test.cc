// SPDX-License-Identifier: Apache-2.0
#include "core/percpu_memory.h"

#include <gtest/gtest.h>

#include <cstring>
#include <iterator>
#include <map>
#include <set>
#include <thread>
#include <utility>
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
  for (const auto& [area, size] : areas) memory.free(area);
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
  for (const uintptr_t area : first) memory.free(reinterpret_cast<void*>(area));
  EXPECT_EQ(first.count(number(memory.allocate(8, 8))), 1u);
  EXPECT_EQ(memory.used_bytes(), 8u);
}

// Random sizes and alignments against a plain map of what is taken.
TEST(PercpuMemoryTest, NeverGivesAGranuleTwice) {
  PercpuMemory memory(1);
  std::map<uintptr_t, size_t> areas;
  uint64_t random = 1;
  const auto below = [&](uint64_t n) {
    random = random * 6364136223846793005 + 1442695040888963407;
    return (random >> 33) % n;
  };
  size_t used = 0;
  for (int step = 0; step < 20000; ++step) {
    if (!areas.empty() && below(5) < (step / 4000 % 2 == 0 ? 1U : 3U)) {
      auto victim = areas.lower_bound(areas.begin()->first + below(1 << 20));
      if (victim == areas.end()) victim = areas.begin();
      EXPECT_EQ(memory.free(reinterpret_cast<void*>(victim->first)), victim->second);
      EXPECT_EQ(memory.free(reinterpret_cast<void*>(victim->first)), 0u);
      used -= victim->second;
      areas.erase(victim);
      continue;
    }
    const size_t size = 1 + below(below(10) == 0 ? PercpuMemory::kMaxAreaSize : 60);
    const size_t alignment = size_t{1} << below(7);
    const uintptr_t area = number(memory.allocate(size, alignment));
    ASSERT_NE(area, 0u);
    ASSERT_EQ(area % alignment, 0u);
    const size_t bytes = PercpuMemory::bytes(size);
    const auto after = areas.lower_bound(area);
    ASSERT_TRUE(after == areas.end() || area + bytes <= after->first);
    ASSERT_TRUE(after == areas.begin() ||
                std::prev(after)->first + std::prev(after)->second <= area);
    areas[area] = bytes;
    used += bytes;
    ASSERT_EQ(memory.used_bytes(), used);
  }
}

// Speed is not bought with memory.
TEST(PercpuMemoryTest, ManyAreasStayDense) {
  for (const size_t size : {size_t{8}, size_t{24}, size_t{200}}) {
    PercpuMemory memory(1);
    std::vector<void*> areas;
    const size_t count = platform::kStride / size * 100;
    for (int round = 0; round < 3; ++round) {
      while (areas.size() < count) {
        areas.push_back(memory.allocate(size, 8));
        ASSERT_NE(areas.back(), nullptr);
      }
      EXPECT_LE(memory.total_bytes(), 110 * platform::kStride) << size << " in round " << round;
      // Every third stays, so that no chunk is quite free.
      std::vector<void*> kept;
      for (size_t i = 0; i < areas.size(); ++i) {
        if (i % 3 == 0) {
          kept.push_back(areas[i]);
        } else {
          memory.free(areas[i]);
        }
      }
      areas = kept;
    }
  }
}

TEST(PercpuMemoryTest, FreesNothingButAreas) {
  PercpuMemory memory(2);
  EXPECT_EQ(memory.free(nullptr), 0u);
  auto* first = static_cast<std::byte*>(memory.allocate(20, 8));
  auto* second = static_cast<std::byte*>(memory.allocate(8, 8));
  for (std::byte* wrong : {first + 1, first + 8, second + 8, first + platform::kStride, first - 8,
                           first + 2 * platform::kStride}) {
    EXPECT_EQ(memory.free(wrong), 0u);
  }
  EXPECT_EQ(memory.used_bytes(), 32u);
  EXPECT_EQ(memory.free(first), 24u);
  EXPECT_EQ(memory.free(first), 0u) << "freed twice";
  EXPECT_EQ(memory.free(second), 8u);
  EXPECT_EQ(memory.used_bytes(), 0u);
}

// Areas of several threads are theirs alone, also while chunks are made.
TEST(PercpuMemoryTest, ServesSeveralThreads) {
  PercpuMemory memory(1);
  const auto work = [&memory](uint64_t mark) {
    std::vector<uint64_t*> areas;
    for (int round = 0; round < 20; ++round) {
      for (int i = 0; i < 500; ++i) {
        auto* area = static_cast<uint64_t*>(memory.allocate(sizeof(uint64_t), alignof(uint64_t)));
        ASSERT_NE(area, nullptr);
        ASSERT_EQ(std::exchange(*area, mark), 0u);
        areas.push_back(area);
      }
      while (areas.size() > 400) {
        ASSERT_EQ(*areas.back(), mark);
        ASSERT_EQ(memory.free(areas.back()), sizeof(uint64_t));
        areas.pop_back();
      }
    }
    for (uint64_t* area : areas) memory.free(area);
  };
  std::thread other(work, 1);
  work(2);
  other.join();
  EXPECT_EQ(memory.used_bytes(), 0u);
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// A platform's sections and grace period by themselves: what a Ref builds on.
#include <gtest/gtest.h>

#include <atomic>
#include <cstddef>
#include <thread>
#include <vector>

#include "percpu_platform.h"

namespace {

namespace platform = percpu::platform;

constexpr uintptr_t kFlag = 1;

#define SKIP_WITHOUT_SECTIONS()                                            \
  if (platform::why_no_sections() != nullptr) {                            \
    GTEST_SKIP() << "no percpu sections: " << platform::why_no_sections(); \
  }

struct Counters {
  explicit Counters(unsigned count) : cpus(count), memory((count + 1) * platform::kStride) {
    const uintptr_t begin = reinterpret_cast<uintptr_t>(memory.data());
    area = (begin + platform::kStride - 1) & ~(platform::kStride - 1);
  }
  uint64_t sum() const {
    uint64_t total = 0;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      // relaxed: after a grace period, which orders it, or a mere look.
      total += platform::Sections::counter(area, cpu).load(std::memory_order_relaxed);
    }
    return total;
  }
  const unsigned cpus;
  std::vector<std::byte> memory;
  uintptr_t area;
};

TEST(SectionsTest, NoSectionCountsAfterAGracePeriod) {
  SKIP_WITHOUT_SECTIONS();
  constexpr int kSwitches = 20000;
  platform::Sections sections(platform::default_cpus(), nullptr, nullptr);
  Counters counters(sections.cpus());
  std::atomic<uintptr_t> word = counters.area;
  std::atomic<bool> stop = false;
  std::atomic<uint64_t> counted = 0;
  std::vector<std::thread> readers;
  for (int i = 0; i < 2; ++i) {
    readers.emplace_back([&] {
      uint64_t mine = 0;
      // relaxed: only when to stop.
      while (!stop.load(std::memory_order_relaxed)) {
        mine += platform::Sections::add(&sections, word, 1) == 0 ? 1 : 0;
      }
      counted += mine;
    });
  }
  while (counters.sum() == 0) std::this_thread::yield();
  int late = 0;
  for (int round = 0; round < kSwitches; ++round) {
    word.fetch_or(kFlag);
    sections.wait_for_grace_period();
    const uint64_t sum = counters.sum();
    for (int i = 0; i < 20; ++i) late += counters.sum() != sum ? 1 : 0;
    word.fetch_and(~kFlag);
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  EXPECT_EQ(late, 0) << "a section counted after the grace period";
  EXPECT_EQ(counters.sum(), counted);
}

// What a thread did before its section is there after the grace period: plain data.
TEST(SectionsTest, GracePeriodCarriesWritesMadeBeforeASection) {
  SKIP_WITHOUT_SECTIONS();
  constexpr int kRounds = 300;
  platform::Sections sections(platform::default_cpus(), nullptr, nullptr);
  Counters counters(sections.cpus());
  for (int round = 0; round < kRounds; ++round) {
    std::atomic<uintptr_t> word = counters.area;
    int payload = 0;
    bool through_section = false;
    const uint64_t before = counters.sum();
    std::thread writer([&] {
      payload = round + 1;
      through_section = platform::Sections::add(&sections, word, -uint64_t{1}) == 0;
    });
    for (int i = 0; i < 100 && counters.sum() == before; ++i) std::this_thread::yield();
    word.fetch_or(kFlag);
    platform::Sections::before_grace_period(&word);
    sections.wait_for_grace_period();
    platform::Sections::after_grace_period(&word);
    if (counters.sum() != before) {
      EXPECT_EQ(payload, round + 1);
    }
    writer.join();
    EXPECT_EQ(counters.sum() != before, through_section);
  }
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// What is particular to restartable sequences: nothing is lost to preemption, migration or signals,
// and who has no rseq counts right all the same.
#include "percpu_platform.h"

#include <gtest/gtest.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"
#include "core/test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;
namespace platform = percpu::platform;

#define SKIP_WITHOUT_SECTIONS()                                            \
  if (platform::why_no_sections() != nullptr) {                            \
    GTEST_SKIP() << "no percpu sections: " << platform::why_no_sections(); \
  }

TEST(LinuxPlatformTest, TunableTurnsSectionsOff) {
  const char* tunables = std::getenv("GLIBC_TUNABLES");
  if (tunables == nullptr || std::string(tunables).find("rseq=0") == std::string::npos) {
    GTEST_SKIP() << "GLIBC_TUNABLES does not turn rseq off in this run";
  }
  EXPECT_NE(platform::why_no_sections(), nullptr);
}

// Tells percpu counting from the shared counter: an injected word and area of our own.
TEST(LinuxPlatformTest, SectionCountsOnThisCpuUnlessFlagged) {
  SKIP_WITHOUT_SECTIONS();
  const unsigned cpus = platform::default_cpus();
  std::vector<std::byte> memory((cpus + 1) * platform::kStride);
  const uintptr_t area = (reinterpret_cast<uintptr_t>(memory.data()) + platform::kStride - 1) &
                         ~(platform::kStride - 1);
  std::atomic<uintptr_t> word = area;
  const auto sum = [&] {
    uint64_t total = 0;
    for (unsigned cpu = 0; cpu < cpus; ++cpu) {
      // relaxed: after a grace period, which orders it, or a mere look.
      total += platform::Sections::counter(area, cpu).load(std::memory_order_relaxed);
    }
    return total;
  };
  EXPECT_EQ(platform::Sections::add(nullptr, word, 5), 0u);
  EXPECT_EQ(sum(), 5u);
  const uint64_t huge = uint64_t{1} << 62;
  EXPECT_EQ(platform::Sections::add(nullptr, word, huge), 0u);
  EXPECT_EQ(platform::Sections::add(nullptr, word, -uint64_t{6}), 0u);
  EXPECT_EQ(sum(), huge - 1);
  for (uintptr_t flag = 1; flag <= platform::kFlagMask; flag <<= 1) {
    word = area | flag;
    EXPECT_EQ(platform::Sections::add(nullptr, word, 1) & flag, flag);
  }
  EXPECT_EQ(sum(), huge - 1) << "counted in spite of a flag";
}

void on_signal(int) {}

// Threads are signalled and moved between CPUs all the time; every add counts once.
TEST(LinuxPlatformTest, NothingIsLostToSignalsAndMigration) {
  MisuseLog log;
  Domain domain(log.options());
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  sigaction(SIGUSR1, &action, nullptr);
  constexpr int kThreads = 4;
  constexpr uint64_t kGets = 6000000;
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] {
      for (uint64_t n = 0; n < kGets; ++n) {
        ref.get_many(3);
        ref.put_many(2);
      }
      --running;
      while (running >= 0) std::this_thread::yield();  // joinable, so that it can be signalled
    });
  }
  unsigned turn = 0;
  while (running > 0) {
    for (auto& thread : threads) {
      pthread_kill(thread.native_handle(), SIGUSR1);
      cpu_set_t one;
      CPU_ZERO(&one);
      CPU_SET(turn++ % platform::default_cpus(), &one);
      pthread_setaffinity_np(thread.native_handle(), sizeof(one), &one);
    }
    if (turn % 64 == 0) {
      EXPECT_TRUE(ref.switch_to_atomic_sync());
      EXPECT_TRUE(ref.switch_to_percpu());
    }
  }
  running = -1;
  for (auto& thread : threads) thread.join();
  EXPECT_TRUE(ref.switch_to_atomic_sync());
  ref.put_many(kThreads * kGets);
  EXPECT_FALSE(ref.is_zero());
  ref.put();
  EXPECT_EQ(ref.releases, 1);
  EXPECT_EQ(log.take(), Reports{});
}

// One thread of the process has no rseq: its operations go to the shared counter in percpu mode.
TEST(LinuxPlatformTest, ThreadWithoutRseqCountsRight) {
#if PERCPU_HAS_RSEQ
  SKIP_WITHOUT_SECTIONS();
  MisuseLog log;
  Domain domain(log.options());
  CountedRef ref;
  ASSERT_EQ(ref.init(domain, &CountedRef::release), Status::kOk);
  ref.get_many(10);
  std::thread odd([&] {
    auto* area = reinterpret_cast<struct rseq*>(static_cast<char*>(__builtin_thread_pointer()) +
                                                __rseq_offset);
    long failed = -1;
    // The registered size is the kernel's minimum or what the C library knows of.
    for (const long size : {32L, static_cast<long>(__rseq_size)}) {
      if (failed != 0) failed = syscall(SYS_rseq, area, size, 1 /* unregister */, RSEQ_SIG);
    }
    ASSERT_EQ(failed, 0) << "errno " << errno;
    ref.put_many(4);  // more than the shared counter holds: the bias keeps it from 0
    ref.get_many(2);
    EXPECT_TRUE(ref.tryget());
    EXPECT_TRUE(ref.tryget_live());
    EXPECT_FALSE(ref.is_zero());
  });
  odd.join();
  EXPECT_EQ(ref.releases, 0);
  EXPECT_TRUE(ref.kill());
  domain.drain();
  EXPECT_EQ(ref.releases, 0);
  ref.put_many(9);
  EXPECT_EQ(ref.releases, 0);
  ref.put();
  EXPECT_EQ(ref.releases, 1);
  EXPECT_EQ(log.take(), Reports{});
#else
  GTEST_SKIP() << "no percpu sections: " << platform::why_no_sections();
#endif
}

}  // namespace

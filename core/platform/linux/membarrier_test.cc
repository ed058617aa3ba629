// SPDX-License-Identifier: Apache-2.0
// What the linux platform does where membarrier fails. All system calls of this program go through the function
// `syscall` below, which stands in for the C library's.
#include <gtest/gtest.h>
#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdarg>
#include <cstdio>

#include "core/domain.h"
#include "core/ref.h"
#include "core/test_support.h"
#include "percpu_platform.h"

namespace {

// Of calls with that command so many fail, by that errno; then they go through.
struct Failures {
  std::atomic<int> left = 0;
  std::atomic<int> error = 0;
  bool next() {
    if (left == 0) return false;
    --left;
    errno = error;
    return true;
  }
  void set(int count, int by) {
    error = by;
    left = count;
  }
};
Failures registrations, barriers;
std::atomic<int> registered = 0;

// Linux on x86-64: arguments in rdi, rsi, rdx, r10, r8, r9; the answer, or -errno, in rax.
long call_kernel(long number, const long (&a)[6]) {
#if defined(__x86_64__)
  long result;
  register long r10 __asm__("r10") = a[3];
  register long r8 __asm__("r8") = a[4];
  register long r9 __asm__("r9") = a[5];
  __asm__ volatile("syscall"
                   : "=a"(result)
                   : "a"(number), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
                   : "rcx", "r11", "memory");
  if (result >= 0 || result < -4095) return result;
  errno = static_cast<int>(-result);
  return -1;
#else
  (void)number, (void)a;
  errno = ENOSYS;
  return -1;
#endif
}

}  // namespace

extern "C" long syscall(long number, ...) noexcept {
  long a[6];
  va_list arguments;
  va_start(arguments, number);
  for (long& argument : a) argument = va_arg(arguments, long);
  va_end(arguments);
  if (number == SYS_membarrier) {
    const bool registers = a[0] == MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ;
    if (registers) ++registered;
    if ((registers ? registrations : barriers).next()) return -1;
  }
  return call_kernel(number, a);
}

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Status;
using percpu_test::CountedRef;
namespace platform = percpu::platform;

#define SKIP_WITHOUT_SECTIONS()                                            \
  if (platform::why_no_sections() != nullptr) {                            \
    GTEST_SKIP() << "no percpu sections: " << platform::why_no_sections(); \
  }

// Counts through a switch that waits for a grace period: whether what was counted is there.
bool counts_right() {
  Domain domain;
  CountedRef ref;
  if (ref.init(domain, &CountedRef::release, Flags::kAllowReinit) != Status::kOk) return false;
  ref.get();
  if (!ref.switch_to_atomic_sync()) return false;
  ref.put();
  if (ref.is_zero() || ref.releases != 0) return false;
  ref.put();
  return ref.releases == 1;
}

TEST(MembarrierTest, OutOfMemoryIsTriedAgain) {
  SKIP_WITHOUT_SECTIONS();
  barriers.set(3, ENOMEM);
  EXPECT_TRUE(counts_right());
  EXPECT_EQ(barriers.left, 0);
}

TEST(MembarrierTest, WhoIsNotRegisteredRegistersAgain) {
  SKIP_WITHOUT_SECTIONS();
  const int before = registered;
  barriers.set(1, EPERM);
  EXPECT_TRUE(counts_right());
  EXPECT_EQ(registered, before + 1);
}

TEST(MembarrierDeathTest, NothingElseIsTakenForAGracePeriod) {
  SKIP_WITHOUT_SECTIONS();
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_DEATH(
      {
        barriers.set(1, EINVAL);
        counts_right();
      },
      "percpu: check failed: .*ENOMEM");
}

// Decided once a process, so in one of its own, which asks nothing before. Without rseq it is not membarrier that fails.
TEST(MembarrierDeathTest, WithoutRegistrationEverybodyCountsOnTheSharedCounter) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  EXPECT_EXIT(
      {
        registrations.set(1, ENOSYS);
        const bool right = counts_right();
        const char* why = platform::why_no_sections();
        std::fprintf(stderr, "%s\n", why == nullptr ? "sections" : why);
        _exit(right ? 0 : 1);
      },
      testing::ExitedWithCode(0), "membarrier cannot restart sequences here|restartable sequence");
}

}  // namespace

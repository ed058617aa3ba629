// SPDX-License-Identifier: Apache-2.0
#include "percpu_platform.h"

#include <linux/membarrier.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "../../check.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {
namespace {

constexpr const char* kPossibleCpus = "/sys/devices/system/cpu/possible";

int membarrier(int command) noexcept {
  return static_cast<int>(syscall(SYS_membarrier, command, 0, 0));
}

// The largest id in a list such as "0-3,8-11", plus 1; 0 if it cannot be read.
unsigned read_possible_cpus() noexcept {
  std::FILE* file = std::fopen(kPossibleCpus, "re");
  if (file == nullptr) return 0;
  unsigned count = 0, id = 0;
  while (std::fscanf(file, "%u", &id) == 1) {
    if (id + 1 > count) count = id + 1;
    if (std::fgetc(file) == EOF) break;  // '-' or ','
  }
  std::fclose(file);
  return count;
}

unsigned possible_cpus() noexcept {
  static const unsigned count = read_possible_cpus();
  return count;
}

const char* find_obstacle() noexcept {
  if (possible_cpus() == 0) return "the possible CPUs are not known";
  if (possible_cpus() > kMaxCpus) return "more CPUs than this was built for";
#if PERCPU_HAS_RSEQ
  if (__rseq_size == 0) return "the C library has not registered restartable sequences";
#else
  return "no restartable sequence is written for this processor or C library";
#endif
  if (membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) != 0) {
    return "membarrier cannot restart sequences here";
  }
  return nullptr;
}

}  // namespace

ProcessState process_state;

unsigned default_cpus() noexcept {
  const unsigned count = possible_cpus();
  return count == 0 || count > kMaxCpus ? 1 : count;
}

// Decided once a process, before the first ref: each ref's init comes after a domain's constructor.
const char* why_no_sections() noexcept {
  static const char* const obstacle = [] {
    const char* found = find_obstacle();
    if (found == nullptr) process_state.cpu_limit = possible_cpus();
    return found;
  }();
  return obstacle;
}

Sections::Sections(unsigned cpus, CpuIndex, void*) noexcept : cpus_(cpus) {
  (void)why_no_sections();
}

unsigned Sections::current_cpu() const noexcept {
  const int cpu = sched_getcpu();
  return cpu >= 0 && static_cast<unsigned>(cpu) < cpus_ ? static_cast<unsigned>(cpu) : 0;
}

void Sections::wait_for_grace_period() noexcept {
  if (why_no_sections() != nullptr) return;  // there are no sections
  // sync[section] restart: every section that loaded the word before ATOMIC was set starts over.
  // sync[leave] acquire: a full barrier has run on every CPU since; see the header.
  while (membarrier(MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ) != 0) {
    // ENOMEM passes, and nothing has been waited for until it does. EPERM: not registered, as in
    // the child of a fork under some kernels. Anything else came after the first use, and there is
    // no safe way on: counts of running sections would be lost.
    PERCPU_CHECK(
        errno == ENOMEM ||
        (errno == EPERM && membarrier(MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED_RSEQ) == 0));
    sched_yield();
  }
}

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

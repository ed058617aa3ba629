// SPDX-License-Identifier: Apache-2.0
#include "stress/abort_points.h"

#include <linux/hw_breakpoint.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <ucontext.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <memory>
#include <vector>

// The table of the program's sections (struct rseq_cs), between what the linker calls its ends.
extern "C" {
struct RseqSection {
  uint32_t version, flags;
  uint64_t start, length, abort;
};
__attribute__((weak, visibility("hidden"))) extern const RseqSection __start___rseq_cs[];
__attribute__((weak, visibility("hidden"))) extern const RseqSection __stop___rseq_cs[];
}

namespace stress {
namespace {

struct Point {
  std::atomic<uint32_t> hits = 0;
};
struct Section {
  const RseqSection* table = nullptr;
  std::unique_ptr<Point[]> points;  // one an address
};

// One at a time: the adversary's.
std::atomic<int> armed_event = -1;
pid_t armed_thread = 0;
int stall_event = -1;
void* stall_samples = nullptr;
constexpr size_t kSamplePages = 65;  // a page of the kernel's, and a power of two
std::atomic<uint64_t> hits = 0, aborts = 0;
std::atomic<unsigned> delay_us =
    0;  // of a handler, so that much can happen before the section starts over
std::atomic<bool> moves = false;  // the handler goes to another CPU

std::vector<Section>& sections() {
  static std::vector<Section> all = [] {
    std::vector<Section> found;
    for (const RseqSection* table = __start___rseq_cs; table != __stop___rseq_cs; ++table)
      if (table->length != 0) found.push_back({table, std::make_unique<Point[]>(table->length)});
    return found;
  }();
  return all;
}

// Of those that the process may use. Until the next shuffle.
void move_to_another_cpu() {
  cpu_set_t allowed;
  const int own = sched_getcpu();
  if (own < 0 || sched_getaffinity(getpid(), sizeof allowed, &allowed) != 0) return;
  CPU_CLR(static_cast<unsigned>(own), &allowed);
  if (CPU_COUNT(&allowed) != 0) sched_setaffinity(0, sizeof allowed, &allowed);
}

// On the thread that has met the breakpoint. It is switched off first, or the section would never come past it.
void on_trap(int, siginfo_t* info, void* context) {
  const int kept = errno;
  const int event = armed_event.load(std::memory_order_relaxed);
  if (event >= 0) ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
  const auto address = reinterpret_cast<uint64_t>(info->si_addr);
  for (const Section& section : sections()) {
    if (address - section.table->start >= section.table->length) continue;
    hits.fetch_add(1, std::memory_order_relaxed);
    section.points[address - section.table->start].hits.fetch_add(1, std::memory_order_relaxed);
#if defined(__x86_64__)
    const auto at =
        static_cast<uint64_t>(static_cast<ucontext_t*>(context)->uc_mcontext.gregs[REG_RIP]);
    if (at == section.table->abort) aborts.fetch_add(1, std::memory_order_relaxed);
#else
    (void)context;
#endif
  }
  if (const unsigned us = delay_us.load(std::memory_order_relaxed); us != 0) {
    const timespec time = {0, static_cast<long>(us) * 1000};
    nanosleep(&time, nullptr);
  }
  if (moves.load(std::memory_order_relaxed)) move_to_another_cpu();
  errno = kept;
}

bool is_used(const Section& section) {
  for (uint64_t i = 0; i < section.table->length; ++i)
    if (section.points[i].hits.load(std::memory_order_relaxed) != 0) return true;
  return false;
}

// Mostly one that has been met before: a program has many copies of the section, and a scenario runs few.
const Section& choose_section(targets::Random& random) {
  std::vector<const Section*> used;
  for (const Section& section : sections())
    if (is_used(section)) used.push_back(&section);
  if (used.empty() || random.one_in(3))
    return sections()[random.below(static_cast<unsigned>(sections().size()))];
  return *used[random.below(static_cast<unsigned>(used.size()))];
}

perf_event_attr breakpoint_at(uint64_t address) {
  perf_event_attr attr;
  std::memset(&attr, 0, sizeof attr);
  attr.size = sizeof attr;
  attr.type = PERF_TYPE_BREAKPOINT;
  attr.bp_type = HW_BREAKPOINT_X;
  attr.bp_addr = address;
  attr.bp_len = sizeof(long);
  attr.sample_period = 1;
  attr.disabled = 1;
  attr.exclude_kernel = 1;
  attr.exclude_hv = 1;
  attr.remove_on_exec = 1;
  attr.sigtrap = 1;
  return attr;
}

}  // namespace

static void disarm_abort_point() {
  const int event = armed_event.exchange(-1, std::memory_order_relaxed);
  if (event >= 0) close(event);
}

void disarm_abort_points() {
  disarm_stall();
  disarm_abort_point();
}

int arm_abort_point(pid_t thread, targets::Random& random) {
  if (sections().empty()) return ENOENT;
  static const bool prepared = [] {
    struct sigaction action = {};
    action.sa_sigaction = on_trap;
    action.sa_flags = SA_SIGINFO | SA_RESTART;
    sigfillset(&action.sa_mask);
    return sigaction(SIGTRAP, &action, nullptr) == 0;
  }();
  if (!prepared) return EINVAL;
  const Section& section = choose_section(random);
  const uint64_t address =
      section.table->start + random.below(static_cast<unsigned>(section.table->length));
  delay_us.store(random.one_in(4) ? random.below(2000) : 0, std::memory_order_relaxed);
  moves.store(random.one_in(4), std::memory_order_relaxed);
  perf_event_attr attr = breakpoint_at(address);
  int event = armed_event.load(std::memory_order_relaxed);
  if (event >= 0) ioctl(event, PERF_EVENT_IOC_DISABLE, 0);
  if (event < 0 || armed_thread != thread) {
    disarm_abort_point();
    event =
        static_cast<int>(syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
    if (event < 0) return errno;
    armed_thread = thread;
    armed_event.store(event, std::memory_order_relaxed);
  } else if (ioctl(event, PERF_EVENT_IOC_MODIFY_ATTRIBUTES, &attr) != 0) {
    return errno;
  }
  return ioctl(event, PERF_EVENT_IOC_ENABLE, 0) == 0 ? 0 : errno;
}

int arm_stall(pid_t thread, targets::Random& random) {
  if (sections().empty()) return ENOENT;
  const Section& section = choose_section(random);
  // In the second half, where the word has been loaded.
  const auto half = static_cast<unsigned>(section.table->length / 2);
  perf_event_attr attr = breakpoint_at(section.table->start + half + random.below(half));
  attr.sigtrap = 0;
  attr.remove_on_exec = 0;
  attr.sample_type = PERF_SAMPLE_STACK_USER;
  attr.sample_stack_user = kSampledStack;
  disarm_stall();
  stall_event =
      static_cast<int>(syscall(SYS_perf_event_open, &attr, thread, -1, -1, PERF_FLAG_FD_CLOEXEC));
  if (stall_event < 0) return errno;
  // Read-only: the kernel overwrites what nobody reads.
  void* const samples = mmap(nullptr, kSamplePages * static_cast<size_t>(sysconf(_SC_PAGESIZE)),
                             PROT_READ, MAP_SHARED, stall_event, 0);
  if (samples == MAP_FAILED) return errno;
  stall_samples = samples;
  return ioctl(stall_event, PERF_EVENT_IOC_ENABLE, 0) == 0 ? 0 : errno;
}

void disarm_stall() {
  if (stall_event >= 0) close(stall_event);
  if (stall_samples != nullptr)
    munmap(stall_samples, kSamplePages * static_cast<size_t>(sysconf(_SC_PAGESIZE)));
  stall_event = -1;
  stall_samples = nullptr;
}

AbortPoints abort_points() {
  AbortPoints all;
  all.hits = hits.load(std::memory_order_relaxed);
  all.aborts = aborts.load(std::memory_order_relaxed);
  all.sections = static_cast<unsigned>(sections().size());
  for (const Section& section : sections()) {
    unsigned met = 0;
    for (uint64_t i = 0; i < section.table->length; ++i)
      met += section.points[i].hits.load(std::memory_order_relaxed) != 0 ? 1 : 0;
    if (met == 0) continue;
    ++all.used;
    all.instructions += met;
    all.expected += kSectionInstructions;
  }
  return all;
}

std::vector<MetSection> met_sections() {
  std::vector<MetSection> met;
  for (unsigned s = 0; s < sections().size(); ++s) {
    MetSection section{s, {}};
    for (uint64_t i = 0; i < sections()[s].table->length; ++i)
      if (const uint32_t n = sections()[s].points[i].hits.load(std::memory_order_relaxed); n != 0)
        section.hits.emplace_back(i, n);
    if (!section.hits.empty()) met.push_back(std::move(section));
  }
  return met;
}

std::string abort_points_in_words() {
  const AbortPoints all = abort_points();
  if (all.hits == 0) return "";
  return "aborts forced: " + std::to_string(all.aborts) + " of " + std::to_string(all.hits) +
         " breakpoints, at " + std::to_string(all.instructions) + " of " +
         std::to_string(all.expected) + " instructions of " + std::to_string(all.used) +
         " sections (" + std::to_string(all.sections) + " in the program)";
}

}  // namespace stress

// SPDX-License-Identifier: Apache-2.0
#include "sched/fiber.h"

#include <asm/prctl.h>
#include <link.h>
#include <linux/futex.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstring>

#include "sched/fatal.h"
#include "sched/real.h"
#include "sched/sched.h"
#include "sched/shadow.h"

#if SCHED_ASAN
extern "C" void __asan_unpoison_memory_region(const volatile void*, size_t);
#endif

// Saves the callee-saved registers on the stack that it leaves, and takes those of the other.
asm(R"(
.text
.type sched_swap, @function
sched_swap:
  pushq %rbp
  pushq %rbx
  pushq %r12
  pushq %r13
  pushq %r14
  pushq %r15
  movq %rsp, (%rdi)
  movq %rsi, %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
.size sched_swap, .-sched_swap
.type sched_start, @function
sched_start:
  xorl %ebp, %ebp
  call *%rbx
  ud2
.size sched_start, .-sched_start
.type sched_leave_stack, @function
sched_leave_stack:
  movq %rdi, %rsp
  xorl %ebp, %ebp
  call sched_park
  ud2
.size sched_leave_stack, .-sched_leave_stack
)");

extern "C" {
void sched_swap(void** save, void* to);
void sched_start();
[[noreturn]] void sched_leave_stack(void* stack);

// Raw system calls only: a parked donor must not pass through anything that the engine interposes.
[[noreturn, gnu::used, gnu::visibility("hidden")]] void sched_park() {
  static int never;
  for (;;) {
    long r = SYS_futex;
    register long r10 asm("r10") = 0;
    asm volatile("syscall"
                 : "+a"(r)
                 : "D"(&never), "S"(FUTEX_WAIT | FUTEX_PRIVATE_FLAG), "d"(0), "r"(r10)
                 : "rcx", "r11", "memory");
  }
}
}

namespace sched {

Fiber fibers[kMaxThreads];
Fiber host;

namespace {

constexpr size_t kGuardBytes = 4096;
constexpr size_t kParkBytes = 8192;

pid_t made_in;  // the process that owns the donors
bool has_fsgsbase;
volatile unsigned ready;

struct TlsImage {
  const char* start;
  size_t file_bytes, memory_bytes, alignment;
} tls;

int find_tls(dl_phdr_info* info, size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& p = info->dlpi_phdr[i];
    if (p.p_type == PT_TLS)
      tls = {reinterpret_cast<const char*>(info->dlpi_addr + p.p_vaddr), p.p_filesz, p.p_memsz,
             p.p_align};
  }
  return 1;  // the first is the executable
}

uintptr_t stack_base(unsigned index) {
  return kWorldBase + kHeapBytes + index * kStackBytes;
}

void* donor_main(void* argument) {
  auto* f = static_cast<Fiber*>(argument);
  f->thread_pointer = read_thread_pointer();
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  f->stack_top = (here - 2048) & ~uintptr_t{63};
  void* park =
      mmap(nullptr, kParkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SCHED_CHECK(park != MAP_FAILED, "no memory for a donor thread's parking stack");
  __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
  sched_leave_stack(static_cast<char*>(park) + kParkBytes - 64);
}

}  // namespace

void fibers_setup() {
  if (made_in == getpid()) return;
  made_in = getpid();
  // HWCAP2_FSGSBASE: the kernel lets user code set the FS base itself (Linux 5.9).
  has_fsgsbase = (getauxval(AT_HWCAP2) & 2) != 0;
  if (tls.start == nullptr) dl_iterate_phdr(find_tls, nullptr);
  host.thread_pointer = read_thread_pointer();
  ready = 0;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    auto* low = reinterpret_cast<char*>(stack_base(i));
    mprotect(low, kGuardBytes, PROT_NONE);
    fibers[i].stack_low = stack_base(i) + kGuardBytes;
    int rc = pthread_attr_setstack(&attr, low + kGuardBytes, kStackBytes - kGuardBytes);
    SCHED_CHECK(rc == 0, "pthread_attr_setstack failed");
    rc = real().pthread_create(&fibers[i].donor, &attr, donor_main, &fibers[i]);
    SCHED_CHECK(rc == 0, "cannot create the donor threads (is there a limit on threads?)");
    pthread_attr_destroy(&attr);
  }
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != kMaxThreads) usleep(50);
}

void set_thread_pointer(uint64_t value) {
  if (has_fsgsbase) {
    asm volatile("wrfsbase %0" ::"r"(value) : "memory");
  } else {
    long r = SYS_arch_prctl;
    asm volatile("syscall" : "+a"(r) : "D"(ARCH_SET_FS), "S"(value) : "rcx", "r11", "memory");
  }
}

void fiber_reset(Fiber& f, void (*entry)()) {
  auto** p = reinterpret_cast<void**>(f.stack_top);
  *--p = nullptr;
  *--p = nullptr;
  *--p = reinterpret_cast<void*>(sched_start);
  *--p = nullptr;                         // rbp
  *--p = reinterpret_cast<void*>(entry);  // rbx: sched_start calls it
  for (int i = 0; i < 4; ++i) *--p = nullptr;
  f.sp = p;
#if SCHED_ASAN
  // Frames abandoned by an earlier execution left their red zones. (The TLS image stays as it is:
  // the sanitizer's own per-thread state shares the segment.)
  __asan_unpoison_memory_region(reinterpret_cast<void*>(f.stack_low), f.stack_top - f.stack_low);
#else
  if (tls.memory_bytes != 0) {
    size_t rounded = (tls.memory_bytes + tls.alignment - 1) & ~(tls.alignment - 1);
    char* block = reinterpret_cast<char*>(f.thread_pointer - rounded);
    memcpy(block, tls.start, tls.file_bytes);
    memset(block + tls.file_bytes, 0, tls.memory_bytes - tls.file_bytes);
  }
#endif
}

void fiber_switch(Fiber& from, Fiber& to) {
  set_thread_pointer(to.thread_pointer);
  sched_swap(&from.sp, to.sp);
}

bool in_stack_guard(unsigned index, uintptr_t address) {
  return address - stack_base(index) < kGuardBytes;
}

}  // namespace sched

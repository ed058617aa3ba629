// SPDX-License-Identifier: Apache-2.0
#include "sched/fiber.h"

#include <asm/prctl.h>
#include <link.h>
#include <linux/futex.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstddef>
#include <cstring>

#include "sched/fatal.h"
#include "sched/real.h"
#include "sched/sched.h"
#include "sched/shadow.h"
#include "sched/signals.h"

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
)");

// The same between OS threads: gives the baton to `to`, and waits for its own. Who waits uses
// registers alone: its stack may be given to a new logical thread meanwhile, whose first frame
// fiber.sp then points to. Raw system calls, for it must not pass through anything that the engine
// interposes. The offsets are those of Fiber.
asm(R"(
.type sched_pass, @function
sched_pass:
  .cfi_startproc
  pushq %rbp
  .cfi_def_cfa_offset 16
  .cfi_offset %rbp, -16
  pushq %rbx
  .cfi_def_cfa_offset 24
  .cfi_offset %rbx, -24
  pushq %r12
  .cfi_def_cfa_offset 32
  .cfi_offset %r12, -32
  pushq %r13
  .cfi_def_cfa_offset 40
  .cfi_offset %r13, -40
  pushq %r14
  .cfi_def_cfa_offset 48
  .cfi_offset %r14, -48
  pushq %r15
  .cfi_def_cfa_offset 56
  .cfi_offset %r15, -56
  movq %rsp, (%rdi)
  movq %rdi, %r12
  movl $1, 8(%rsi)
  leaq 8(%rsi), %rdi
  movl $129, %esi
  movl $1, %edx
  movl $202, %eax
  syscall
sched_await:
  xorl %eax, %eax
  xchgl %eax, 8(%r12)
  testl %eax, %eax
  jnz 1f
  leaq 8(%r12), %rdi
  movl $128, %esi
  xorl %edx, %edx
  xorl %r10d, %r10d
  movl $202, %eax
  syscall
  jmp sched_await
1:
  movq (%r12), %rsp
  popq %r15
  popq %r14
  popq %r13
  popq %r12
  popq %rbx
  popq %rbp
  ret
  .cfi_endproc
.size sched_pass, .-sched_pass
.type sched_park, @function
sched_park:
  movq %rdi, %rsp
  movq %rsi, %r12
  xorl %ebp, %ebp
  jmp sched_await
.size sched_park, .-sched_park
)");

extern "C" {
void sched_swap(void** save, void* to);
void sched_start();
void sched_pass(void* from, void* to);
// Leaves the caller's stack for good, and waits for the baton.
[[noreturn]] void sched_park(void* stack, void* fiber);
}

namespace sched {

Fiber fibers[kMaxThreads];
Fiber host;

namespace {

constexpr size_t kGuardBytes = 4096;
constexpr size_t kParkBytes = 8192;

// What sched_pass knows.
static_assert(offsetof(Fiber, sp) == 0 && offsetof(Fiber, baton) == 8);
static_assert(SYS_futex == 202 && (FUTEX_WAIT | FUTEX_PRIVATE_FLAG) == 128 &&
              (FUTEX_WAKE | FUTEX_PRIVATE_FLAG) == 129);

bool made;  // the donors, in this process
bool has_fsgsbase;
bool on_os_threads;
volatile unsigned ready;

size_t tls_bytes;  // of the executable; they end at the thread pointer

int find_tls(dl_phdr_info* info, size_t, void*) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& p = info->dlpi_phdr[i];
    if (p.p_type == PT_TLS) tls_bytes = (p.p_memsz + p.p_align - 1) & ~(p.p_align - 1);
  }
  return 1;  // the first is the executable
}

size_t stack_bytes = kFirstStackBytes;

// Stacks are as far apart as the largest needs; what they do not use lies below.
uintptr_t stack_base(unsigned index) {
  return kWorldBase + kHeapBytes + (index + 1) * kStackBytes - stack_bytes;
}

void* tls_of(const Fiber& f) {
  return reinterpret_cast<void*>(f.thread_pointer - tls_bytes);
}

void* donor_main(void* argument) {
  auto* f = static_cast<Fiber*>(argument);
  f->thread_pointer = read_thread_pointer();
  auto here = reinterpret_cast<uintptr_t>(__builtin_frame_address(0));
  f->stack_top = (here - 2048) & ~uintptr_t{63};
  void* park =
      mmap(nullptr, kParkBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  SCHED_CHECK(park != MAP_FAILED, "no memory for a donor thread's parking stack");
  signals_setup_donor();
  f->tls_at_start = real_malloc(tls_bytes);
  SCHED_CHECK(f->tls_at_start != nullptr, "no memory for a donor thread's thread_locals");
  memcpy(f->tls_at_start, tls_of(*f), tls_bytes);
  __atomic_fetch_add(&ready, 1, __ATOMIC_SEQ_CST);
  sched_park(static_cast<char*>(park) + kParkBytes - 64, f);
}

}  // namespace

void fibers_setup() {
  if (made) return;
  made = true;
  static bool told_of_forks;
  if (!told_of_forks) pthread_atfork(nullptr, nullptr, [] { made = false; });
  told_of_forks = true;
  // HWCAP2_FSGSBASE: the kernel lets user code set the FS base itself (Linux 5.9).
  has_fsgsbase = (getauxval(AT_HWCAP2) & 2) != 0;
  if (tls_bytes == 0) dl_iterate_phdr(find_tls, nullptr);
  host.thread_pointer = read_thread_pointer();
  ready = 0;
  for (unsigned i = 0; i < kMaxThreads; ++i) {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    auto* low = reinterpret_cast<char*>(stack_base(i));
    mprotect(low, kGuardBytes, PROT_NONE);
    fibers[i].stack_low = stack_base(i) + kGuardBytes;
    fibers[i].baton = 0;
    int rc = pthread_attr_setstack(&attr, low + kGuardBytes, stack_bytes - kGuardBytes);
    SCHED_CHECK(rc == 0, "pthread_attr_setstack failed");
    rc = real().pthread_create(&fibers[i].donor, &attr, donor_main, &fibers[i]);
    SCHED_CHECK(rc == 0, "cannot create the donor threads (is there a limit on threads?)");
    pthread_attr_destroy(&attr);
  }
  while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) != kMaxThreads) usleep(50);
}

void fibers_set_stack(size_t bytes) {
  stack_bytes = bytes;
}

void fibers_use_os_threads(bool yes) {
  on_os_threads = yes;
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
  // Frames abandoned by an earlier execution left their red zones.
  __asan_unpoison_memory_region(reinterpret_cast<void*>(f.stack_low), f.stack_top - f.stack_low);
#endif
  memcpy(tls_of(f), f.tls_at_start, tls_bytes);
}

void fiber_switch(Fiber& from, Fiber& to) {
  if (__builtin_expect(on_os_threads, 0)) return sched_pass(&from, &to);
  set_thread_pointer(to.thread_pointer);
  sched_swap(&from.sp, to.sp);
}

Suspended where_suspended(const Fiber& f) {
  // What sched_swap and sched_pass leave on top: r15 to r12, rbx, rbp, the return address.
  auto* words = static_cast<const uintptr_t*>(f.sp);
  return {words[6], words[5]};
}

bool in_stack_guard(unsigned index, uintptr_t address) {
  return address - stack_base(index) < kGuardBytes;
}

}  // namespace sched

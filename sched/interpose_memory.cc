// SPDX-License-Identifier: Apache-2.0
// malloc and its family: logical threads allocate from the execution's arena, everybody else from
// the real heap. Pointers tell where they belong, so either may free what the other made.
#include <errno.h>
#include <malloc.h>

#include <cstring>
#include <new>

#include "sched/arena.h"
#include "sched/engine.h"
#include "sched/real.h"

namespace sched {
namespace {

#define SCHED_PC() reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// Whether an allocation called from `pc` belongs to the execution.
bool ours(uintptr_t pc) {
  return here() && !library_text.holds(pc);
}

bool power_of_two(size_t n) {
  return n != 0 && (n & (n - 1)) == 0;
}

void* allocate(size_t size, size_t alignment) {
  void* p = arena_allocate(size, alignment);
  if (p == nullptr) errno = ENOMEM;
  return p;
}

void release_memory(void* p) {
  if (!in_heap(reinterpret_cast<uintptr_t>(p))) return real_free(p);
  if (here()) arena_free(p);
  // Otherwise its execution is over, and the arena with it.
}

void* allocate_for(uintptr_t pc, size_t size) {
  return ours(pc) ? allocate(size, 16) : real_malloc(size);
}

void* reallocate(uintptr_t pc, void* p, size_t size) {
  bool in_arena = in_heap(reinterpret_cast<uintptr_t>(p));
  if (p == nullptr) return allocate_for(pc, size);
  if (!in_arena) return real_realloc(p, size);
  void* q = allocate_for(pc, size);
  if (q == nullptr) return nullptr;
  size_t old = arena_size(p);
  memcpy(q, p, old < size ? old : size);
  free(p);
  return q;
}

void* aligned(size_t alignment, size_t size) {
  if (!here()) return real_memalign(alignment, size);
  if (!power_of_two(alignment)) {
    errno = EINVAL;
    return nullptr;
  }
  return allocate(size, alignment);
}

}  // namespace
}  // namespace sched

using namespace sched;

// The link asks for this name, so that these definitions are taken before a sanitizer's weak ones.
extern "C" const char sched_interpose_memory;
const char sched_interpose_memory = 1;

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))

SCHED_EXPORT void* malloc(size_t size) {
  return allocate_for(SCHED_PC(), size);
}

SCHED_EXPORT void free(void* p) {
  if (p != nullptr) release_memory(p);
}

SCHED_EXPORT void* calloc(size_t count, size_t size) {
  if (!ours(SCHED_PC())) return real_calloc(count, size);
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  void* p = allocate(bytes, 16);
  if (p != nullptr) memset(p, 0, bytes);
  return p;
}

SCHED_EXPORT void* realloc(void* p, size_t size) {
  return reallocate(SCHED_PC(), p, size);
}

SCHED_EXPORT void* reallocarray(void* p, size_t count, size_t size) {
  size_t bytes;
  if (__builtin_mul_overflow(count, size, &bytes)) {
    errno = ENOMEM;
    return nullptr;
  }
  return reallocate(SCHED_PC(), p, bytes);
}

SCHED_EXPORT void* memalign(size_t alignment, size_t size) {
  return aligned(alignment, size);
}
SCHED_EXPORT void* aligned_alloc(size_t alignment, size_t size) {
  return aligned(alignment, size);
}
SCHED_EXPORT int posix_memalign(void** out, size_t alignment, size_t size) {
  if (!power_of_two(alignment) || alignment % sizeof(void*) != 0) return EINVAL;
  void* p = aligned(alignment, size);
  if (p == nullptr) return ENOMEM;
  *out = p;
  return 0;
}

#if !SCHED_ASAN
SCHED_EXPORT size_t malloc_usable_size(void* p) {
  if (p == nullptr) return 0;
  if (in_heap(reinterpret_cast<uintptr_t>(p))) return arena_size(p);
  // glibc keeps a chunk's size in front of it; the low three bits are flags.
  size_t chunk = static_cast<size_t*>(p)[-1];
  return (chunk & ~size_t{7}) - ((chunk & 2) != 0 ? 2 : 1) * sizeof(size_t);
}
#endif

// The C++ library's operators would call malloc, but keep no frame pointer: the stacks of allocations
// would end there. AddressSanitizer's would not call it.
namespace {
void* allocate_or_throw(size_t size) {
  void* p = malloc(size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
void* allocate_or_throw(size_t size, std::align_val_t alignment) {
  void* p = memalign(static_cast<size_t>(alignment), size);
  if (p == nullptr) throw std::bad_alloc();
  return p;
}
}  // namespace

void* operator new(size_t n) {
  return allocate_or_throw(n);
}
void* operator new[](size_t n) {
  return allocate_or_throw(n);
}
void* operator new(size_t n, const std::nothrow_t&) noexcept {
  return malloc(n);
}
void* operator new[](size_t n, const std::nothrow_t&) noexcept {
  return malloc(n);
}
void* operator new(size_t n, std::align_val_t a) {
  return allocate_or_throw(n, a);
}
void* operator new[](size_t n, std::align_val_t a) {
  return allocate_or_throw(n, a);
}
void* operator new(size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return memalign(static_cast<size_t>(a), n);
}
void* operator new[](size_t n, std::align_val_t a, const std::nothrow_t&) noexcept {
  return memalign(static_cast<size_t>(a), n);
}
void operator delete(void* p) noexcept {
  free(p);
}
void operator delete[](void* p) noexcept {
  free(p);
}
void operator delete(void* p, size_t) noexcept {
  free(p);
}
void operator delete[](void* p, size_t) noexcept {
  free(p);
}
void operator delete(void* p, const std::nothrow_t&) noexcept {
  free(p);
}
void operator delete[](void* p, const std::nothrow_t&) noexcept {
  free(p);
}
void operator delete(void* p, std::align_val_t) noexcept {
  free(p);
}
void operator delete[](void* p, std::align_val_t) noexcept {
  free(p);
}
void operator delete(void* p, size_t, std::align_val_t) noexcept {
  free(p);
}
void operator delete[](void* p, size_t, std::align_val_t) noexcept {
  free(p);
}

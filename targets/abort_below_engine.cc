// SPDX-License-Identifier: Apache-2.0
#include "targets/abort_below_engine.h"

#include <dlfcn.h>

#include <cstdint>
#include <cstdlib>
#include <string_view>

namespace targets {
namespace {

// What the frame pointer points at.
struct Frame {
  Frame* caller;
  void* return_address;
};

constexpr unsigned kMaxFrames = 64;
constexpr uintptr_t kMaxFrameBytes = 1 << 20;

enum class Owner { kUnknown, kEngineEntry, kEngine, kCodeUnderTest };

// The engine's functions are hidden, but for its interface and for what it puts in the place of the C library and of
// the sanitizer's runtime, which have names of C.
Owner owner_of(void* return_address) {
  Dl_info here, info;
  if (dladdr(reinterpret_cast<void*>(&owner_of), &here) == 0) return Owner::kUnknown;
  // The call itself: what follows a call that does not return may be of the next function.
  void* call = static_cast<char*>(return_address) - 1;
  if (dladdr(call, &info) == 0 || info.dli_sname == nullptr || info.dli_fbase != here.dli_fbase)
    return Owner::kUnknown;
  const std::string_view name = info.dli_sname;
  if (!name.starts_with("_Z")) return Owner::kEngineEntry;
  const bool engine = name.starts_with("_ZN5sched") || name.starts_with("_ZN7targets7runtime") ||
                      name.starts_with("_ZSt");
  return engine ? Owner::kEngine : Owner::kCodeUnderTest;
}

bool is_next(const Frame* frame, const Frame* caller) {
  const auto at = reinterpret_cast<uintptr_t>(frame), next = reinterpret_cast<uintptr_t>(caller);
  return next > at && next - at < kMaxFrameBytes && next % alignof(Frame) == 0;
}

// Of the function that code under test has called; nullptr: not found.
const Frame* outermost_of_engine(const Frame* frame) {
  bool entered = false;
  for (unsigned i = 0; i < kMaxFrames; ++i) {
    const Owner owner = owner_of(frame->return_address);
    if (entered || owner == Owner::kCodeUnderTest) return frame;
    entered = owner == Owner::kEngineEntry;
    if (!is_next(frame, frame->caller)) return nullptr;
    frame = frame->caller;
  }
  return nullptr;
}

}  // namespace

void abort_below_engine() {
#if defined(__x86_64__)
  const auto* frame = outermost_of_engine(static_cast<const Frame*>(__builtin_frame_address(0)));
  if (frame != nullptr) {
    // As if the function of that frame had been left, and abort been called in its place.
    asm volatile(
        "mov %0, %%rsp\n\t"
        "mov %1, %%rbp\n\t"
        "jmp *%2"
        :
        : "r"(&frame->return_address), "r"(frame->caller), "r"(&std::abort)
        : "memory");
  }
#endif
  std::abort();
}

}  // namespace targets

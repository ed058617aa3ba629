// SPDX-License-Identifier: Apache-2.0
#include "sched/recorder.h"

#include <dlfcn.h>
#include <unwind.h>

#include <cstdio>
#include <map>
#include <string>
#include <vector>

#include "sched/arena.h"
#include "sched/debugger.h"
#include "sched/demangle.h"
#include "sched/engine.h"
#include "sched/symbols.h"

namespace sched {
namespace {

struct Access {
  uint8_t thread;
  bool writes, atomic;
  uint64_t step;
  std::vector<uintptr_t> stack;
};
struct HeapEvent {
  uint8_t thread;
  std::vector<uintptr_t> stack;
};
struct Range {
  uintptr_t address;
  size_t size;
  char name[32];
};
struct PendingChoice {
  uint32_t thread, op, point, to;
  uint32_t departure;  // not 0: no thread was chosen, and `to` means nothing
  uint64_t step;
};

// Built with the engine inactive, so all of it lives on the host's heap. Never destroyed:
// sanitizers and exit handlers may still look at it.
struct Recorder {
  Recording out;
  std::vector<PendingChoice> choices;
  std::map<uintptr_t, std::vector<Access>> accesses;  // by granule
  std::map<uintptr_t, HeapEvent> allocated, freed;    // by payload address
};
Recorder& recorder() {
  static auto* r = new Recorder;
  return *r;
}

constexpr unsigned kMaxRanges = 64;
Range ranges[kMaxRanges];
unsigned range_count;

constexpr unsigned kMaxFrames = 24;
// Beyond these the older half of the steps is dropped: what matters is at the end.
constexpr size_t kMaxSteps = 1u << 19;

// The recorder needs stack of its own on the fiber, and must not overflow inside malloc.
constexpr uintptr_t kHeadroomBytes = 48u << 10;
void check_headroom() {
  if (reinterpret_cast<uintptr_t>(__builtin_frame_address(0)) - fiber(g.current).stack_low <
      kHeadroomBytes)
    fail_execution(FailureKind::kStackOverflow, "G8", kStackOverflowMessage);
}

std::string hex(uintptr_t v) {
  char b[20];
  snprintf(b, sizeof b, "0x%zx", static_cast<size_t>(v));
  return b;
}

std::string plus(const std::string& name, size_t offset) {
  return offset == 0 ? name : name + "+" + std::to_string(offset);
}

std::string thread_name(uint32_t t) {
  return g.threads[t].name;
}

const Access* last_access(uintptr_t address, unsigned size, uint32_t thread, bool want_write) {
  auto it = recorder().accesses.find(address >> 3);
  (void)size;
  if (it == recorder().accesses.end()) return nullptr;
  const auto& list = it->second;
  for (auto a = list.rbegin(); a != list.rend(); ++a)
    if (a->thread == thread && a->writes == want_write) return &*a;
  for (auto a = list.rbegin(); a != list.rend(); ++a)
    if (a->thread == thread) return &*a;
  return nullptr;
}

void add_heap_stacks(uintptr_t address, bool freed) {
  const Block* block = arena_find(address);
  if (block == nullptr) return;
  auto& r = recorder();
  if (auto it = r.freed.find(block->address); freed && it != r.freed.end())
    g.failure.stacks.push_back({"freed by " + thread_name(it->second.thread), it->second.stack});
  if (auto it = r.allocated.find(block->address); it != r.allocated.end())
    g.failure.stacks.push_back(
        {"allocated by " + thread_name(it->second.thread), it->second.stack});
}

}  // namespace

void recorder_reset() {
  EngineOff off;
  range_count = 0;
  if (!g.recording) return;
  recorder() = Recorder{};
}

namespace {

void follow_frames(const Fiber& f, uintptr_t fp, std::vector<uintptr_t>& pcs) {
  while (pcs.size() < kMaxFrames && fp % 8 == 0 && fp > f.stack_low && fp + 16 <= f.stack_top) {
    auto* words = reinterpret_cast<uintptr_t*>(fp);
    if (words[1] < 4096) break;
    pcs.push_back(words[1]);
    if (words[0] <= fp) break;
    fp = words[0];
  }
}

}  // namespace

std::vector<uintptr_t> capture_stack(void* frame) {
  std::vector<uintptr_t> pcs;
  follow_frames(fiber(g.current), reinterpret_cast<uintptr_t>(frame), pcs);
  return pcs;
}

std::vector<uintptr_t> unwind_stack() {
  std::vector<uintptr_t> pcs;
  _Unwind_Backtrace(
      [](_Unwind_Context* context, void* to) {
        auto* list = static_cast<std::vector<uintptr_t>*>(to);
        list->push_back(_Unwind_GetIP(context));
        return list->size() < kMaxFrames ? _URC_NO_REASON : _URC_END_OF_STACK;
      },
      &pcs);
  return pcs;
}

std::vector<uintptr_t> capture_stack_of(uint32_t thread) {
  const Fiber& f = fiber(thread);
  const Suspended at = where_suspended(f);
  std::vector<uintptr_t> pcs{at.pc};
  follow_frames(f, at.frame, pcs);
  return pcs;
}

void record_step(StepKind kind, uintptr_t address, unsigned size, int order, uint64_t before,
                 uint64_t value, uintptr_t pc, uint32_t age) {
  check_headroom();
  EngineOff off;
  Step s;
  s.index = steps_so_far();
  s.thread = static_cast<uint8_t>(g.current);
  s.kind = kind;
  s.order = static_cast<int8_t>(order);
  s.size = static_cast<uint8_t>(size);
  s.op = g.self->op;
  s.address = address;
  s.before = before;
  s.age = age;
  s.value = value;
  s.pc = pc;
  if (address != 0) s.text = describe_address(address);
  auto& steps = recorder().out.steps;
  if (steps.size() == kMaxSteps) steps.erase(steps.begin(), steps.begin() + kMaxSteps / 2);
  steps.push_back(std::move(s));
  if (__builtin_expect(lastput_stop_at != 0 && steps_so_far() >= lastput_stop_at, 0))
    lastput_stopped_at_step(steps_so_far());
}

void record_heap(StepKind kind, uintptr_t address, size_t size) {
  check_headroom();
  void* frame = __builtin_frame_address(0);
  EngineOff off;
  auto& where = kind == StepKind::kMalloc ? recorder().allocated : recorder().freed;
  where[address] = {static_cast<uint8_t>(g.current), capture_stack(frame)};
  record_step(kind, address, 0, -1, 0, size, 0);
}

void record_note(const char* text) {
  EngineOff off;
  record_step(StepKind::kNote, 0, 0, -1, 0, 0, 0);
  recorder().out.steps.back().text = text;
}

void record_access(uintptr_t address, unsigned size, bool writes, bool atomic) {
  check_headroom();
  void* frame = __builtin_frame_address(0);
  EngineOff off;
  Access access{static_cast<uint8_t>(g.current), writes, atomic, steps_so_far(),
                capture_stack(frame)};
  for (uintptr_t granule = address >> 3; granule <= (address + size - 1) >> 3; ++granule) {
    auto& list = recorder().accesses[granule];
    // Only the latest of each thread and direction is ever asked for, so a long loop needs no more.
    std::erase_if(list,
                  [&](const Access& a) { return a.thread == access.thread && a.writes == writes; });
    list.push_back(access);
  }
}

void record_choice(uint32_t thread, uint32_t op, uint32_t point, uint32_t to) {
  EngineOff off;
  recorder().choices.push_back({thread, op, point, to, 0, steps_so_far()});
}

void record_departure(uint32_t thread, uint32_t op, uint32_t point, uint32_t number) {
  EngineOff off;
  recorder().choices.push_back({thread, op, point, 0, number, steps_so_far()});
}

const Recording& recorder_finish() {
  EngineOff off;
  auto& r = recorder();
  r.out.threads.clear();
  for (uint32_t i = 0; i < g.thread_count; ++i) r.out.threads.push_back(thread_name(i));
  r.out.choices.clear();
  r.out.choice_steps.clear();
  for (const auto& c : r.choices) {
    r.out.choice_steps.push_back(c.step);
    r.out.choices.push_back(
        {thread_name(c.thread), c.op, c.point,
         c.departure != 0 ? "-" + std::to_string(c.departure) : thread_name(c.to)});
  }
  return r.out;
}

Recording recorder_take() {
  recorder_finish();
  return std::move(recorder().out);
}

void name_range(uintptr_t address, size_t size, const char* name) {
  for (unsigned i = 0; i < range_count; ++i)
    if (ranges[i].address == address && ranges[i].size == size) {
      snprintf(ranges[i].name, sizeof ranges[i].name, "%s", name);
      return;
    }
  if (range_count == kMaxRanges) return;
  Range& r = ranges[range_count++];
  r.address = address;
  r.size = size;
  snprintf(r.name, sizeof r.name, "%s", name);
}

std::string describe_address(uintptr_t address) {
  EngineOff off;
  const Range* best = nullptr;
  for (unsigned i = 0; i < range_count; ++i)
    if (address - ranges[i].address < ranges[i].size &&
        (best == nullptr || ranges[i].size <= best->size))
      best = &ranges[i];
  if (best != nullptr) return plus(best->name, address - best->address);
  if (in_heap(address)) {
    const Block* block = arena_find(address);
    if (block == nullptr) return "heap";
    std::string name = "heap#" + std::to_string(block->number);
    if (address < block->address) return name + "-" + std::to_string(block->address - address);
    return plus(name, address - block->address);
  }
  if (in_world(address)) {
    uint32_t t = static_cast<uint32_t>((address - kWorldBase - kHeapBytes) / kStackBytes);
    return "stack of " + thread_name(t) + " -" +
           std::to_string(fiber(t).stack_top -
                          (address < fiber(t).stack_top ? address : fiber(t).stack_top));
  }
  if (in_image(address)) {
    const std::string name = variable_at(address);
    return name.empty() ? "global+" + hex(address - shadow.image_base) : name;
  }
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(address), &info) != 0 && info.dli_sname != nullptr)
    return plus(demangled(info.dli_sname), address - reinterpret_cast<uintptr_t>(info.dli_saddr));
  return "memory";
}

void fail_race(uintptr_t address, unsigned size, const char* mine, uint32_t other,
               const char* theirs, bool is_free) {
  void* frame = __builtin_frame_address(0);
  g.active = false;
  std::string what = is_free ? "free" : mine;
  std::string message = what + " of " + describe_address(address) + " by " +
                        thread_name(g.current) + " is not ordered after the " + theirs + " by " +
                        thread_name(other);
  if (g.recording) {
    g.failure.stacks.push_back({what + " by " + thread_name(g.current), capture_stack(frame)});
    bool wrote = std::string(theirs).find("write") != std::string::npos;
    if (const Access* a = last_access(address, size, other, wrote))
      g.failure.stacks.push_back({"earlier " + std::string(theirs) + " by " + thread_name(other) +
                                      " at step " + std::to_string(a->step),
                                  a->stack});
    add_heap_stacks(address, false);
  }
  fail_composed(FailureKind::kDataRace, is_free ? "G8" : "G7", std::move(message));
}

void fail_heap(uintptr_t address, unsigned size, bool writes, bool freed) {
  void* frame = __builtin_frame_address(0);
  g.active = false;
  std::string message = std::string(writes ? "write" : "read") + " of " + std::to_string(size) +
                        (size == 1 ? " byte at " : " bytes at ") + describe_address(address) +
                        " by " + thread_name(g.current) +
                        (freed ? ", which was freed" : ", outside of the heap block");
  if (g.recording) {
    g.failure.stacks.push_back(
        {std::string(writes ? "write" : "read") + " by " + thread_name(g.current),
         capture_stack(frame)});
    add_heap_stacks(address, freed);
  }
  fail_composed(freed ? FailureKind::kUseAfterFree : FailureKind::kOutOfBounds, "G8",
                std::move(message));
}

void add_leak_stacks() {
  const Block* block = arena_first_live();
  if (block != nullptr) add_heap_stacks(block->address, false);
}

}  // namespace sched

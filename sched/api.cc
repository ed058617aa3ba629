// SPDX-License-Identifier: Apache-2.0
// What the code that drives the code under test calls from inside an execution (sched.h), and names.
#include <cstdio>
#include <cstdlib>
#include <iterator>

#include "sched/arena.h"
#include "sched/engine.h"
#include "sched/recorder.h"
#include "sched/strategy.h"

namespace sched {

// -----------------------------------------------------------------------

bool active() {
  return here();
}

void begin_op(uint32_t index) {
  if (!here()) return;
  g.self->op = index;
  g.self->choices_in_op = 0;
  mix_hash(0x09 + (uint64_t{index} << 8));
  if (g.recording) record_step(StepKind::kOp, 0, 0, -1, 0, index, 0);
}

void name_thread(const char* name) {
  if (here()) copy_name(g.self->name, name);
}

void name_next_thread(const char* name) {
  if (!here()) return;
  copy_name(g.next_name_buffer, name);
  g.next_name = g.next_name_buffer;
}

void name_object(const void* address, size_t size, const char* name) {
  if (g.recording && here()) name_range(reinterpret_cast<uintptr_t>(address), size, name);
}

void note(const char* text) {
  if (g.recording && here()) record_note(text);
}

void fail_allocation(uint32_t n) {
  if (!here() || n == 0 || n > kMaxFailAllocation) return;
  arena_fail(n);
  mix_hash(0xfa11 + (uint64_t{n} << 32));
  if (!g.recording) return;
  char text[48];
  snprintf(text, sizeof text, "allocation %u from here on fails", n);
  record_note(text);
}

uint32_t choose(uint32_t n) {
  if (!here()) return 0;
  uint32_t c = choose_number(n);
  mix_hash(0xc4005e + (uint64_t{c} << 32));
  return c;
}

void fail(const char* guarantee, const char* message) {
  if (here()) fail_execution(FailureKind::kOracle, guarantee, message);
  fprintf(stderr, "lastput: %s broken: %s\n", guarantee, message);
  abort();
}

const char* failure_kind_name(FailureKind kind) {
  switch (kind) {
    case FailureKind::kNone:
      return "none";
    case FailureKind::kOracle:
      return "guarantee";
    case FailureKind::kDataRace:
      return "data-race";
    case FailureKind::kUseAfterFree:
      return "use-after-free";
    case FailureKind::kBadFree:
      return "bad-free";
    case FailureKind::kOutOfBounds:
      return "out-of-bounds";
    case FailureKind::kLeak:
      return "leak";
    case FailureKind::kDeadlock:
      return "deadlock";
    case FailureKind::kLostWakeup:
      return "lost-wakeup";
    case FailureKind::kLockMisuse:
      return "lock-misuse";
    case FailureKind::kLivelock:
      return "livelock";
    case FailureKind::kStackOverflow:
      return "stack-overflow";
    case FailureKind::kCrash:
      return "crash";
    case FailureKind::kNondeterminism:
      return "nondeterminism";
    case FailureKind::kLimit:
      return "engine-limit";
    case FailureKind::kSyncMisuse:
      return "sync-misuse";
    case FailureKind::kThreadMisuse:
      return "thread-misuse";
    case FailureKind::kExitStatus:
      return "exit-status";
    case FailureKind::kNoProgress:
      return "no-progress";
  }
  return "unknown";
}

static constexpr const char* kStrategyNames[] = {"random", "pct", "surw"};

const char* strategy_name(Strategy strategy) {
  return kStrategyNames[static_cast<unsigned>(strategy)];
}

bool find_strategy(std::string_view name, Strategy* strategy) {
  for (uint8_t i = 0; i < std::size(kStrategyNames); ++i)
    if (name == kStrategyNames[i]) return *strategy = Strategy{i}, true;
  return false;
}

const char* step_kind_name(StepKind kind) {
  static const char* const names[] = {"load",   "store", "rmw",    "cas-fail",  "fence",  "read",
                                      "write",  "lock",  "unlock", "try-lock",  "wait",   "wake",
                                      "create", "join",  "exit",   "yield",     "sleep",  "malloc",
                                      "free",   "op",    "note",   "read-lock", "destroy"};
  return names[static_cast<unsigned>(kind)];
}

}  // namespace sched

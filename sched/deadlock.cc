// SPDX-License-Identifier: Apache-2.0
// Verdicts on threads that wait for each other, and who holds what.
#include <string>

#include "sched/engine.h"
#include "sched/recorder.h"
#include "sched/sync.h"

namespace sched {
namespace {

const char* noun_of(WaitFor what) {
  switch (what) {
    case WaitFor::kMutex:
      return "mutex";
    case WaitFor::kSpin:
      return "spin lock";
    case WaitFor::kReading:
    case WaitFor::kWriting:
      return "read-write lock";
    case WaitFor::kOnce:
      return "the initialiser of";
    case WaitFor::kCondition:
      return "condition variable";
    case WaitFor::kFutex:
      return "an atomic wait, or a futex, at";
    case WaitFor::kSemaphore:
      return "semaphore";
    case WaitFor::kBarrier:
      return "barrier";
    case WaitFor::kNothing:
    case WaitFor::kThread:
    case WaitFor::kTime:
      return "time";
  }
  return "";
}

std::string name_of(uint32_t thread) {
  const Thread& t = g.threads[thread];
  return t.state == State::kDone ? std::string(t.name) + ", which has ended" : t.name;
}

std::string readers_of(const Sync& sync) {
  std::string names;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    if (sync.reads[i] == 0) continue;
    names += (names.empty() ? "" : " and ") + name_of(i);
  }
  return names;
}

std::string holders_of(WaitFor what, const Sync& sync) {
  if (what == WaitFor::kBarrier) return ", where " + std::to_string(sync.count) + " have come";
  if (sync.owner >= 0) {
    const char* how = what == WaitFor::kOnce ? ", which is run by " : ", held by ";
    return how + name_of(static_cast<uint32_t>(sync.owner));
  }
  if (what == WaitFor::kWriting) return ", held for reading by " + readers_of(sync);
  if (what == WaitFor::kReading)
    return ", for which a writer waits; it is held for reading by " + readers_of(sync);
  return "";
}

bool waits_for_a_lock(const Thread& t) {
  return t.state == State::kBlocked && !t.timed &&
         (t.wait_for == WaitFor::kMutex || t.wait_for == WaitFor::kSpin ||
          t.wait_for == WaitFor::kReading || t.wait_for == WaitFor::kWriting);
}

// Who alone holds what thread `t` waits for, or kMaxThreads.
uint32_t holder_for(const Thread& t) {
  if (!waits_for_a_lock(t)) return kMaxThreads;
  const Sync* sync = find_sync(t.wait_key);
  return sync == nullptr || sync->owner < 0 ? kMaxThreads : static_cast<uint32_t>(sync->owner);
}

[[noreturn]] void fail_circle(WaitFor what, const void* key, uint32_t owner) {
  g.active = false;
  g.self->wait_for = what;
  g.self->wait_key = key;
  std::string message = "a circle of threads: " + describe_wait(*g.self);
  for (uint32_t i = owner; i != g.current; i = holder_for(g.threads[i]))
    message += "; " + describe_wait(g.threads[i]);
  fail_composed(FailureKind::kDeadlock, "G9", std::move(message));
}

}  // namespace

std::string describe_wait(const Thread& t) {
  std::string text = std::string(t.name) + " waits for ";
  if (t.wait_for == WaitFor::kThread)
    return text + static_cast<const Thread*>(t.wait_key)->name + " to end";
  text += noun_of(t.wait_for);
  if (t.wait_key == nullptr) return text;
  const auto address = reinterpret_cast<uintptr_t>(t.wait_key);
  text += " " + describe_address(address);
  const Sync* sync = find_sync(t.wait_key);
  return sync == nullptr ? text : text + holders_of(t.wait_for, *sync);
}

void nobody_can_run() {
  g.active = false;
  bool lost_wakeup = false;
  std::string message = "nobody can run";
  const char* separator = ": ";
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    const Thread& t = g.threads[i];
    if (t.state != State::kBlocked) continue;
    lost_wakeup |= t.wait_for == WaitFor::kCondition || t.wait_for == WaitFor::kFutex;
    message += separator + describe_wait(t);
    separator = "; ";
  }
  fail_composed(lost_wakeup ? FailureKind::kLostWakeup : FailureKind::kDeadlock, "G9",
                std::move(message));
}

void check_circle(WaitFor what, const void* key, uint32_t owner) {
  uint32_t i = owner;
  for (uint32_t hops = 0; i != kMaxThreads && hops < g.thread_count; ++hops) {
    if (i == g.current) fail_circle(what, key, owner);
    i = holder_for(g.threads[i]);
  }
}

}  // namespace sched

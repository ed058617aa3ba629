// SPDX-License-Identifier: Apache-2.0
#include "sched/engine.h"

#include <pthread.h>

#include <bit>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "sched/arena.h"
#include "sched/debugger.h"
#include "sched/exploration.h"
#include "sched/fatal.h"
#include "sched/journal.h"
#include "sched/memory.h"
#include "sched/profile.h"
#include "sched/recorder.h"
#include "sched/signals.h"
#include "sched/strategy.h"
#include "sched/sync.h"
#include "sched/thread_keys.h"

// Of the C++ runtime, whichever it is; null where the thread has none yet.
extern "C" void* exception_globals() noexcept __asm__("__cxa_get_globals_fast");

namespace sched {

Engine g;

namespace {

constexpr uint32_t kNobody = kMaxThreads;
constexpr uint64_t kFairTurn = 50;  // points
// Exceptions being handled, and how many are in flight (Itanium C++ ABI, exception handling 2.2.2).
constexpr size_t kExceptionGlobalsBytes = 16;
#define SCHED_WORDS(x) #x
#define SCHED_VALUE_IN_WORDS(x) SCHED_WORDS(x)
constexpr const char* kTooManyThreads =
    "more than " SCHED_VALUE_IN_WORDS(SCHED_MAX_THREADS) " threads at once";

Verdict ending;  // how the current execution ended

// Starts the countdown to slow_point(): the strategy's distance, or less where the budget ends
// first, or one point where every point matters (recording, given choices).
void set_countdown(uint64_t distance) {
  g.strategy_left = distance;
  uint64_t left = g.step_limit - g.steps;
  uint64_t n = distance == 0 || distance > left ? left : distance;
  if (g.every_point) n = 1;
  g.interval = n;
  g.countdown = static_cast<int64_t>(n);
}

// Moves to the account what the countdown has counted; its rest goes on.
void settle_steps() {
  uint64_t done = g.interval - static_cast<uint64_t>(g.countdown);
  g.steps += done;
  g.interval = static_cast<uint64_t>(g.countdown);
}

[[noreturn]] void leave_execution(Verdict verdict) {
  ending = verdict;
  g.active = false;
  fiber_switch(fiber(g.current), host_fiber());
  __builtin_unreachable();
}

void check_budget() {
  if (g.steps < g.step_limit) return;
  if (g.fair)
    fail_execution(
        FailureKind::kLivelock, "G9",
        "no end under a fair schedule either: a livelock, or too small budgets of steps");
  if (g.options.fair_budget == 0) leave_execution(Verdict::kCutOff);
  g.fair = true;
  g.step_limit += g.options.fair_budget;
  set_countdown(1);
}

// Points of a fair turn. Of all lengths: turns that are as long as a loop would always end where it holds
// a lock, and whoever waits for that would starve.
uint64_t fair_turn() {
  return 1 + (g.steps * 0x9e3779b97f4a7c15 >> 32) % (2 * kFairTurn - 1);
}

// Points until the current thread's turn is over; 0 = never.
uint64_t next_turn() {
  return g.fair ? fair_turn() : next_distance();
}

void switch_to(uint32_t next) {
  if (next == g.current) return;
  ++g.switches;
  Fiber& from = fiber(g.current);
  g.current = next;
  g.self = &g.threads[next];
  g.epoch = make_epoch(next, g.self->clock.at[next]);
  mix_hash(0x5717c4 + next);
  fiber_switch(from, fiber(next));
}

// Who may wake up for nothing.
ThreadSet spurious_waiters() {
  ThreadSet set;
  if (!g.options.spurious) return set;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    const Thread& t = g.threads[i];
    if (t.state == State::kBlocked && !t.timed &&
        (t.wait_for == WaitFor::kCondition || t.wait_for == WaitFor::kFutex))
      set.add(i);
  }
  return set;
}

void make_runnable(uint32_t i) {
  g.threads[i].state = State::kRunnable;
  g.threads[i].wait_key = nullptr;
  g.runnable.add(i);
  g.timed.remove(i);
  tell_ready(i, false);
}

// A waiter that is chosen to run: its deadline has come, or it wakes up for nothing.
void wake_by_choice(uint32_t i) {
  Thread& t = g.threads[i];
  if (t.state != State::kBlocked) return;
  if (g.exploring) explore_unasked(t);
  if (t.timed) {
    if (g.now_ns < t.deadline_ns) g.now_ns = t.deadline_ns;
    t.timed_out = true;
  }
  make_runnable(i);
}

// The next one after whoever had the last turn.
uint32_t decide_fairly(const ThreadSet& candidates) {
  const ThreadSet later = candidates.above(g.fair_cursor);
  return g.fair_cursor = (later.empty() ? candidates : later).first();
}

// One choice of the schedule: among `candidates`, where the default schedule takes `fallback`.
uint32_t decide(Turn turn, const ThreadSet& candidates, uint32_t fallback) {
  if (g.fair) return decide_fairly(candidates);
  uint32_t chosen = fallback;
  if (g.options.choices != nullptr) {
    uint32_t given = given_thread();
    if (given != kNobody && candidates.has(given)) chosen = given;
  } else if (g.exploring && turn != Turn::kWoken) {
    chosen = explore_turn(turn, candidates);
  } else {
    chosen = choose_thread(turn, candidates);
  }
  if (g.recording && chosen != fallback)
    record_choice(g.current, g.self->op, g.self->choices_in_op, chosen);
  ++g.self->choices_in_op;
  return chosen;
}

uint32_t earliest_deadline(const ThreadSet& set) {
  uint32_t best = set.first();
  set.for_each([&](uint32_t i) {
    if (g.threads[i].deadline_ns < g.threads[best].deadline_ns) best = i;
  });
  return best;
}

// The current thread cannot go on: who runs next.
uint32_t pick_next() {
  if (!g.runnable.empty()) return decide(Turn::kBlocked, g.runnable, g.runnable.first());
  const ThreadSet timed = g.timed;
  if (timed.empty()) return kNobody;
  uint32_t next = decide(Turn::kTimedOut, timed, earliest_deadline(timed));
  wake_by_choice(next);
  return next;
}

void count_blocking_step() {
  settle_steps();
  ++g.steps;
  check_budget();
  if (uint64_t left = g.step_limit - g.steps; g.interval > left) {
    g.interval = left;
    g.countdown = static_cast<int64_t>(left);
  }
}

void run_destructors() {
  while (g.self->destructors != 0) {
    TlsDestructor d = g.self->destructor[--g.self->destructors];
    d.function(d.object);
  }
}

// What an exception that ended an earlier execution left with the donor.
void forget_exceptions() {
  if (void* globals = exception_globals()) memset(globals, 0, kExceptionGlobalsBytes);
}

void thread_main() {
  forget_exceptions();
  end_thread(g.self->function(g.self->argument));
}

// "creator.n"; by hand, since every execution makes a few of them.
void default_name(char (&to)[16], const char* creator, uint32_t n) {
  char digits[4];
  unsigned count = 0;
  for (n %= 1000; count == 0 || n != 0; n /= 10) digits[count++] = static_cast<char>('0' + n % 10);
  size_t length = strnlen(creator, sizeof to - 2 - count);
  memcpy(to, creator, length);
  to[length++] = '.';
  while (count != 0) to[length++] = digits[--count];
  to[length] = 0;
}

void init_thread(uint32_t i, void* (*function)(void*), void* argument) {
  Thread& t = g.threads[i];
  t.has_acquire_fence = t.has_release_fence = false;
  t.state = State::kRunnable;
  t.wait_for = WaitFor::kNothing;
  t.timed = t.timed_out = t.joined = t.detached = t.has_joiner = false;
  t.serial = false;
  t.cancel_state = PTHREAD_CANCEL_ENABLE;
  t.cancel_type = PTHREAD_CANCEL_DEFERRED;
  t.cleanup = nullptr;
  t.library_name[0] = 0;
  t.wait_key = nullptr;
  t.function = function;
  t.argument = argument;
  t.result = nullptr;
  t.op = t.choices_in_op = t.children = t.cursor = t.destructors = 0;
  t.last_pc = 0;
  t.pending = Intent{};
  g.runnable.add(i);
  ++g.live;
  tell_ready(i, true);
  keys_begin_thread(i);
  fiber_reset(fiber(i), thread_main);
}

void* main_body(void* argument) {
  auto* call = static_cast<std::pair<void (*)(void*), void*>*>(argument);
  call->first(call->second);
  return nullptr;
}

void begin_execution(const Options& options, bool record) {
  shadow_setup();
  journal_setup();
  sync_setup();
  fibers_setup();
  fibers_use_os_threads(options.os_threads);
  signals_setup();
  host_fiber().thread_pointer = read_thread_pointer();
  Clock top =
      g.base;  // of all clocks so far: a thread's own is never behind what others know of it
  for (uint32_t i = 0; i < g.thread_count; ++i)
    if (Clock own = g.threads[i].clock.at[i]; own > top) top = own;
  g.exploring = options.strategy == Strategy::kExhaustive && options.choices == nullptr;
  arena_reset();
  if (top >= kClockLimit) {
    shadow_wipe();
    top = 0;
  }
  g.options = options;
  g.base = top + 1;
  g.recording = record;
  g.observed = g.recording || g.exploring;
  g.races = options.races;
  g.ordered = options.races || options.weak_memory;
  g.slow_access = record || options.plain_points;
  g.fair = false;
  g.fair_cursor = 0;
  g.step_limit = options.step_budget;
  g.steps = g.switches = g.now_ns = 0;
  g.looks = 0;
  g.hash = 0x1a57;
  g.runnable = g.timed = {};
  g.live = 0;
  g.thread_count = 1;
  g.next_name = nullptr;
  if (g.failure.kind != FailureKind::kNone) g.failure = Failure{};
  journal_reset();
  sync_reset();
  keys_reset();
  memory_reset();
  recorder_reset();
  profile_reset();
  strategy_reset();
  g.every_point = record || g.options.choices != nullptr || options.learn != nullptr;
  set_countdown(next_distance());
}

Result execute(void (*body)(void*), void* argument, const Options& options, bool record) {
  begin_execution(options, record);
  std::pair<void (*)(void*), void*> call{body, argument};
  g.current = 0;
  g.self = &g.threads[0];
  init_thread(0, main_body, &call);
  g.self->clock.fill(g.base - 1);
  g.self->clock.at[0] = g.base;
  copy_name(g.self->name, "main");
  g.epoch = make_epoch(0, g.base);
  g.active = true;
  fiber_switch(host_fiber(), fiber(0));
  set_thread_pointer(host_fiber().thread_pointer);
  g.active = false;
  if (ending != Verdict::kClean) journal_undo();

  if (ending == Verdict::kClean && options.leaks && arena_live_blocks() != 0) {
    std::string message = std::to_string(arena_live_blocks()) + " heap blocks are live at the end";
    if (const Block* b = arena_first_live())
      message += ", the first is heap#" + std::to_string(b->number) + " of " +
                 std::to_string(b->size) + " bytes";
    if (record) add_leak_stacks();
    ending = Verdict::kFailed;
    fail_from_host(FailureKind::kLeak, "G8", std::move(message));
  }
  Result r;
  r.verdict = ending;
  r.steps = steps_so_far();
  r.switches = g.switches;
  r.trace_hash = g.hash;
  r.threads = g.thread_count;
  r.allocations = arena_allocations();
  if (ending == Verdict::kFailed) r.failure = std::move(g.failure);
  if (record) r.recording = recorder_take();
  if (options.learn != nullptr) profile_take(r.steps);
  return r;
}

void note_failure(FailureKind kind, const char* guarantee, std::string&& message) {
  g.failure.kind = kind;
  g.failure.guarantee = guarantee;
  g.failure.message = std::move(message);
  g.failure.thread = g.self->name;
  g.failure.op = g.self->op;
  g.failure.steps = steps_so_far();
  g.failure.trace_hash = g.hash;
  if (g.explain_pass) lastput_stopped_at_failure();
}

void tell_failure() {
  if (g.explain_pass && g.options.on_failure != nullptr) {
    static const Recording none;
    g.options.on_failure(g.failure, g.recording ? recorder_finish() : none,
                         g.options.on_failure_context);
  }
}

// Who may run on though nobody woke them. Time may pass at any moment: now and then a sleeper's deadline
// comes while others still run.
ThreadSet unasked_waiters() {
  const ThreadSet timed = g.timed, spurious = spurious_waiters();
  if (timed.empty() && spurious.empty()) return {};
  return g.options.choices != nullptr ? timed | spurious : choose_waiters(timed, spurious);
}

// The current thread's turn is over.
void take_turns(const ThreadSet& others) {
  if (others.empty()) return;
  uint32_t next = decide_fairly(others);
  wake_by_choice(next);
  switch_to(next);
}

// Each point is the end of a segment; the current thread is a candidate as well.
[[gnu::noinline]] void explore_point(Intent intent) {
  set_countdown(1);
  g.self->pending = intent;
  const uint32_t next = decide(Turn::kPreempted, g.runnable | unasked_waiters(), g.current);
  wake_by_choice(next);
  switch_to(next);
}

// The failing execution once more, with recording.
Result explain(void (*body)(void*), void* argument, const Options& options, const Result& first) {
  g.explain_pass = true;
  Result second = execute(body, argument, options, true);
  bool same_kind = second.verdict == Verdict::kFailed && second.failure.kind == first.failure.kind;
  if (same_kind && first.failure.kind == FailureKind::kStackOverflow) {
    // The recorder leaves itself room, so it stops a little earlier.
    second.steps = first.steps;
    second.trace_hash = first.trace_hash;
  }
  if (same_kind && second.trace_hash == first.trace_hash) return second;
  second.failure.kind = FailureKind::kNondeterminism;
  second.failure.message =
      "a second run of the failing schedule took another course; the first ended with: " +
      first.failure.message;
  if (second.verdict != Verdict::kFailed && options.on_failure != nullptr)
    options.on_failure(second.failure, second.recording, options.on_failure_context);
  second.verdict = Verdict::kFailed;
  return second;
}

}  // namespace

void ask_soon() {
  if (g.fair || g.options.choices != nullptr || g.bytes_used < g.options.bytes.size()) return;
  settle_steps();
  set_countdown(1);
}

void ask_anew() {
  g.every_point = g.recording || g.options.learn != nullptr;
  settle_steps();
  set_countdown(next_distance());
}

void end_thread(void* result) {
  Thread& t = *g.self;
  t.result = result;
  run_destructors();
  keys_end_thread();
  point_before(&t, true);
  t.state = State::kDone;
  g.runnable.remove(g.current);
  if (g.recording) record_step(StepKind::kExit, 0, 0, -1, 0, 0, 0);
  if (g.exploring && t.detached) explore_touch(kThreadSlots, false);
  mix_hash(0xe417);
  wake(&t, kMaxThreads);
  if (--g.live == 0) leave_execution(g.fair ? Verdict::kCutOff : Verdict::kClean);
  uint32_t next = pick_next();
  if (next == kNobody) nobody_can_run();
  switch_to(next);
  __builtin_unreachable();
}

void slow_point(Intent intent) {
  settle_steps();
  check_budget();
  if (g.exploring) return explore_point(intent);
  uint64_t left = g.strategy_left;
  bool preempt = true;
  if (g.options.learn != nullptr) profile_access(intent);
  if (g.every_point) {
    preempt = left == 1;
    if (left > 1) --left;
    set_countdown(preempt ? next_turn() : left);
  } else {
    set_countdown(next_turn());
  }
  ThreadSet others = g.runnable.without(g.current);
  if (g.fair) {
    if (preempt) take_turns(others | g.timed);
    return;
  }
  if (!preempt && g.options.choices == nullptr) {
    ++g.self->choices_in_op;
    return;
  }
  g.self->pending = intent;
  others |= unasked_waiters();
  if (others.empty()) {
    ++g.self->choices_in_op;
    return;
  }
  ThreadSet candidates = others;
  if (g.options.choices != nullptr) candidates.add(g.current);
  uint32_t next = decide(Turn::kPreempted, candidates, g.current);
  wake_by_choice(next);
  switch_to(next);
}

uint32_t choose_departure(Departure what, uint32_t departures, uint32_t one_in, uint32_t worth) {
  if (g.fair) return 0;
  uint32_t chosen = 0;
  if (g.options.choices != nullptr) {
    chosen = given_departure();
    if (chosen >= 32 || (departures >> chosen & 1) == 0) chosen = 0;
  } else if (g.exploring) {
    chosen = explore_departure(what, departures & worth);
  } else {
    chosen = choose_departure_now(departures, one_in);
  }
  if (g.recording && chosen != 0)
    record_departure(g.current, g.self->op, g.self->choices_in_op, chosen);
  ++g.self->choices_in_op;
  return chosen;
}

bool block(WaitFor what, const void* key, bool timed, uint64_t deadline_ns) {
  Thread& t = *g.self;
  count_blocking_step();
  t.state = State::kBlocked;
  t.wait_for = what;
  t.wait_key = key;
  t.timed = timed;
  t.timed_out = false;
  t.deadline_ns = deadline_ns;
  g.runnable.remove(g.current);
  if (timed) g.timed.add(g.current);
  mix_hash(0xb10c + static_cast<uint64_t>(what));
  if (g.exploring) explore_block(what, key, timed);
  uint32_t next = pick_next();
  if (next == kNobody) nobody_can_run();
  switch_to(next);
  t.timed = false;
  return t.timed_out;
}

uint32_t wake(const void* key, uint32_t count, uint32_t futex_bits) {
  if (g.exploring) explore_touch(queue_of(key), true);
  ThreadSet waiting;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    const Thread& t = g.threads[i];
    if (t.state != State::kBlocked || t.wait_key != key) continue;
    if (t.wait_for != WaitFor::kFutex || (t.futex_bits & futex_bits) != 0) waiting.add(i);
  }
  uint32_t woken = 0;
  for (uint32_t left = waiting.count(); left != 0 && woken < count; ++woken, --left) {
    const bool all = left == 1 || count - woken >= left;
    const uint32_t i = all ? waiting.first() : decide(Turn::kWoken, waiting, waiting.first());
    waiting.remove(i);
    make_runnable(i);
  }
  return woken;
}

void yield() {
  count_blocking_step();
  ThreadSet others = g.runnable.without(g.current);
  if (others.empty()) {
    if (g.timed.empty()) return;
    others = ThreadSet::of(earliest_deadline(g.timed));
  }
  const ThreadSet later = others.above(g.current);
  uint32_t next = decide(Turn::kYielded, others, (later.empty() ? others : later).first());
  wake_by_choice(next);
  switch_to(next);
}

void end_execution(Verdict verdict) {
  if (g.exploring) explore_exit();
  if (verdict == Verdict::kClean && g.fair) verdict = Verdict::kCutOff;
  leave_execution(verdict);
}

// Of a new thread: that of one that has ended before, for the creator, or a fresh one. A thread passes for
// all others in its slot, so it must know what they knew: where no slot is left but of threads that have
// ended unordered before, it learns that (some races with them are then missed).
static uint32_t choose_slot() {
  uint32_t unordered = kMaxThreads;
  for (uint32_t i = 0; i < g.thread_count; ++i) {
    const Thread& t = g.threads[i];
    if (t.state != State::kDone || !(t.joined || t.detached)) continue;
    if (g.self->clock.at[i] >= t.clock.at[i]) return i;
    if (unordered == kMaxThreads) unordered = i;
  }
  return g.thread_count < kMaxThreads ? g.thread_count : unordered;
}

uint32_t start_thread(void* (*function)(void*), void* argument) {
  if (g.exploring) explore_touch(kThreadSlots, true);
  const uint32_t i = choose_slot();
  if (i == kMaxThreads) fail_execution(FailureKind::kLimit, "", kTooManyThreads);
  if (g.exploring && i >= 32)
    fail_execution(FailureKind::kLimit, "", "more than 32 threads in an exhaustive search");
  Thread& t = g.threads[i];
  VectorClock clock = g.self->clock;
  if (i == g.thread_count) {
    ++g.thread_count;
    clock.at[i] = g.base;
  } else {
    clock.join(t.clock);
    ++clock.at[i];  // a reused slot goes on where its last thread ended
  }
  init_thread(i, function, argument);
  t.clock = clock;
  ++g.self->children;
  if (g.next_name != nullptr) {
    copy_name(t.name, g.next_name);
    g.next_name = nullptr;
  } else {
    default_name(t.name, g.self->name, g.self->children);
  }
  advance();
  return i;
}

uint32_t thread_of(pthread_t donor) {
  uint32_t i = 0;
  while (i < kMaxThreads && !pthread_equal(fiber(i).donor, donor)) ++i;
  return i;
}

void fail_execution(FailureKind kind, const char* guarantee, const char* message) {
  g.active = false;
  fail_composed(kind, guarantee, message);
}

void fail_composed(FailureKind kind, const char* guarantee, std::string&& message) {
  void* frame = __builtin_frame_address(0);
  g.active = false;
  note_failure(kind, guarantee, std::move(message));
  if (g.failure.stacks.empty())
    g.failure.stacks.push_back({"failed in " + g.failure.thread, capture_stack(frame)});
  tell_failure();
  leave_execution(Verdict::kFailed);
}

void fail_from_host(FailureKind kind, const char* guarantee, std::string&& message) {
  note_failure(kind, guarantee, std::move(message));
  tell_failure();
}

Result run(void (*body)(void*), void* argument, const Options& options) {
  SCHED_CHECK(!g.active, "run() inside an execution");
  g.explain_pass = !options.explain || options.record_always;
  Result first = execute(body, argument, options, options.record_always);
  if (first.verdict == Verdict::kFailed && !g.explain_pass)
    first = explain(body, argument, options, first);
  return first;
}

}  // namespace sched

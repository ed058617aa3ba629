// SPDX-License-Identifier: Apache-2.0
// sched: runs ordinary C++ code with threads under a schedule that it chooses, repeatable to the
// bit.
//
// The code under test is compiled with -fsanitize=thread and linked WITHOUT it: sched defines the
// instrumentation's entry points itself, and interposes on pthreads, malloc and the futex system
// call. So a program has either sched or ThreadSanitizer; CMake's sched_add_target() sees to the
// flags. Logical threads are fibers on one OS thread; each owns the stack and the thread pointer of
// a parked "donor" pthread, so thread_local, exceptions and every library call work as usual.
//
//   #include <sched/sched.h>
//   sched::Result result = sched::run([&] { /* starts threads, joins them, checks */ });
//   if (result.verdict == sched::Verdict::kFailed) puts(result.failure.message.c_str());
//
// That is one schedule; search.h tries many, and report.h tells people what failed.
//
//   what the code does                    what the engine makes of it
//   ------------------------------------  ---------------------------------------------------------
//   atomic load/store/RMW/fence           scheduling point, happens-before edges by memory order
//   plain read/write                      race check (vector clocks); a point with plain_points
//   pthreads and C11 threads: locks,      scheduling point, edges, blocking; deadlock, lost
//     condition variables, semaphores,      wake-up and misuse are verdicts
//     barriers, once, keys; futexes
//   yield, sleep, timeouts                prefers another thread; time is virtual: it passes when
//                                           the schedule wants it, or when nobody else can run
//   malloc, free, new, delete             arena at a fixed address; use after free, double free,
//                                           out of bounds, leak are verdicts
//
// Memory model: C++20 without load buffering. A load may return a stale store where the
// memory orders allow it; happens-before follows the orders as written, so a missing release or acquire
// also shows as a data race on what it should have ordered.
//
// Determinism: same body, same options => same steps, same trace hash, same verdict, in any process
// and after any other execution, as long as the body's own state is remade by each run: globals and
// static locals keep what a clean execution left in them. In one build, that is; choices (Choice)
// survive rebuilding, seeds and hashes need not.
//
// Thread safety: one execution at a time in a process, from any thread; other OS threads may go on
// meanwhile, and are not simulated. Not async-signal-safe. Linux on x86-64.
#ifndef LASTPUT_SCHED_SCHED_H_
#define LASTPUT_SCHED_SCHED_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

// The engine's interface has types of the C++ library: who uses it takes the one it was built with.
#if defined(SCHED_LIBCXX) && SCHED_LIBCXX && !defined(_LIBCPP_VERSION)
#error "this sched was built with libc++: compile with -stdlib=libc++, or use a sched built without"
#elif defined(SCHED_LIBCXX) && !SCHED_LIBCXX && defined(_LIBCPP_VERSION)
#error \
    "this sched was built with libstdc++: compile without -stdlib=libc++, or use one built with it"
#endif

namespace sched {

// Logical threads at once in one execution, main included. The library sched_wide has more of them than
// sched: each thread is a part of every clock, so more of them make every step slower. Defined by the
// library's CMake target, by nobody else.
#ifndef SCHED_MAX_THREADS
#define SCHED_MAX_THREADS 16
#endif
inline constexpr unsigned kMaxThreads = SCHED_MAX_THREADS;
static_assert(kMaxThreads == 16 || kMaxThreads == 256);

enum class FailureKind : uint8_t {
  kNone,
  kOracle,        // fail() was called by the code under test
  kDataRace,      // two accesses, one a write, one plain, unordered by happens-before
  kUseAfterFree,  // access to, or free() ordered against nothing but luck with, freed memory
  kBadFree,       // double free, or free of what was not allocated
  kOutOfBounds,   // access next to a heap block
  kLeak,          // a block allocated in the execution is live at its end
  kDeadlock,      // nobody can run, and all wait for locks or threads
  kLostWakeup,    // nobody can run, and somebody waits on a condition variable or a futex
  kLockMisuse,    // relock by the owner, unlock by another, destruction of a held lock, ...
  kLivelock,      // both budgets spent, the second under a fair schedule
  kStackOverflow,
  kCrash,           // a fatal signal or abort() in the code under test
  kNondeterminism,  // the second run of a failing schedule took another course
  kLimit,           // more threads or memory than the engine simulates, or a call that it refuses
  kSyncMisuse,      // condition variables, semaphores, barriers, once: what POSIX leaves undefined
  kThreadMisuse,    // join or detach of oneself, of a detached or a joined thread
  kExitStatus,      // a program ended with another status than 0 (run/)
  kNoProgress,      // a program loops, or waits, where the engine has no say (run/)
};
// Short fixed words: "data-race", "use-after-free", ...
const char* failure_kind_name(FailureKind kind);

// One departure from the default schedule, anchored so that it survives edits elsewhere: in
// `thread`, within operation `op` (see begin_op), at the `point`-th choice since that operation
// began, the engine goes on with thread `to` (or wakes it, where it is waiters that are chosen
// from; a thread that waits with a deadline then times out, one on a condition variable or a futex
// wakes up for nothing). With `to` = "-2" it is no thread that is chosen: a load returns the store that
// has two newer ones; a store comes, in the order of its object, before the two newest; a
// read-modify-write does both; an allocation gets the block of its size that was freed second to last.
// With "-1" a weak compare-exchange fails for
// nothing. The default schedule runs the current thread on; when it cannot go on, the runnable
// thread created first; when it yields, the next one in the order of creation; its loads return the
// newest store, its stores are the newest, its allocations are of fresh memory, and its weak
// compare-exchanges are strong.
struct Choice {
  std::string thread;
  uint32_t op = 0;
  uint32_t point = 0;
  std::string to;
  bool operator==(const Choice&) const = default;
};

enum class StepKind : uint8_t {
  kLoad,
  kStore,
  kRmw,
  kCasFail,
  kFence,  // atomics
  kRead,
  kWrite,  // plain accesses (recorded only with record_plain)
  kLock,
  kUnlock,
  kTryLock,
  kWait,
  kWake,  // synchronisation; kWait: value = 1 if it timed out
  kCreate,
  kJoin,
  kExit,
  kYield,
  kSleep,
  kMalloc,
  kFree,
  kOp,    // begin_op: value = operation index
  kNote,  // note(): text holds it
  kReadLock,
  kDestroy,  // of what threads synchronise by
};
const char* step_kind_name(StepKind kind);

struct Step {
  uint64_t index = 0;  // scheduling points so far in the execution; the first is 1
  uint8_t thread = 0;  // index into Recording::threads
  StepKind kind = StepKind::kLoad;
  int8_t order = -1;  // __ATOMIC_*, -1 where there is none
  uint8_t size = 0;   // bytes
  uint32_t op = 0;    // operation of the thread, as of begin_op
  uintptr_t address = 0;
  uint32_t age = 0;     // atomics: how many newer stores the object had
  uint64_t before = 0;  // value read
  uint64_t value = 0;   // value written; for loads the value read
  uintptr_t pc = 0;     // return address in the code under test
  std::string text;     // note(), or the object's name: "ref0+8", "heap#3+16"
};

struct Stack {
  std::string title;           // "write by thread T1", "earlier read by thread T2", ...
  std::vector<uintptr_t> pcs;  // innermost first, return addresses
};

struct Failure {
  FailureKind kind = FailureKind::kNone;
  std::string
      guarantee;        // fail()'s first argument: "G1"; "G8" or "G9" for the engine's own verdicts
  std::string message;  // one sentence
  std::string thread;   // name of the failing thread
  uint32_t op = 0;      // its operation
  uint64_t steps = 0;   // as in Result, at the failure
  uint64_t trace_hash = 0;
  std::vector<Stack> stacks;  // filled in the recording run
};

struct Recording {
  std::vector<std::string> threads;
  std::vector<Step> steps;
  std::vector<Choice> choices;  // replays this execution with no seed at all
  // Scheduling points before each of `choices`, as in Step::index; empty: not known.
  std::vector<uint64_t> choice_steps;
};

// How a schedule is made where neither choices nor bytes say it; strategy/ has one file for each.
enum class Strategy : uint8_t {
  kRandom,      // preemptions at uniform distances, by a uniform choice
  kPct,         // random priorities, which change at few points
  kSurw,        // all interleavings of some operations equally likely
  kExhaustive,  // set by explore_all() alone (exhaustive.h)
};
// "random", "pct", ...
const char* strategy_name(Strategy strategy);
// False where no strategy has that name.
bool find_strategy(std::string_view name, Strategy* strategy);

// What an execution shows of its program, for strategies that want to know before the next.
struct Profile {
  // Of 8 bytes, which at least two threads accessed by atomics, locks and the like, and one wrote.
  struct Object {
    uintptr_t address;
    std::vector<uint32_t> accesses;  // by each thread, in order of creation
    uint32_t all() const {
      uint32_t sum = 0;
      for (const uint32_t n : accesses) sum += n;
      return sum;
    }
  };
  uint64_t points = 0;
  std::vector<Object> objects;  // in order of first access
};

inline constexpr uint32_t kUsualPoints = 200;

struct Options {
  uint64_t seed = 1;
  // Choices taken from bytes first, two bytes a preemption: (points until it, thread). Any bytes are a
  // schedule. They live until run() returns, and so do `choices`.
  std::span<const uint8_t> bytes = {};
  // Then by the strategy, from the seed.
  Strategy strategy = Strategy::kRandom;
  uint32_t mean_interval = 8;  // kRandom: mean number of points between preemptions; 0: none
  uint32_t depth = 3;          // kPct: ordered constraints of the bugs looked for; 16 at most
  // Of an earlier execution of the same program, by the same process. Null: kPct takes kUsualPoints
  // for the number of points, kSurw all threads for equal.
  const Profile* profile = nullptr;
  uint32_t interesting = 1;  // kSurw: objects whose accesses are interleaved uniformly; 0: all
  Profile* learn = nullptr;  // filled at the end; then each point takes longer
  // If set: exactly these departures from the default schedule, no bytes, no seed.
  const std::vector<Choice>* choices = nullptr;
  bool go_on = false;  // once all of `choices` have been taken, the strategy goes on, from the seed

  uint64_t step_budget = 20000;   // points; then the schedule goes on fairly
  uint64_t fair_budget = 200000;  // points of that; beyond them the execution fails with kLivelock.
                                  // 0: it is cut off at once
  bool races = true;              // report data races
  bool weak_memory = true;        // stale loads, late stores, weak compare-exchanges that fail for
                                  // nothing; false: sequential consistency
  bool reuse = true;              // malloc may return what was freed; false: always fresh memory
  bool spurious = true;           // waits on condition variables and futexes may return for nothing
  bool plain_points = false;      // plain accesses are scheduling points too
  bool os_threads = false;        // each logical thread on an OS thread of its own, one at a time:
                                  // the same execution, for debuggers; a switch takes microseconds
  bool leaks = true;              // live blocks at the end are a failure
  uint32_t fail_allocation = 0;   // the n-th allocation of the execution returns null; 0 = none
  bool fails_allocations =
      false;  // the body calls fail_allocation(): an exhaustive search then tries
              // every order of allocations

  // On failure the same schedule runs once more with recording; then `on_failure` is called on the
  // failing thread's own stack, engine inactive (library calls are real). If it returns, run()
  // does.
  bool explain = false;
  bool record_always = false;  // record the first run (slow: 10 x)
  bool record_plain = false;
  void (*on_failure)(const Failure&, const Recording&, void*) = nullptr;
  void* on_failure_context = nullptr;
};

// Cut off: the step budget was spent. A spin loop is right, and yet an unfair schedule never ends
// it; so from there on threads take turns, loads return the newest store, and what ends under that
// is no livelock.
enum class Verdict : uint8_t { kClean, kCutOff, kFailed };

struct Result {
  Verdict verdict = Verdict::kClean;
  uint64_t steps = 0;  // scheduling points
  uint64_t switches = 0;
  uint64_t trace_hash = 0;  // of every step: thread, kind, object, value; no addresses
  uint32_t threads = 0;
  uint32_t allocations = 0;
  Failure failure;      // kind kNone unless failed
  Recording recording;  // empty unless recorded
};

// Sets the strategy, and what is particular to it, of the schedule with this number among those of one
// program: no strategy finds all bugs soon, so they take turns. Number 0 is a random one; let it learn, and the
// others have its profile.
void mix_strategies(uint32_t index, Options* options);

// Runs body(argument) as logical thread "main" until every thread has ended, those that it detached
// too. MAY BLOCK: only as the code under test does outside of what is simulated (files, say).
// ERRORS: what the code under test does wrong, an exception that leaves the body included, is in the
// result; nothing is thrown. Where the engine itself cannot go on (no memory for its threads) it says so on
// stderr and ends the process with exit code 2.
//
// What belongs to an execution should begin and end in it: memory that it allocates is the engine's, and a
// leak if it is still there at the end. So results go to variables made before, and checks are calls of
// fail(), not assertions of a test framework, which allocate. After a failure the threads' stacks are
// abandoned: their objects are never destroyed; the engine itself stays usable.
// REQUIRES: not called from inside an execution.
Result run(void (*body)(void*), void* argument, const Options& options);

// What an execution runs: a function and its argument, or anything that can be called with none, by
// reference: it must live as long as the call that takes it.
class Body {
 public:
  Body(void (*function)(void*), void* argument) : function_(function), argument_(argument) {}
  Body(void (*function)())
      : Body([](void* f) { reinterpret_cast<void (*)()>(f)(); },
             reinterpret_cast<void*>(function)) {}
  template <class F>
  requires(std::is_invocable_v<F&>&& std::is_object_v<std::remove_reference_t<F>> &&
           !std::is_same_v<std::remove_cvref_t<F>, Body>) Body(F&& f)
      : Body([](void* p) { (*static_cast<std::remove_reference_t<F>*>(p))(); },
             const_cast<void*>(static_cast<const void*>(std::addressof(f)))) {}

  Result run(const Options& options) const { return sched::run(function_, argument_, options); }

 private:
  void (*function_)(void*);
  void* argument_;
};
inline Result run(const Body& body, const Options& options = {}) {
  return body.run(options);
}

// --- For the code that drives the code under test: called by logical threads. Outside an execution, and on
// --- threads that are not simulated, all but fail() do nothing, so that code may keep its calls.

// Whether the caller is a logical thread of a running execution.
bool active();
// Starts operation `index` of the calling thread: the anchor of Choice. No scheduling point.
void begin_op(uint32_t index);
// Names the next thread that the caller creates, or the caller itself (15 characters at most;
// default: creator's name "." n-th child). Choices name threads by the name they have when the
// choice is made, so prefer the first form.
void name_next_thread(const char* name);
void name_thread(const char* name);
// Names [address, address + size) in recordings: "name+offset".
void name_object(const void* address, size_t size, const char* name);
// Adds a line to the recording. Cheap when nothing is recorded. `text` is copied.
void note(const char* text);
// The n-th allocation of the execution from here on, of whatever thread, returns null; n is 1 to
// kMaxFailAllocation, and anything else does nothing. Each call counts, earlier ones are not forgotten.
inline constexpr uint32_t kMaxFailAllocation = 64;
void fail_allocation(uint32_t n);
// A choice among n that is part of the schedule (seeded). 0 outside an execution.
uint32_t choose(uint32_t n);
// Fails the execution: a guarantee ("G1") is broken. Does not return inside an execution; outside
// it prints and aborts.
[[noreturn]] void fail(const char* guarantee, const char* message);

}  // namespace sched

#endif  // LASTPUT_SCHED_SCHED_H_

// SPDX-License-Identifier: Apache-2.0
// A program: what one fuzz input says. Setup, operations for each of up to 8 threads, and the first
// preemptions of its first schedule. It is data only; harness.h runs it, codec.h reads it from any
// bytes, text.h from what a person wrote.
//
// A program is LEGAL where it keeps the rules of percpu refs whatever the schedule. Rules that can
// be told from the program alone are static (check, drop_illegal below, column "static needs" of
// operations.def); the rest is settled while it runs, by what the thread itself holds (harness.h).
//
//   release does    object lives until     who may use it without holding a reference
//   --------------  ---------------------  ---------------------------------------------------
//   mark            the program's end      anybody: tryget.., kill, is_zero, is_dying
//   reinit          the program's end      anybody, as above (at most kMaxLives lives)
//   exit            the program's end      nobody
//   free            release                nobody (the only thread that kills: its first kill)
//
// In a program with a manager a ref may be managed from the start (flag managed), or become so by
// switch_to_managed: of its controller, the only thread then that may kill it or change its mode before;
// or, where it ends "put_only", of anybody who holds a reference.
//
// The initial reference belongs to no thread. It is dropped by kill; or, in a ref that ends
// "put_only" (atomic or managed for good, nobody kills), by the controller's put_initial; else by main
// at the end. A managed ref that ends "exit" keeps it: main exits it while the manager may be at it.
//
// In a program with lists, release "free" frees the ref a grace period later: readers, too, may find and tryget it.
//
// Pools, and lists of the rcuref forms, are legal to use for every thread at any time, but for what it must
// hold (pool_actor.h, list_actor.h); they live until main ends them, a pool perhaps by its only user.
#ifndef LASTPUT_TARGETS_PROGRAM_H_
#define LASTPUT_TARGETS_PROGRAM_H_

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace targets {

inline constexpr unsigned kMaxThreads = 8;
inline constexpr unsigned kMaxRefs = 3;
inline constexpr unsigned kMaxPools = 2;
inline constexpr unsigned kMaxLists = 2;
inline constexpr unsigned kMaxCpus = 4;
inline constexpr unsigned kMaxOperations = 32;  // of one thread
inline constexpr unsigned kMaxPreemptions = 256;
inline constexpr unsigned kMaxSchedules = 16;
inline constexpr unsigned kMaxInterval = 63;
inline constexpr unsigned kMaxFailAllocation = 64;
inline constexpr unsigned kMaxTokens = 3;    // that main hands to one thread, of one ref
inline constexpr unsigned kMaxLives = 3;     // of a ref whose release reinits it
inline constexpr unsigned kMaxSmall = 7;     // of an argument kSmall
inline constexpr unsigned kMaxElements = 3;  // that main lists at the start

inline constexpr unsigned kMaxScanCount = 8;  // refs that a run of the manager visits
inline constexpr unsigned kMaxRuns = 4;       // of one scan operation

inline constexpr unsigned kOperationNumbers = 128;  // all are smaller (operations.def)

enum class Argument : uint8_t {
  kNone,
  kCount,       // 1..64, 2^k or 2^k - 1 with 7 <= k <= 56
  kCpu,         // 0..cpus-1
  kThread,      // 0..threads-1
  kSmall,       // 0..kMaxSmall: a number of areas, a place in a list
  kRuns,        // 1..kMaxRuns
  kRefNumber,   // 0..refs-1
  kPoolNumber,  // 0..pools-1
  kAllocation,  // 1..kMaxFailAllocation
};

// What the program must offer for an operation to be legal in it.
enum Need : uint32_t {
  kRef = 1,                   // takes a ref
  kKillable = 2,              // the ref does not end "put_only"
  kReinitable = 4,            // the ref has one of the flags atomic, dead, reinit
  kController = 8,            // the thread is the ref's controller
  kRestartable = 16,          // release marks, or the ref begins dead
  kPutOnly = 32,              // the ref ends "put_only"
  kNoOtherSwitchesBack = 64,  // no other thread has switch_to_percpu of the ref
  kNeverRevived = 128,        // no resurrect, no reinit of the ref, by nobody
  kSequentialOnly = 256,
  kManager = 512,       // the program has a manager
  kUnmanaged = 1024,    // the ref is not managed, nor made so by another thread
  kOnlyStarter = 2048,  // no thread before this one has manager_start
  kPool = 4096,         // takes a pool
  kList = 8192,         // takes a list
  kSoleUser = 16384,    // no other thread calls anything of the pool
  kRcu = 32768,         // the program has lists, and so an Rcu
  kMisuse = 65536,      // the program is one with misuse
  kJoined = 131072,     // the program has refs, pools and lists
  kFindable = 262144,   // the ref's release does not exit it
  kAllocates = 524288,  // threads allocate: the program has a manager, pools or lists
};

enum class OpCode : uint8_t {
#define LASTPUT_OP(number, constant, text, argument, needs) constant = number,
#include "targets/operations.def"
#undef LASTPUT_OP
};

struct OpInfo {
  OpCode code;
  const char* name;
  Argument argument;
  uint32_t needs;
};
// nullptr for a number or word that is no operation.
const OpInfo* find_operation(unsigned number);
const OpInfo* find_operation(std::string_view name);
const OpInfo& operation_info(OpCode code);

// Classes of operations, which a program may leave out: swarm testing, Groce et al., ISSTA 2012, where few
// kinds of calls at a time reach states that all of them together do not. Numbers stand in bytes.
enum OperationClass : uint8_t {
  kClassMany = 1,
  kClassTry = 2,
  kClassKill = 4,
  kClassSwitch = 8,
  kClassRevive = 16,
  kClassHand = 32,  // give and take of whatever, end_thread
  kClassAsk =
      64,  // is_zero, is_dying, await_release, tryget_live_confirmed, area_check, pool_cached, list_read
  kClassManager = 128,
};
// 0: none, it is never left out.
uint8_t operation_class(OpCode code);

struct Operation {
  OpCode code = OpCode::kYield;
  uint8_t ref = 0;        // the ref, pool or list; 0 where the operation takes none
  uint64_t argument = 0;  // 0 where the operation takes none
  bool operator==(const Operation&) const = default;
};

enum RefFlags : uint8_t {
  kFlagAtomic = 1,
  kFlagDead = 2,
  kFlagReinit = 4,
  kFlagManaged = 8,
};  // numbers stand in bytes, and are those of percpu::Flags
enum class ReleaseAction : uint8_t { kMark = 0, kReinit = 1, kExit = 2, kFree = 3 };
// How main ends a ref that lives when all threads have ended.
enum class Ending : uint8_t {
  kKill = 0,
  kConfirm = 1,  // kill_and_confirm
  kPut = 2,      // switch_to_atomic_sync, then put of the initial reference
  kPutOnly = 3,  // put of the initial reference; nobody ever kills
  kExit = 4,     // managed refs: exit, with the initial reference
};
// Who drops references that a thread still holds after its last operation, and when.
enum class Leftovers : uint8_t { kThread = 0, kMain = 1, kMainAfterKill = 2 };

struct RefSetup {
  uint8_t flags = 0;  // RefFlags
  ReleaseAction release = ReleaseAction::kMark;
  Ending ending = Ending::kKill;
  uint8_t controller = 0;  // thread: the only one to resurrect, reinit, put_initial
  std::array<uint8_t, kMaxThreads> tokens =
      {};  // references that main hands to each thread at start
  bool reinitable() const { return flags != 0; }
  bool managed() const { return (flags & kFlagManaged) != 0; }
  // Whether nobody kills it, so that the initial reference is there to be put.
  bool may_put_only() const {
    return managed() || (flags & (kFlagAtomic | kFlagDead)) == kFlagAtomic;
  }
  bool operator==(const RefSetup&) const = default;
};

// The manager of the domain.
struct ManagerSetup {
  uint8_t scan_count = 0;  // refs that a run visits at most; 0: the target has no manager
  bool thread = false;     // main starts its thread before the others
  bool operator==(const ManagerSetup&) const = default;
};

// What main does with a pool when all threads have ended, before it destroys it.
enum class PoolEnding : uint8_t {
  kDestroy = 0,  // nothing: a refill may be on its way
  kEmpty = 1,    // empties it; it stays so
  kSmallFill =
      2,  // fills it below low; it stays so until it runs empty (low 2 at least, else kRefilled)
  kRefilled = 3,  // expects the refills that have been asked for
};
inline constexpr unsigned kMaxLow = 3;
inline constexpr unsigned kMaxAboveLow = 7;                    // high - low
inline constexpr uint8_t kPoolSizes[] = {8, 16, 40, 128};      // bytes
inline constexpr uint8_t kPoolAlignments[] = {8, 16, 32, 64};  // bytes

struct PoolSetup {
  uint8_t low = 0;
  uint8_t high = 0;              // low..low + kMaxAboveLow
  uint8_t size = kPoolSizes[0];  // of each CPU's part
  uint8_t align = kPoolAlignments[0];
  PoolEnding ending = PoolEnding::kDestroy;
  bool operator==(const PoolSetup&) const = default;
};

// Of which rcuref form the elements of a list are (core/rcuref_count.h).
enum class ListForm : uint8_t { kLocked = 0, kTryget = 1, kDeferred = 2, kBlocking = 3 };

struct ListSetup {
  ListForm form = ListForm::kLocked;
  uint8_t elements = 0;  // that main lists at the start
  bool operator==(const ListSetup&) const = default;
};

// A preemption of the first schedule: after `points` scheduling points, go on with `thread` (both
// as sched::Options::bytes has them).
struct Preemption {
  uint8_t points = 0;
  uint8_t thread = 0;
  bool operator==(const Preemption&) const = default;
};

struct Program {
  uint8_t cpus = 1;
  uint8_t schedules = 1;        // executions of one input
  uint8_t interval = 0;         // mean number of points between random preemptions; 0: none
  uint8_t fail_allocation = 0;  // n-th allocation of an execution fails; 0: none
  bool plain_points = false;    // plain accesses are scheduling points
  bool misuse = false;          // operations of misuse belong to it
  bool slow_callbacks = false;  // callbacks sleep, in virtual time
  uint8_t without = 0;          // OperationClass: none of them belong to it
  Leftovers leftovers = Leftovers::kThread;
  uint32_t seed = 0;  // of the schedules
  ManagerSetup manager;
  std::vector<RefSetup> refs = {RefSetup{}};           // at most kMaxRefs
  std::vector<PoolSetup> pools;                        // at most kMaxPools
  std::vector<ListSetup> lists;                        // at most kMaxLists
  std::vector<std::vector<Operation>> threads = {{}};  // 1..kMaxThreads
  std::vector<Preemption> preemptions;
  bool operator==(const Program&) const = default;
};

// Which values a load may return: those of C++20, stale ones among them; or the latest store always.
enum class Memory : uint8_t { kWeak = 0, kSequential = 1 };

// What a program has beside its threads, one of each at least. Numbers are bits of KindInfo::parts.
enum Part : uint8_t { kPartRefs = 1, kPartManager = 2, kPartPools = 4, kPartLists = 8 };

// One kind of programs for each fuzz target. All are concurrent and must be legal but the sequential
// ones: one thread, and illegal calls belong to it.
enum class Kind : uint8_t { kPercpuRef, kSequential, kManaged, kPercpuPool, kRcuref, kMixed };
struct KindInfo {
  Kind kind;
  const char* name;  // of the target: THING_fuzzer, corpus/THING, `target THING` in texts
  uint8_t parts;     // Part
};
// In the order in which an artifact of an unknown target is tried.
inline constexpr KindInfo kKinds[] = {
    {Kind::kPercpuRef, "percpu_ref", kPartRefs},
    {Kind::kSequential, "sequential", kPartRefs},
    {Kind::kManaged, "managed", kPartRefs | kPartManager},
    {Kind::kPercpuPool, "percpu_pool", kPartPools},
    {Kind::kRcuref, "rcuref", kPartLists},
    {Kind::kMixed, "mixed", kPartRefs | kPartManager | kPartPools | kPartLists},
};
constexpr bool is_concurrent(Kind kind) {
  return kind != Kind::kSequential;
}
const KindInfo& kind_info(Kind kind);
inline bool has_part(Kind kind, Part part) {
  return (kind_info(kind).parts & part) != 0;
}
// What no bytes at all mean: one thread that does nothing.
Program smallest_program(Kind kind);
// nullptr: no target has that name.
constexpr const KindInfo* find_kind(std::string_view name) {
  for (const KindInfo& info : kKinds)
    if (name == info.name) return &info;
  return nullptr;
}

// Where and why a program is not valid; `thread` and `operation` are -1 where it is the setup.
struct Problem {
  int thread = -1;
  int operation = -1;
  std::string text;
};
// The first thing wrong with the program, in the order of its text form; none if it is valid.
std::optional<Problem> check(const Program& program, Kind kind);

// Removes every operation that check() would name. Returns how many.
// REQUIRES: ranges are in order (numbers of refs, threads, arguments), as after decode.
unsigned drop_illegal(Program& program);

// Whether it has all that operations which join parts need.
bool joins_parts(const Program& program);

// Whether an allocation fails in it, so that calls may be refused.
bool memory_may_run_out(const Program& program);

// What an operation with these needs names: "ref", "pool", "list", or nullptr: nothing.
const char* subject_word(uint32_t needs);
// What its argument names in texts: "ref", "pool", or nullptr: no such thing.
const char* argument_word(Argument argument);
// How many of what an operation with these needs names the program has.
size_t subject_count(const Program& program, uint32_t needs);

// Whether `program` has an operation with this code on `ref`, in a thread other than `except` (-1:
// any).
bool has_operation(const Program& program, OpCode code, unsigned ref, int except = -1);
// Whether anything in the program may bring the ref back to life (resurrect, reinit).
bool may_be_revived(const Program& program, unsigned ref);
// Whether it is managed from the start, or may become so.
bool may_be_managed(const Program& program, unsigned ref);
// Whether a thread other than `except` (-1: any) calls anything of the pool. What is done to areas that
// were handed out is no such call.
bool uses_pool(const Program& program, unsigned pool, int except = -1);

size_t operation_count(const Program& program);

}  // namespace targets

#endif  // LASTPUT_TARGETS_PROGRAM_H_

// SPDX-License-Identifier: Apache-2.0
// Misuse: what a program did wrong with a ref or a domain, as the library noticed it (G10).
//
// Every check has one kind with a fixed name. The domain's handler is told, with no lock of the
// library held, on the thread that made the call (or on the worker, where the worker found it);
// then, unless misuse is fatal, the call goes on in the safest way: it does nothing, or it lets the
// ref leak rather than be released twice.
#ifndef PERCPU_CORE_MISUSE_H_
#define PERCPU_CORE_MISUSE_H_

#include <cstdint>

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class Ref;

// Append only: programs and artifacts keep the names.
enum class MisuseKind : uint8_t {
  kPutBelowZero,      // more references dropped than held, found by the put: the ref leaks
  kSumBelowOne,       // the same, found when a switch sums the percpu counters: the ref leaks
  kGetFromZero,       // get of a ref whose count is 0: the ref leaks
  kBadCount,          // n = 0 or n >= 2^63: nothing is counted
  kNotInitialised,    // use before init or after exit: nothing is done
  kInitTwice,         // init of a ref that is initialised: refused
  kNoReinit,          // a switch, reinit or resurrect without kAllowReinit: refused
  kNotDead,           // reinit or resurrect of a live ref: refused
  kCountNotZero,      // reinit while references are held: refused
  kCountZero,         // resurrect with no reference held: refused
  kExitDuringSwitch,  // exit or cancel_init with a switch pending: refused
  kCancelAfterUse,    // cancel_init, but the counters say that the ref was used: destroyed anyway
  kInConfirm,       // switch, kill, reinit, resurrect or exit of a ref in its own callback: refused
  kWaitInCallback,  // a callback made a call that has to wait: refused
  kDomainEndInCallback,  // ~Domain in a callback; on the domain's own worker its insides leak
  kRefNotExited,         // the domain ended first: nothing is freed
  kAreaNotFreed,         // the domain ended first: nothing is freed
  kDomainEnded,          // kill, a switch or Rcu::call after the domain's end: refused
  kWaitInReader,         // an RCU reader made a call that may wait for readers: refused
  kNotInReader,          // read_unlock by a thread that is in no reader: nothing is done
  kHeadQueuedTwice,      // Rcu::call of a head that is queued already: refused
  kManaged,              // kill, or a switch to another mode, of a managed ref: refused
  kManagerRuns,          // Manager::start while its thread runs: refused
  kPoolAlive,            // the domain ended first: nothing is freed
  kNotAnArea,            // free_percpu of an address at which no area begins: nothing is done
  kForkChild,            // needs a worker or thread that stayed in the parent of a fork: refused
};
inline constexpr unsigned kMisuseKinds = 26;

// "put_below_zero", ...
const char* misuse_name(MisuseKind kind) noexcept;

struct Misuse {
  MisuseKind kind;
  const Ref* ref;     // never dereferenced by the library here: it may be gone. Null: no ref
  const char* call;   // "put", "kill_and_confirm", "~Domain", ...
  const char* state;  // "percpu", "atomic, dead", "not initialised", ...
  const void* object = nullptr;  // what it was about where that is no ref; as little dereferenced
};

// May be called on any thread, on several at once. It may call nothing that waits for callbacks.
using MisuseHandler = void (*)(const Misuse& misuse, void* context);

// One line on stderr.
void print_misuse(const Misuse& misuse) noexcept;

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_MISUSE_H_

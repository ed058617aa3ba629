// SPDX-License-Identifier: Apache-2.0
// One thread of a program: what it holds, and the operations that it may therefore apply.
#ifndef LASTPUT_TARGETS_ACTOR_H_
#define LASTPUT_TARGETS_ACTOR_H_

#include <array>
#include <cstdint>
#include <iterator>

#include "targets/list_actor.h"
#include "targets/object.h"
#include "targets/pool_actor.h"

namespace targets {

inline constexpr const char* kThreadNames[] = {"T1", "T2", "T3", "T4", "T5", "T6", "T7", "T8"};
static_assert(std::size(kThreadNames) == kMaxThreads);
inline constexpr uint64_t kMaxHeld = uint64_t{1} << 58;  // by one thread: eight stay below 2^63

// The CPU index of the calling thread, as the domain asks for it.
unsigned current_cpu(void*);
void set_current_cpu(unsigned cpu);

class Actor {
 public:
  Actor(Execution& execution, DomainUnderTest& domain, unsigned index);
  // All operations, then the winding down.
  void run();

 private:
  // What this thread knows of a ref, by what it did itself.
  struct Holding {
    uint64_t tokens = 0;
    bool initial = false;          // owns the initial reference (put_only refs, the controller)
    bool killed = false;           // its own kill has returned since the last revival
    bool held_since_kill = false;  // ... and it has held a reference ever since
    bool seen_release = false;  // has acquired "release has finished", and nothing revives the ref
    uint32_t releases_due = 0;  // that it must have seen before it may reinit
    bool managed = false;       // from the start, or by its own switch_to_managed
  };

  // False: the thread may not make this call now.
  bool apply(const Operation& op);
  bool apply_to(unsigned ref, const Operation& op);
  bool get(unsigned ref, uint64_t n, OpCode code);
  bool tryget(unsigned ref, uint64_t n, OpCode code);
  bool put(unsigned ref, uint64_t n, OpCode code);
  bool put_initial(unsigned ref);
  bool kill(unsigned ref, bool confirm);
  bool switch_to_atomic(unsigned ref, OpCode code);
  bool switch_to_percpu(unsigned ref);
  bool switch_to_managed(unsigned ref);
  bool resurrect(unsigned ref);
  bool reinit(unsigned ref);
  bool is_zero(unsigned ref);
  bool is_dying(unsigned ref);
  bool await_release(unsigned ref);
  bool give(unsigned ref, unsigned to);
  bool take(unsigned ref);
  bool start();
  bool stop();
  // Everything goes to that thread; no operation follows.
  bool end_thread(unsigned to);
  // mixed_calls.cc
  bool apply_joined(const Operation& op);
  bool find_tryget(unsigned ref, bool live);
  bool list_insert_ref(unsigned list, unsigned ref);
  bool list_insert_area(unsigned list, unsigned pool);
  bool list_tryget(unsigned list, unsigned place, bool live);
  // `held`: somebody holds a reference of it meanwhile.
  bool tryget_found(Object& found, bool live, bool held);
  // misuse_calls.cc
  bool misuse(const Operation& op);
  bool misuse_counts(unsigned ref);
  bool misuse_init(unsigned ref);
  bool misuse_revive(unsigned ref);
  bool misuse_switch(unsigned ref);
  bool misuse_managed(unsigned ref);
  bool misuse_after_exit(unsigned ref);
  bool misuse_in_own_callback(unsigned ref);
  bool misuse_start();

  bool holds(unsigned ref) const;
  bool may_touch(unsigned ref) const;
  bool may_get(unsigned ref) const { return holds(ref) || execution_.facts[ref].quiet; }
  // A tryget failed, while a reference was held: only tryget_live of what may be dead may do so.
  void refused_while_held(unsigned ref, bool live) const;
  bool only_this_revives(unsigned ref) const;
  bool release_finished(unsigned ref) const;
  void raised(unsigned ref, uint64_t n);
  void lowered(unsigned ref, uint64_t n);
  // The ref lives again, by this thread's doing.
  void revived(unsigned ref);
  Object& object(unsigned ref) { return *execution_.objects[ref]; }

  Execution& execution_;
  DomainUnderTest& domain_;
  const unsigned index_;
  unsigned operation_ = 0;  // the current one, from 0
  bool ended_ = false;
  bool manager_runs_;  // as far as the only thread that starts it knows
  std::array<Holding, kMaxRefs> holdings_;
  PoolActor pools_;
  ListActor lists_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_ACTOR_H_

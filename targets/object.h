// SPDX-License-Identifier: Apache-2.0
// What a program counts references of, and the callbacks that are made on it.
#ifndef LASTPUT_TARGETS_OBJECT_H_
#define LASTPUT_TARGETS_OBJECT_H_

#include <array>
#include <atomic>
#include <cstdint>

#include "core/rcu.h"
#include "targets/facts.h"
#include "targets/ledger.h"
#include "targets/list_actor.h"
#include "targets/pools.h"
#include "targets/program.h"
#include "targets/ref_under_test.h"

namespace targets {

struct Execution;

inline constexpr uint64_t kHeader = 0x6c61737470757431;

// Deleted by release where the program says so; a grace period later, if there is RCU.
struct Object : RefUnderTest, percpu::RcuHead {
  uint64_t header = kHeader;  // plain, read by whoever holds a reference
  Execution* execution = nullptr;
  unsigned index = 0;
  ReaderMarks finders;     // when it was taken out of their way
  uint64_t slots[kSlots];  // plain; each written at most once, before a put (see ledger.h)

  // Writes the payload that release must see, and enters the drop in the ledger.
  void before_put(unsigned slot, uint64_t n);
  void check_header() const;
  // Reads every slot whose put had returned when `actor` began its first kill.
  void check_payload_of_confirm(unsigned actor) const;
  // Reads every slot that was written. REQUIRES: all puts so far happen before the call.
  void check_payload(const char* reader) const;
  void check_slot(unsigned slot, const char* reader) const;
};

// What outlives the objects, for the threads and callbacks of one execution.
struct Execution {
  explicit Execution(const Program& p) : program(p), pools(p), lists(p) {}
  const Program& program;
  bool manager_started = false;  // by main
  std::array<RefFacts, kMaxRefs> facts;
  std::array<Object*, kMaxRefs> objects = {};                   // null: init failed
  std::array<std::atomic<Object*>, kMaxRefs> findable = {};     // where RCU readers look for them
  std::array<std::atomic<uint32_t>, kMaxRefs> released = {};    // releases that have finished
  std::array<std::atomic<uint32_t>, kMaxRefs> confirming = {};  // confirms that have begun
  std::array<std::array<std::atomic<uint64_t>, kMaxThreads>, kMaxRefs> mailboxes = {};
  std::array<std::array<uint64_t, kMaxRefs>, kMaxThreads> leftovers = {};  // read after join
  std::array<std::array<bool, kMaxRefs>, kMaxThreads> made_managed = {};  // by the thread; the same
  Pools pools;
  Lists lists;
};

// Fails if the verdict is not good. `managed`: what is wrong is then the manager's doing.
void check_ledger(unsigned ref, const RefLedger::Verdict& verdict, bool managed);

void on_release(RefUnderTest& ref);
// The callbacks of `actor`: a callback has no context but the ref, so each actor has its own.
RefUnderTest::Callback on_confirm(unsigned actor);
RefUnderTest::Callback on_switched(unsigned actor);

}  // namespace targets

#endif  // LASTPUT_TARGETS_OBJECT_H_

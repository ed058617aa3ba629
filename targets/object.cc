// SPDX-License-Identifier: Apache-2.0
#include "targets/object.h"

#include <chrono>
#include <thread>
#include <utility>

#include "targets/guarantees.h"
#include "targets/manager_runs.h"
#include "targets/runtime.h"

namespace targets {
namespace {

constexpr std::chrono::microseconds kCallbackSleep(100);

[[noreturn]] void fail_managed(RefLedger::Verdict::Guarantee guarantee, const char* message) {
  if (guarantee == RefLedger::Verdict::kG3) guarantee_M2_release_in_two_passes(message);
  guarantee_M1_release_by_manager(message);
}

void fail_ledger(unsigned ref, const RefLedger::Verdict& verdict, bool managed) {
  const Sentence sentence("ref%u: %s (%llu held)", ref, verdict.wrong,
                          static_cast<unsigned long long>(ledger(ref).held()));
  if (managed && verdict.guarantee <= RefLedger::Verdict::kG3)
    fail_managed(verdict.guarantee, sentence.text);
  switch (verdict.guarantee) {
    case RefLedger::Verdict::kG1:
      guarantee_G1_release_exactly_once(sentence.text);
    case RefLedger::Verdict::kG2:
      guarantee_G2_no_release_while_held(sentence.text);
    case RefLedger::Verdict::kG3:
      guarantee_G3_release_once_nothing_holds(sentence.text);
    case RefLedger::Verdict::kG4:
      guarantee_G4_confirm(sentence.text);
    case RefLedger::Verdict::kG6:
      guarantee_G6_counts_conserved(sentence.text);
  }
}

void rest(const Execution& execution) {
  if (execution.program.slow_callbacks) std::this_thread::sleep_for(kCallbackSleep);
}

void finish_release(Execution& execution, unsigned index) {
  // sync[released] release: what release did is visible to who acquires the number.
  execution.released[index].fetch_add(1, std::memory_order_release);
}

// RCU callback.
void free_object(percpu::RcuHead& head) {
  Object& object = static_cast<Object&>(head);
  check_readers(object.finders, "an object is freed");
  object.check_header();
  object.header = 0;
  object.exit();
  delete &object;
}

void free_after_readers(Execution& execution, Object& object) {
  // relaxed: who finds nothing reads nothing.
  execution.findable[object.index].store(nullptr, std::memory_order_relaxed);
  object.finders = mark_readers();
  if (!execution.lists.rcu->call(object, free_object))
    guarantee_G10_misuse("a legal call was refused");
}

template <unsigned kActor>
void confirm_of(RefUnderTest& ref) {
  const Object& object = static_cast<const Object&>(ref);
  const unsigned index = object.index;
  runtime::note("confirm");
  // sync[confirming] release: a tryget_live after an acquire of it comes after the start of
  // confirm.
  object.execution->confirming[index].fetch_add(1, std::memory_order_release);
  ledger(index).confirm_begun(kActor);
  object.check_header();
  object.check_payload_of_confirm(kActor);
  rest(*object.execution);
  ledger(index).confirm_ended();
}

template <unsigned kActor>
void switched_of(RefUnderTest& ref) {
  const Object& object = static_cast<const Object&>(ref);
  runtime::note("switched");
  object.check_header();
  rest(*object.execution);
  ledger(object.index).switch_callback(kActor);
}

template <unsigned... kActor>
RefUnderTest::Callback confirm_for(unsigned actor, std::integer_sequence<unsigned, kActor...>) {
  static constexpr RefUnderTest::Callback kCallbacks[] = {confirm_of<kActor>...};
  return kCallbacks[actor];
}
template <unsigned... kActor>
RefUnderTest::Callback switched_for(unsigned actor, std::integer_sequence<unsigned, kActor...>) {
  static constexpr RefUnderTest::Callback kCallbacks[] = {switched_of<kActor>...};
  return kCallbacks[actor];
}

}  // namespace

void check_ledger(unsigned ref, const RefLedger::Verdict& verdict, bool managed) {
  if (verdict.wrong != nullptr) fail_ledger(ref, verdict, managed);
}

void Object::before_put(unsigned slot, uint64_t n) {
  check_header();
  slots[slot] = slot + 1;
  ledger(index).mark_written(slot);
  ledger(index).dropping(n);
}

void Object::check_header() const {
  if (header != kHeader)
    guarantee_G8_memory("the object under a held reference is not what it was");
}

void Object::check_slot(unsigned slot, const char* reader) const {
  if (slots[slot] == slot + 1) return;
  guarantee_G7_release_sees_writes(
      Sentence("ref%u: %s does not see what was written before a put", index, reader).text);
}

void Object::check_payload(const char* reader) const {
  const RefLedger& entries = ledger(index);
  for (unsigned slot = entries.next_written(0); slot < kSlots;
       slot = entries.next_written(slot + 1))
    check_slot(slot, reader);
}

void Object::check_payload_of_confirm(unsigned actor) const {
  const RefLedger& entries = ledger(index);
  for (unsigned slot = entries.next_remembered(actor, 0); slot < kSlots;
       slot = entries.next_remembered(actor, slot + 1))
    check_slot(slot, "confirm");
}

void on_release(RefUnderTest& ref) {
  Object& object = static_cast<Object&>(ref);
  Execution& execution = *object.execution;
  const unsigned index = object.index;
  runtime::note("release");
  const bool managed = execution.facts[index].managed;
  check_ledger(index, ledger(index).release_begun(), managed);
  const ReleaseInProgress in_progress(index, managed);
  object.check_header();
  object.check_payload("release");
  rest(execution);
  switch (execution.facts[index].release) {
    case ReleaseAction::kMark:
      break;
    case ReleaseAction::kReinit:
      if (ledger(index).lives_begun() >= kMaxLives) break;
      finish_release(execution, index);
      ledger(index).reinit_begun();
      // The object is everybody's again: nothing of it may be touched after this call.
      if (!ref.reinit()) {
        const Sentence sentence("ref%u: reinit in release refused", index);
        if (managed) guarantee_M6_release_ends_its_ref(sentence.text);
        guarantee_G10_misuse(sentence.text);
      }
      return;
    case ReleaseAction::kExit:
      ref.exit();
      break;
    case ReleaseAction::kFree:
      if (execution.lists.rcu) {
        free_after_readers(execution, object);
        break;
      }
      ref.exit();
      delete &object;
      break;
  }
  finish_release(execution, index);
}

RefUnderTest::Callback on_confirm(unsigned actor) {
  return confirm_for(actor, std::make_integer_sequence<unsigned, kActors>());
}
RefUnderTest::Callback on_switched(unsigned actor) {
  return switched_for(actor, std::make_integer_sequence<unsigned, kActors>());
}

}  // namespace targets

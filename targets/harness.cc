// SPDX-License-Identifier: Apache-2.0
#include "targets/harness.h"

#include <new>
#include <optional>
#include <system_error>
#include <thread>

#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/list_ledger.h"
#include "targets/main_operations.h"
#include "targets/manager_runs.h"
#include "targets/pool_ledger.h"
#include "targets/runtime.h"

namespace targets {
namespace {

constexpr const char* kObjectNames[] = {"ref0", "ref1", "ref2"};
constexpr const char* kPayloadNames[] = {"payload0", "payload1", "payload2"};

// Null if it cannot be made for lack of memory.
Object* make_object(Execution& execution, DomainUnderTest& domain, unsigned ref) {
  Object* const object = new (std::nothrow) Object;
  if (object == nullptr) return nullptr;
  object->execution = &execution;
  object->index = ref;
  runtime::name_object(static_cast<RefUnderTest*>(object), sizeof(RefUnderTest), kObjectNames[ref]);
  runtime::name_object(object->slots, sizeof object->slots, kPayloadNames[ref]);
  const Begun begun = begin_life(*object, domain, on_release, execution.program.refs[ref].flags);
  if (begun == Begun::kLives) return object;
  if (begun == Begun::kRefused)
    guarantee_G10_misuse(Sentence("ref%u: a legal init was refused", ref).text);
  object->exit();  // harmless on what failed to begin
  delete object;
  return nullptr;
}

void hand_tokens(Execution& execution, unsigned ref) {
  Object* const object = execution.objects[ref];
  for (size_t t = 0; object != nullptr && t < execution.program.threads.size(); ++t) {
    const unsigned tokens = execution.program.refs[ref].tokens[t];
    if (tokens == 0) continue;
    object->get_many(tokens);
    ledger(ref).raised(tokens);
    execution.leftovers[t][ref] = tokens;
  }
}

// Readers find what nobody's release exits.
void list_objects(Execution& execution) {
  for (unsigned ref = 0; ref < execution.program.refs.size(); ++ref)
    if (execution.facts[ref].release != ReleaseAction::kExit)
      // sync[found] release: the object is complete.
      execution.findable[ref].store(execution.objects[ref], std::memory_order_release);
}

void run_threads(Execution& execution, DomainUnderTest& domain) {
  std::array<std::optional<Actor>, kMaxThreads> actors;
  std::array<std::thread, kMaxThreads> threads;
  const size_t count = execution.program.threads.size();
  runtime::begin_op(kOpStart);
  for (unsigned t = 0; t < count; ++t) {
    Actor& actor = actors[t].emplace(execution, domain, t);
    runtime::name_next_thread(kThreadNames[t]);
    try {
      threads[t] = std::thread(&Actor::run, &actor);
    } catch (const std::bad_alloc&) {
      // A failing allocation took the thread: its references stay in leftovers.
    } catch (const std::system_error&) {
    }
  }
  runtime::begin_op(kOpJoin);
  for (size_t t = 0; t < count; ++t)
    if (threads[t].joinable()) threads[t].join();
}

// main ends one ref, when all threads have ended.
class Ender {
 public:
  Ender(Execution& execution, DomainUnderTest& domain, unsigned ref)
      : execution_(execution), domain_(domain), ref_(ref), object_(execution.objects[ref]) {
    managed_ = execution.facts[ref].managed;
    for (const auto& made : execution.made_managed) managed_ |= made[ref];
  }

  // With its initial reference, whatever the manager is doing.
  void exit_only() {
    collect();
    if (execution_.program.leftovers != Leftovers::kMainAfterKill) drop();
    object_->exit();
    const bool live = ledger(ref_).live();
    if (object_->is_zero() == live || object_->is_dying() == live)
      guarantee_G6_counts_conserved(
          Sentence("ref%u: is_zero or is_dying is wrong after exit", ref_).text);
    check_ledger(ref_, ledger(ref_).at_end(), managed_);
    delete object_;
  }

  // REQUIRES: the manager's thread is stopped.
  void run() {
    collect();
    if (execution_.program.leftovers != Leftovers::kMainAfterKill) drop();
    // Each round ends a life or drops the rest; release may begin another life.
    for (unsigned round = 0;; ++round) {
      domain_.drain();
      scan();
      if (ledger(ref_).live()) {
        end_life();
      } else if (held_ != 0) {
        check_held();
        drop();
      } else {
        break;
      }
      if (round > 2 * kMaxLives + kMaxOperations)
        guarantee_G1_release_exactly_once(Sentence("ref%u does not end", ref_).text);
    }
    check_ledger(ref_, ledger(ref_).at_end(), managed_);
    destroy();
  }

 private:
  void collect() {
    for (size_t t = 0; t < execution_.program.threads.size(); ++t) {
      held_ += execution_.leftovers[t][ref_];
      // sync[mailbox] relaxed: the givers have been joined.
      held_ += execution_.mailboxes[ref_][t].load(std::memory_order_relaxed);
    }
  }

  void drop() {
    if (held_ == 0) return;
    const unsigned slot = slot_of(kMain, next_slot_++);
    object_->before_put(slot, held_);
    object_->put_many(held_);
    ledger(ref_).mark_returned(slot);
    held_ = 0;
  }

  // The count must be above 0, and releasing must have waited for it.
  void check_held() {
    if (!kAbilities.has(OpCode::kTryget)) return;
    if (!object_->tryget())
      guarantee_G5_tryget_true_when_raised(
          Sentence("ref%u: tryget failed while references are held", ref_).text);
    if (kAbilities.has(OpCode::kIsZero) && object_->is_zero())
      guarantee_G6_counts_conserved(
          Sentence("ref%u: is_zero while references are held", ref_).text);
    object_->put();
  }

  void end_life() {
    RefLedger& entries = ledger(ref_);
    const Ending ending = managed_ ? Ending::kPutOnly : execution_.program.refs[ref_].ending;
    if (ending == Ending::kPut || ending == Ending::kPutOnly) {
      if (ending == Ending::kPut && !object_->switch_to_atomic_sync())
        guarantee_G10_misuse(
            Sentence("ref%u: a legal switch_to_atomic_sync was refused", ref_).text);
      const uint32_t releases = entries.releases();
      entries.initial_put_begun();
      object_->put();
      if (managed_ && entries.releases() != releases)
        guarantee_M5_stop(Sentence("ref%u: released while the manager was stopped", ref_).text);
      return;
    }
    const bool confirm = ending == Ending::kConfirm;
    entries.kill_begun(confirm);
    if (confirm) entries.remember_returned(kMain);
    const bool won = confirm ? object_->kill_and_confirm(on_confirm(kMain)) : object_->kill();
    entries.kill_ended(kMain, confirm, won);
    if (!won)
      guarantee_G1_release_exactly_once(
          Sentence("ref%u: kill of a live ref returned false", ref_).text);
  }

  // M2: what nobody holds is released in two passes.
  void scan() {
    for (unsigned run = managed_ ? runs_of_two_passes(execution_.program) : 0; run > 0; --run)
      scan_by_hand(*core_domain(domain_), execution_.program);
  }

  void destroy() {
    const ReleaseAction action = execution_.facts[ref_].release;
    const bool released = ledger(ref_).releases() != 0;
    if (action == ReleaseAction::kFree && released) return;
    check_dead();
    if (action != ReleaseAction::kExit || !released) object_->exit();
    object_->exit();  // idempotent
    check_dead();
    delete object_;
  }

  void check_dead() {
    if (kAbilities.has(OpCode::kIsZero) && !object_->is_zero())
      guarantee_G6_counts_conserved(Sentence("ref%u: not is_zero at the end", ref_).text);
    if (kAbilities.has(OpCode::kIsDying) && !object_->is_dying())
      guarantee_G6_counts_conserved(Sentence("ref%u: not is_dying at the end", ref_).text);
    object_->check_payload("is_zero");
  }

  Execution& execution_;
  DomainUnderTest& domain_;
  const unsigned ref_;
  Object* const object_;
  bool managed_;
  uint64_t held_ = 0;
  unsigned next_slot_ = 0;
};

void run_in(const Program& program, DomainUnderTest& domain) {
  Execution execution(program);
  const auto refs = static_cast<unsigned>(program.refs.size());
  runtime::begin_op(kOpInit);
  for (unsigned ref = 0; ref < refs; ++ref) {
    execution.facts[ref] = ref_facts(program, ref);
    execution.objects[ref] = make_object(execution, domain, ref);
    hand_tokens(execution, ref);
  }
  percpu::Domain* const core = core_domain(domain);
  if (core != nullptr) {
    execution.pools.make(*core);
    execution.lists.make(*core);
  }
  if (execution.lists.rcu) list_objects(execution);
  if (program.manager.thread) execution.manager_started = start_manager(*core, program);
  run_threads(execution, domain);
  runtime::begin_op(kOpEnd);
  const auto ends = [&](unsigned ref, bool by_exit) {
    return execution.objects[ref] != nullptr &&
           (program.refs[ref].ending == Ending::kExit) == by_exit;
  };
  execution.lists.end();  // drops what elements carry
  for (unsigned ref = 0; ref < refs; ++ref)
    if (ends(ref, true)) Ender(execution, domain, ref).exit_only();
  if (program.manager.scan_count != 0) stop_manager(*core, true);
  for (unsigned ref = 0; ref < refs; ++ref)
    if (ends(ref, false)) Ender(execution, domain, ref).run();
  if (core != nullptr) execution.pools.end(*core);
  runtime::begin_op(kOpDestroy);
}

}  // namespace

void run_program(const Program& program) {
  reset_ledgers(program);
  reset_pool_ledger();
  reset_list_ledger();
  set_current_cpu(0);
  enter_program_thread();
  runtime::begin_op(kOpDomain);
  try {
    runtime::name_next_thread(kWorkerName);
    DomainUnderTest domain = make_domain(program);
    run_in(program, domain);
  } catch (const std::bad_alloc&) {
    // No memory for the domain itself: there is nothing to run.
  } catch (const std::system_error&) {
  }
}

const Abilities& abilities() {
  return kAbilities;
}

unsigned operations_dropped() {
  return dropped_operations();
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
// The calls that a thread makes on a ref, each behind the rule that makes it legal (harness.h).
// Until a rule has said yes, the object may be gone: nothing of it is read.
#include <thread>

#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/manager_runs.h"

namespace targets {
namespace {

constexpr unsigned kAwaitYields = 16;

void require(bool carried_out, unsigned ref, const char* call) {
  if (!carried_out) guarantee_G10_misuse(Sentence("ref%u: a legal %s was refused", ref, call).text);
}

}  // namespace

bool Actor::holds(unsigned ref) const {
  return holdings_[ref].tokens != 0 || holdings_[ref].initial;
}

bool Actor::may_touch(unsigned ref) const {
  return holds(ref) || execution_.facts[ref].lives_to_end;
}

// Whether `killed` still means that the ref is dead: whoever else revives it does not tell this
// thread.
bool Actor::only_this_revives(unsigned ref) const {
  const RefFacts& facts = execution_.facts[ref];
  return !facts.may_revive ||
         (facts.controller == index_ && facts.release != ReleaseAction::kReinit);
}

bool Actor::release_finished(unsigned ref) const {
  // sync[released] acquire: what release did happens before what follows.
  return execution_.released[ref].load(std::memory_order_acquire) >= holdings_[ref].releases_due;
}

void Actor::raised(unsigned ref, uint64_t n) {
  holdings_[ref].tokens += n;
  ledger(ref).raised(n);
  object(ref).check_header();
}

void Actor::lowered(unsigned ref, uint64_t n) {
  holdings_[ref].tokens -= n;
  if (!holds(ref)) holdings_[ref].held_since_kill = false;
}

bool Actor::get(unsigned ref, uint64_t n, OpCode code) {
  if (!may_get(ref)) return false;
  if (holdings_[ref].tokens + n > kMaxHeld) return false;
  if (code == OpCode::kGet) {
    object(ref).get();
  } else {
    object(ref).get_many(n);
  }
  raised(ref, n);
  return true;
}

bool Actor::tryget(unsigned ref, uint64_t n, OpCode code) {
  if (!may_touch(ref) || holdings_[ref].tokens + n > kMaxHeld) return false;
  // sync[confirming] acquire: the start of confirm happens before the tryget_live.
  if (code == OpCode::kTrygetLiveConfirmed &&
      execution_.confirming[ref].load(std::memory_order_acquire) == 0)
    return false;
  const bool live = code != OpCode::kTryget && code != OpCode::kTrygetMany;
  bool taken = false;
  switch (code) {
    case OpCode::kTryget:
      taken = object(ref).tryget();
      break;
    case OpCode::kTrygetMany:
      taken = object(ref).tryget_many(n);
      break;
    case OpCode::kTrygetLiveMany:
      taken = object(ref).tryget_live_many(n);
      break;
    default:
      taken = object(ref).tryget_live();
      break;
  }
  if (taken) {
    raised(ref, n);
    if (code == OpCode::kTrygetLiveConfirmed)
      guarantee_G4_confirm(
          Sentence("ref%u: tryget_live succeeded after the start of confirm", ref).text);
  } else if (holds(ref)) {
    refused_while_held(ref, live);
  }
  return true;
}

void Actor::refused_while_held(unsigned ref, bool live) const {
  const RefFacts& facts = execution_.facts[ref];
  // A reference taken while release reinits the ref is one of its next life, which a tryget_live still sees dead.
  const bool stays_live = facts.managed && facts.release != ReleaseAction::kReinit;
  if (holdings_[ref].managed && (!live || stays_live))
    guarantee_M7_visits_change_no_answer(
        Sentence("ref%u: a tryget of a managed ref failed while a reference is held", ref).text);
  if (!live || facts.quiet)
    guarantee_G5_tryget_true_when_raised(
        Sentence("ref%u: %s failed while a reference is held", ref,
                 live ? "tryget_live of a ref that nobody kills" : "tryget")
            .text);
}

bool Actor::put(unsigned ref, uint64_t n, OpCode code) {
  if (n == 0 || n > holdings_[ref].tokens) return false;
  lowered(ref, n);
  const unsigned slot = slot_of(index_, operation_);
  object(ref).before_put(slot, n);
  if (code == OpCode::kPut) {
    object(ref).put();
  } else {
    object(ref).put_many(n);
  }
  ledger(ref).mark_returned(slot);
  return true;
}

bool Actor::put_initial(unsigned ref) {
  if (!holdings_[ref].initial) return false;
  holdings_[ref].initial = false;
  const unsigned slot = slot_of(index_, operation_);
  object(ref).before_put(slot, 0);
  ledger(ref).initial_put_begun();
  object(ref).put();
  ledger(ref).mark_returned(slot);
  return true;
}

bool Actor::kill(unsigned ref, bool confirm) {
  Holding& holding = holdings_[ref];
  const RefFacts& facts = execution_.facts[ref];
  // Where the ref begins dead, another thread's reinit may still be at work when its life begins:
  // then only that thread itself knows that the object stays.
  const bool first_of_only_killer = facts.only_killer == static_cast<int>(index_) &&
                                    !holding.killed &&
                                    (!facts.begins_dead || facts.controller == index_);
  if (!may_touch(ref) && !first_of_only_killer) return false;
  if (holding.managed && !(holding.killed && only_this_revives(ref))) return false;
  const bool must_win = first_of_only_killer && !facts.begins_dead && !facts.may_revive;
  const bool must_lose = holding.killed && only_this_revives(ref);
  ledger(ref).kill_begun(confirm);
  if (confirm) ledger(ref).remember_returned(index_);
  // After the call the object may be gone, unless this thread holds a reference.
  const bool won = confirm ? object(ref).kill_and_confirm(on_confirm(index_)) : object(ref).kill();
  ledger(ref).kill_ended(index_, confirm, won);
  holding.killed = true;
  holding.held_since_kill = holds(ref);
  if (won ? must_lose : must_win) {
    guarantee_G1_release_exactly_once(
        Sentence("ref%u: kill returned %s", ref,
                 won ? "true twice in one life" : "false, but nobody else kills")
            .text);
  }
  return true;
}

bool Actor::switch_to_atomic(unsigned ref, OpCode code) {
  if (!holds(ref) || holdings_[ref].managed) return false;
  if (code == OpCode::kSwitchToAtomicSync) {
    require(object(ref).switch_to_atomic_sync(), ref, "switch_to_atomic_sync");
  } else if (code == OpCode::kSwitchToAtomicCallback) {
    ledger(ref).switch_begun(index_);
    require(object(ref).switch_to_atomic(on_switched(index_)), ref, "switch_to_atomic");
  } else {
    require(object(ref).switch_to_atomic(), ref, "switch_to_atomic");
  }
  return true;
}

bool Actor::switch_to_percpu(unsigned ref) {
  if (!holds(ref) || holdings_[ref].managed) return false;
  require(object(ref).switch_to_percpu(), ref, "switch_to_percpu");
  return true;
}

bool Actor::switch_to_managed(unsigned ref) {
  const RefFacts& facts = execution_.facts[ref];
  // Or it is dead, at 0, and this thread alone may change that.
  const bool dead = facts.release == ReleaseAction::kMark && facts.controller == index_ &&
                    holdings_[ref].killed && release_finished(ref);
  if (!holds(ref) && !dead) return false;
  require(object(ref).switch_to_managed(), ref, "switch_to_managed");
  holdings_[ref].managed = true;
  return true;
}

bool Actor::start() {
  if (manager_runs_) return false;
  manager_runs_ = start_manager(*core_domain(domain_), execution_.program);
  return true;
}

bool Actor::stop() {
  // The only thread that starts it, or none does.
  const bool alone =
      !has_operation(execution_.program, OpCode::kManagerStart, 0, static_cast<int>(index_));
  stop_manager(*core_domain(domain_), alone);
  manager_runs_ = false;
  return true;
}

void Actor::revived(unsigned ref) {
  holdings_[ref].killed = false;
  holdings_[ref].initial = execution_.facts[ref].put_only;
}

bool Actor::resurrect(unsigned ref) {
  if (!holds(ref) || !holdings_[ref].killed) return false;
  // Where release reinits, the life that this thread killed may be over, and the next one live.
  if (execution_.facts[ref].release == ReleaseAction::kReinit && !holdings_[ref].held_since_kill)
    return false;
  ledger(ref).resurrect_begun();
  require(object(ref).resurrect(), ref, "resurrect");
  revived(ref);
  return true;
}

bool Actor::reinit(unsigned ref) {
  const RefFacts& facts = execution_.facts[ref];
  // Where release does more than mark, only the first life, of a ref that begins dead, is this
  // thread's.
  if (facts.release != ReleaseAction::kMark && holdings_[ref].releases_due != 0) return false;
  if (!release_finished(ref)) return false;
  ++holdings_[ref].releases_due;
  ledger(ref).reinit_begun();
  require(object(ref).reinit(), ref, "reinit");
  revived(ref);
  return true;
}

bool Actor::is_zero(unsigned ref) {
  if (!may_touch(ref) && !holdings_[ref].seen_release) return false;
  const bool zero = object(ref).is_zero();
  if (zero && holds(ref))
    guarantee_G6_counts_conserved(
        Sentence("ref%u: is_zero while its caller holds a reference", ref).text);
  if (!zero && holdings_[ref].seen_release)
    guarantee_G6_counts_conserved(Sentence("ref%u: not is_zero after release", ref).text);
  if (zero && !execution_.facts[ref].may_revive) object(ref).check_payload("is_zero");
  return true;
}

bool Actor::is_dying(unsigned ref) {
  const Holding& holding = holdings_[ref];
  if (!may_touch(ref) && !holding.seen_release) return false;
  const bool must = holding.seen_release || (holding.killed && only_this_revives(ref));
  const bool dying = object(ref).is_dying();
  if (dying ? execution_.facts[ref].quiet : must) {
    guarantee_G6_counts_conserved(Sentence("ref%u: is_dying is %s", ref,
                                           dying ? "true, but nobody kills" : "false after kill")
                                      .text);
  }
  return true;
}

bool Actor::await_release(unsigned ref) {
  unsigned yields = 0;
  while (!release_finished(ref)) {
    if (++yields > kAwaitYields) return false;
    std::this_thread::yield();
  }
  const RefFacts& facts = execution_.facts[ref];
  holdings_[ref].seen_release = holdings_[ref].releases_due != 0 && !facts.may_revive &&
                                facts.release != ReleaseAction::kFree;
  return true;
}

bool Actor::give(unsigned ref, unsigned to) {
  if (holdings_[ref].tokens == 0) return false;
  lowered(ref, 1);
  // sync[mailbox] release: who takes the reference sees what its holder did.
  execution_.mailboxes[ref][to].fetch_add(1, std::memory_order_release);
  return true;
}

bool Actor::end_thread(unsigned to) {
  for (unsigned ref = 0; ref < execution_.program.refs.size(); ++ref) {
    const uint64_t tokens = holdings_[ref].tokens;
    lowered(ref, tokens);
    // sync[mailbox] release: as in give.
    if (tokens != 0) execution_.mailboxes[ref][to].fetch_add(tokens, std::memory_order_release);
  }
  ended_ = true;
  return true;
}

bool Actor::take(unsigned ref) {
  // sync[mailbox] acquire: the other side of give.
  const uint64_t tokens = execution_.mailboxes[ref][index_].exchange(0, std::memory_order_acquire);
  holdings_[ref].tokens += tokens;
  return tokens != 0;
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
// Calls that join refs, pools and lists, each behind the rule that makes it legal:
//   find_tryget..        a reader finds the object, if its release has not taken it out of the way
//   list_insert_ref      as get
//   list_insert_area     the thread holds an area of the pool
//   list_tryget..        a reader finds an element that carries a reference
#include "targets/actor.h"
#include "targets/guarantees.h"

namespace targets {

void Cargo::look() const {
  if (object != nullptr) object->check_header();
  if (area != nullptr) pools->check(pool, *area);
}

void Cargo::let_go() const {
  if (area != nullptr) pools->free(pool, *area, *domain);
  if (object == nullptr) return;
  RefLedger& entries = ledger(object->index);
  object->before_put(slot, 1);
  object->put();
  entries.mark_returned(slot);
}

bool Actor::apply_joined(const Operation& op) {
  const auto argument = static_cast<unsigned>(op.argument);
  switch (op.code) {
    case OpCode::kFindTryget:
    case OpCode::kFindTrygetLive:
      return find_tryget(op.ref, op.code == OpCode::kFindTrygetLive);
    case OpCode::kListInsertRef:
      return list_insert_ref(op.ref, argument);
    case OpCode::kListInsertArea:
      return list_insert_area(op.ref, argument);
    case OpCode::kListTryget:
    case OpCode::kListTrygetLive:
      return list_tryget(op.ref, argument, op.code == OpCode::kListTrygetLive);
    default:
      return false;
  }
}

bool Actor::tryget_found(Object& found, bool live, bool held) {
  const unsigned ref = found.index;
  if (holdings_[ref].tokens == kMaxHeld) return false;
  found.check_header();
  if (live ? found.tryget_live() : found.tryget()) {
    raised(ref, 1);
  } else if (held || holds(ref)) {
    refused_while_held(ref, live);
  }
  return true;
}

bool Actor::find_tryget(unsigned ref, bool live) {
  if (!execution_.lists.rcu) return false;
  const MarkedReader reader(*execution_.lists.rcu, index_);
  // sync[found] acquire: who finds the object finds it complete.
  Object* const found = execution_.findable[ref].load(std::memory_order_acquire);
  return found != nullptr && tryget_found(*found, live, false);
}

bool Actor::list_insert_ref(unsigned list, unsigned ref) {
  List* const to = execution_.lists.lists[list].get();
  if (to == nullptr || execution_.objects[ref] == nullptr || !may_get(ref)) return false;
  Cargo cargo;
  cargo.object = &object(ref);
  cargo.slot = slot_of(index_, operation_);
  cargo.object->get();
  ledger(ref).raised(1);
  if (!to->insert(cargo)) cargo.let_go();
  return true;
}

bool Actor::list_insert_area(unsigned list, unsigned pool) {
  List* const to = execution_.lists.lists[list].get();
  if (to == nullptr) return false;
  Cargo cargo;
  cargo.area = pools_.pop(pool);
  if (cargo.area == nullptr) return false;
  cargo.pool = pool;
  cargo.pools = &execution_.pools;
  cargo.domain = core_domain(domain_);
  if (!to->insert(cargo)) cargo.let_go();
  return true;
}

bool Actor::list_tryget(unsigned list, unsigned place, bool live) {
  List* const from = execution_.lists.lists[list].get();
  if (from == nullptr) return false;
  struct Call {
    Actor& actor;
    const bool live;
    bool made;
  } call = {*this, live, false};
  from->look(
      place % kPlaces, index_,
      [](const Element& element, void* context) {
        auto& c = *static_cast<Call*>(context);
        // The element has a reference of it, and is there as long as somebody may read it.
        if (element.cargo.object != nullptr)
          c.made = c.actor.tryget_found(*element.cargo.object, c.live, true);
      },
      &call);
  return call.made;
}

}  // namespace targets

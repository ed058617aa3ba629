// SPDX-License-Identifier: Apache-2.0
#include "targets/list_actor.h"

#include <algorithm>
#include <new>
#include <system_error>

#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/list_ledger.h"
#include "targets/main_operations.h"
#include "targets/runtime.h"

namespace targets {
namespace {

struct Callback : percpu::RcuHead {
  unsigned actor;
  unsigned number;
  ReaderMarks readers;
};

void run_callback(percpu::RcuHead& head) {
  auto& callback = static_cast<Callback&>(head);
  check_readers(callback.readers, "an RCU callback runs");
  if (callback_ran(callback.actor) != callback.number)
    guarantee_U4_callbacks_run_once_in_order("an RCU callback runs twice, or out of order");
  delete &callback;
}

void require(bool carried_out, const char* call) {
  if (!carried_out) guarantee_G10_misuse(Sentence("a legal %s was refused", call).text);
}

}  // namespace

void check_readers(const ReaderMarks& readers, const char* event) {
  if (has_missed_a_reader(readers))
    guarantee_U1_grace_periods_wait_for_readers(
        Sentence("%s, but a reader is still inside that was so before", event).text);
}

void Lists::make(percpu::Domain& domain) {
  if (program.lists.empty()) return;
  runtime::name_next_thread(kRcuName);
  try {
    rcu.emplace(domain);
  } catch (const std::bad_alloc&) {
    return;
  } catch (const std::system_error&) {
    return;
  }
  for (unsigned list = 0; list < program.lists.size(); ++list) {
    lists[list] = List::make(program.lists[list].form, domain, *rcu);
    for (unsigned n = 0; lists[list] && n < program.lists[list].elements; ++n)
      lists[list]->insert({});
  }
}

void Lists::put_leftovers(unsigned list) {
  for (size_t t = 0; t < program.threads.size(); ++t) {
    HeldElements& held = leftovers[list][t];
    while (held.count != 0) lists[list]->put(held.elements[--held.count], kMain, 1);
    // sync[element] relaxed: the givers have been joined.
    Element* const given = mailboxes[list][t].exchange(nullptr, std::memory_order_relaxed);
    if (given != nullptr) lists[list]->put(given, kMain, 1);
  }
}

void Lists::barrier() {
  require(rcu->barrier(), "barrier");
  for (unsigned actor = 0; actor < kActors; ++actor)
    if (!all_callbacks_ran(actor))
      guarantee_U5_barriers_wait_for_callbacks("an RCU callback has not run after barrier");
}

void Lists::end() {
  if (!rcu) return;
  for (unsigned list = 0; list < program.lists.size(); ++list) {
    if (!lists[list]) continue;
    if (program.leftovers != Leftovers::kMainAfterKill) put_leftovers(list);
    while (lists[list]->remove(0)) {
    }
    if (program.leftovers == Leftovers::kMainAfterKill) barrier();
    put_leftovers(list);
  }
  barrier();
  for (unsigned element = 0; element < elements_listed(); ++element)
    if (!was_freed(element))
      guarantee_R3_free_when_the_form_says(
          Sentence("element %u: not freed, and nobody holds a reference", element).text);
}

bool ListActor::apply(const Operation& op, unsigned operation) {
  if (!shared_.rcu) return false;
  switch (op.code) {
    case OpCode::kSynchronize:
      return synchronize();
    case OpCode::kRcuCall:
      return call();
    case OpCode::kBarrier:
      return barrier();
    default:
      return shared_.lists[op.ref] != nullptr && apply_to(*shared_.lists[op.ref], op, operation);
  }
}

bool ListActor::apply_to(List& list, const Operation& op, unsigned operation) {
  const auto argument = static_cast<unsigned>(op.argument);
  const unsigned place = argument % kPlaces;
  const unsigned cpu = current_cpu(nullptr) + argument / kPlaces;  // a reader goes there
  switch (op.code) {
    case OpCode::kListInsert:
      return list.insert({});
    case OpCode::kListRemove:
      return list.remove(place);
    case OpCode::kListRead:
      return list.read(place, index_, cpu % shared_.program.cpus);
    case OpCode::kListGet:
      return get(list, op);
    case OpCode::kListUpdateGet:
      return keep(op.ref, list.update_get(place));
    case OpCode::kListPut:
      return put(op.ref, operation);
    case OpCode::kListGive:
      return give(op.ref, argument);
    case OpCode::kListTake:
      return take(op.ref);
    default:
      return false;
  }
}

bool ListActor::keep(unsigned list, Element* element) {
  if (element == nullptr) return false;
  HeldElements& held = held_[list];
  held.elements[held.count++] = element;
  return true;
}

bool ListActor::get(List& list, const Operation& op) {
  const auto holds = [](const void* context, const Element* element) {
    const auto& held = *static_cast<const HeldElements*>(context);
    const auto end = held.elements.begin() + held.count;
    return std::find(held.elements.begin(), end, element) != end;
  };
  const bool stays = !has_operation(shared_.program, OpCode::kListRemove, op.ref);
  const auto place = static_cast<unsigned>(op.argument) % kPlaces;
  return keep(op.ref, list.get(place, {index_, stays, holds, &held_[op.ref]}));
}

bool ListActor::put(unsigned list, unsigned operation) {
  HeldElements& held = held_[list];
  if (held.count == 0) return false;
  shared_.lists[list]->put(held.elements[--held.count], index_, operation + 1u);
  return true;
}

bool ListActor::give(unsigned list, unsigned to) {
  HeldElements& held = held_[list];
  if (held.count == 0) return false;
  Element* const element = held.elements[held.count - 1];
  Element* none = nullptr;
  // sync[element] release: who takes the reference sees what its holder did. relaxed: it is full.
  if (!shared_.mailboxes[list][to].compare_exchange_strong(none, element, std::memory_order_release,
                                                           std::memory_order_relaxed))
    return false;
  --held.count;
  return true;
}

bool ListActor::take(unsigned list) {
  // sync[element] acquire: the other side of give.
  return keep(list, shared_.mailboxes[list][index_].exchange(nullptr, std::memory_order_acquire));
}

bool ListActor::synchronize() {
  const ReaderMarks readers = mark_readers();
  require(shared_.rcu->synchronize(), "synchronize");
  check_readers(readers, "synchronize has returned");
  return true;
}

bool ListActor::call() {
  auto* const callback = new (std::nothrow) Callback;
  if (callback == nullptr) return false;
  callback->actor = index_;
  callback->number = callback_queued(index_);
  callback->readers = mark_readers();
  require(shared_.rcu->call(*callback, run_callback), "call");
  return true;
}

bool ListActor::barrier() {
  require(shared_.rcu->barrier(), "barrier");
  if (!all_callbacks_ran(index_))
    guarantee_U5_barriers_wait_for_callbacks(
        "barrier has returned, but a callback has not run that its caller has queued");
  return true;
}

void ListActor::wind_down() {
  for (unsigned list = 0; list < shared_.program.lists.size(); ++list) {
    if (shared_.program.leftovers == Leftovers::kThread)
      while (put(list, kMaxOperations)) {
      }
    shared_.leftovers[list][index_] = held_[list];
  }
}

}  // namespace targets

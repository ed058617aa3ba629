// SPDX-License-Identifier: Apache-2.0
#include "targets/element_list.h"

#include <mutex>
#include <new>
#include <shared_mutex>
#include <system_error>
#include <thread>

#include "core/rcuref_blocking.h"
#include "core/rcuref_deferred.h"
#include "core/rcuref_locked.h"
#include "core/rcuref_tryget.h"
#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/list_ledger.h"

namespace targets {
namespace {

// What was a reader when the element left the list must have left by now.
void check_removal(unsigned element, ListForm form, const char* event) {
  ReaderMarks readers;
  if (form == ListForm::kLocked || !was_removed(element, &readers)) return;
  if (!has_missed_a_reader(readers)) return;
  const Sentence sentence("element %u: %s, but a reader may still look at it", element, event);
  if (form == ListForm::kTryget) guarantee_R7_readers_may_look(sentence.text);
  if (form == ListForm::kDeferred) guarantee_R3_free_when_the_form_says(sentence.text);
  guarantee_R9_removers_wait_for_readers(sentence.text);
}

void check_free(const Element& element) {
  if (!element_freed(element.number))
    guarantee_R1_free_exactly_once(Sentence("element %u: freed twice", element.number).text);
  if (element_held(element.number) != 0)
    guarantee_R2_no_free_while_held(
        Sentence("element %u: freed while references are held", element.number).text);
  check_removal(element.number, element.form, "freed");
  element.check();
  for (unsigned actor = 0; actor < kActors; ++actor)
    if (element.written[actor] != last_written(element.number, actor))
      guarantee_R4_free_sees_writes(
          Sentence("element %u: free does not see what was written before a put", element.number)
              .text);
}

template <class Refs>
struct Node : Refs::Element, Element {};

template <class Refs, class Base>
void free_node(Base& base) {
  auto* const node = static_cast<Node<Refs>*>(&static_cast<typename Refs::Element&>(base));
  check_free(*node);
  node->header = 0;
  const Cargo cargo = node->cargo;
  delete node;
  cargo.let_go();
}

class RcuForm {
 public:
  using UpdateLock = std::unique_lock<std::mutex>;
  struct Reader : MarkedReader {
    Reader(RcuForm& form, unsigned actor) : MarkedReader(form.rcu, actor) {}
  };
  explicit RcuForm(percpu::Rcu r) : rcu(r) {}
  percpu::Rcu rcu;
  std::mutex mutex;
};

class LockForm {
 public:
  using UpdateLock = std::unique_lock<std::shared_mutex>;
  struct Reader {
    Reader(LockForm& form, unsigned) : lock(form.mutex) {}
    std::shared_lock<std::shared_mutex> lock;
  };
  explicit LockForm(percpu::Rcu) {}
  std::shared_mutex mutex;
};

template <class Refs, class Form, ListForm kForm>
class ListOf final : public List {
 public:
  ListOf(percpu::Domain& domain, percpu::Rcu rcu) : refs_(domain, &free_node<Refs>), form_(rcu) {}

  bool insert(const Cargo& cargo) override {
    auto* const node = new (std::nothrow) Node<Refs>;
    if (node == nullptr) return false;
    node->form = kForm;
    node->number = element_listed();
    node->cargo = cargo;
    refs_.init(*node);
    UpdateLock lock(form_.mutex);
    // relaxed (both): it is changed under the lock alone; what follows publishes the node.
    node->next.store(first_.load(std::memory_order_relaxed), std::memory_order_relaxed);
    // sync[listed] release: who finds the element finds it complete.
    first_.store(node, std::memory_order_release);
    return true;
  }

  bool remove(unsigned place) override {
    UpdateLock lock(form_.mutex);
    std::atomic<Element*>* link = &first_;
    // relaxed (all): links change under the lock alone.
    Element* element = link->load(std::memory_order_relaxed);
    for (; element != nullptr && place > 0; --place) {
      Element* const next = element->next.load(std::memory_order_relaxed);
      if (next == nullptr) break;
      link = &element->next;
      element = next;
    }
    if (element == nullptr) return false;
    // sync[listed] release: who finds the next element by this link finds it complete.
    link->store(element->next.load(std::memory_order_relaxed), std::memory_order_release);
    lock.unlock();
    const unsigned number = element->number;
    element_removed(number);
    element_dropping(number);
    refs_.drop_initial(*node(element));  // and so the element may be gone
    if (kForm == ListForm::kBlocking) check_removal(number, kForm, "drop_initial has returned");
    return true;
  }

  bool read(unsigned place, unsigned actor, unsigned cpu) override {
    const unsigned before = current_cpu(nullptr);
    const typename Form::Reader reader(form_, actor);
    const Element* const element = find(place);
    if (element == nullptr) return false;
    element->check();
    set_current_cpu(cpu);
    std::this_thread::yield();
    element->check();
    element->cargo.look();
    set_current_cpu(before);
    return true;
  }

  bool look(unsigned place, unsigned actor, Look look, void* context) override {
    const typename Form::Reader reader(form_, actor);
    const Element* const element = find(place);
    if (element == nullptr) return false;
    element->check();
    look(*element, context);
    return true;
  }

  Element* get(unsigned place, const Caller& caller) override {
    const typename Form::Reader reader(form_, caller.actor);
    Element* const element = find(place);
    if (element == nullptr || !take(element, caller)) return nullptr;
    element_raised(element->number);
    element->check();
    return element;
  }

  Element* update_get(unsigned place) override {
    UpdateLock lock(form_.mutex);
    Element* const element = find(place);
    if (element == nullptr) return nullptr;
    refs_.get(*node(element));
    element_raised(element->number);
    element->check();
    return element;
  }

  void put(Element* element, unsigned actor, uint64_t value) override {
    element->check();
    element->written[actor] = value;
    element_written(element->number, actor, value);
    element_dropping(element->number);
    refs_.put(*node(element));
  }

 private:
  using UpdateLock = typename Form::UpdateLock;

  static Node<Refs>* node(Element* element) { return static_cast<Node<Refs>*>(element); }

  Element* find(unsigned place) const {
    // sync[listed] acquire: the other side of insert and remove.
    Element* element = first_.load(std::memory_order_acquire);
    for (; element != nullptr && place > 0; --place) {
      // sync[listed] acquire: the same.
      Element* const next = element->next.load(std::memory_order_acquire);
      if (next == nullptr) break;
      element = next;
    }
    return element;
  }

  bool take(Element* element, const Caller& caller) {
    if constexpr (kForm == ListForm::kTryget) {
      if (refs_.tryget(*node(element))) return true;
      if (caller.stays || caller.holds(caller.context, element))
        guarantee_R6_tryget_true_when_raised(
            Sentence("element %u: tryget failed, but a reference is held", element->number).text);
      return false;
    } else {
      refs_.get(*node(element));
      return true;
    }
  }

  Refs refs_;
  Form form_;
  std::atomic<Element*> first_ = nullptr;
};

template <class L>
std::unique_ptr<List> make_list(percpu::Domain& domain, percpu::Rcu rcu) {
  try {
    return std::unique_ptr<List>(new L(domain, rcu));
  } catch (const std::bad_alloc&) {
    return nullptr;
  }
}

}  // namespace

void Element::check() const {
  if (header != kElementHeader)
    guarantee_R7_readers_may_look("the element that is looked at is not what it was");
}

std::unique_ptr<List> List::make(ListForm form, percpu::Domain& domain, percpu::Rcu rcu) {
  switch (form) {
    case ListForm::kLocked:
      return make_list<ListOf<percpu::LockedRefs, LockForm, ListForm::kLocked>>(domain, rcu);
    case ListForm::kTryget:
      return make_list<ListOf<percpu::TrygetRefs, RcuForm, ListForm::kTryget>>(domain, rcu);
    case ListForm::kDeferred:
      return make_list<ListOf<percpu::DeferredRefs, RcuForm, ListForm::kDeferred>>(domain, rcu);
    case ListForm::kBlocking:
      return make_list<ListOf<percpu::BlockingRefs, RcuForm, ListForm::kBlocking>>(domain, rcu);
  }
  return nullptr;
}

}  // namespace targets

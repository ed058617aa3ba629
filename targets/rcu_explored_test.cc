// SPDX-License-Identifier: Apache-2.0
// RCU and the rcuref forms under the engine: small programs, each run under many random schedules. What
// is freed too early is a use after free or a race, which the engine tells. This file is compiled as code
// under test.
#include <gtest/gtest.h>

#include <atomic>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/rcuref_blocking.h"
#include "core/rcuref_deferred.h"
#include "core/rcuref_tryget.h"
#include "sched/sched.h"
#include "targets/explored_testing.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Rcu;
using percpu::RcuReader;
using targets::explore;
using targets::parallel;

DomainOptions options() {
  DomainOptions options;
  options.cpus = 2;
  options.misuse = [](const percpu::Misuse& misuse, void*) {
    sched::fail("R5", percpu::misuse_name(misuse.kind));
  };
  return options;
}

// An object that a pointer leads to, with no more order than RCU's users need.
template <typename Object>
class Place {
 public:
  ~Place() { delete pointer_.load(std::memory_order_relaxed); }
  // sync[place] acq_rel: release: who comes to the object sees it made; acquire: so does who gets the old.
  Object* put(Object* object) { return pointer_.exchange(object, std::memory_order_acq_rel); }
  // sync[place] acquire: it is seen made.
  Object* look() const { return pointer_.load(std::memory_order_acquire); }

 private:
  std::atomic<Object*> pointer_ = nullptr;
};

struct Number : percpu::RcuHead {
  int value = 1;
};

// U1, U2: what a reader finds stays until it leaves.
void synchronize_waits_for_readers() {
  Domain domain(options());
  Rcu rcu(domain);
  Place<Number> place;
  place.put(new Number);
  const auto read = [&] {
    for (int i = 0; i < 2; ++i) {
      RcuReader reader(rcu);
      if (place.look()->value != 1) sched::fail("U1", "what a reader has found is gone");
    }
  };
  parallel(read, read, [&] {
    Number* const old = place.put(new Number);
    if (!rcu.synchronize()) sched::fail("U1", "synchronize was refused");
    old->value = 2;
    delete old;
  });
}

void callbacks_wait_for_readers() {
  Domain domain(options());
  Rcu rcu(domain);
  Place<Number> place;
  place.put(new Number);
  const auto read = [&] {
    RcuReader reader(rcu);
    if (place.look()->value != 1) sched::fail("U1", "what a reader has found is gone");
  };
  const auto replace = [&] {
    rcu.call(*place.put(new Number), [](percpu::RcuHead& head) {
      static_cast<Number&>(head).value = 2;
      delete static_cast<Number*>(&head);
    });
  };
  parallel(read, read, replace, replace);
  rcu.barrier();
}

// R4: free sees what each holder wrote before its put.
template <typename Refs>
struct Element : Refs::Element {
  static constexpr int kHolders = 2;
  int written[kHolders] = {};
  // Where it is not ordered after the puts, looking is a race already.
  void check() const {
    for (const int value : written)
      if (value != 0 && value != 1) sched::fail("R4", "an element is not what its holders left");
  }
};

template <typename Refs, typename Take>
void users_and_a_remover(Refs& refs, Rcu rcu, Place<Element<Refs>>& place, Take take) {
  auto* const made = new Element<Refs>;
  refs.init(*made);
  place.put(made);
  const auto use = [&](int holder) {
    Element<Refs>* found = nullptr;
    {
      RcuReader reader(rcu);
      found = place.look();
      if (found != nullptr && !take(*found)) found = nullptr;
    }
    if (found == nullptr) return;
    found->written[holder] = 1;
    refs.put(*found);
  };
  parallel([&] { use(0); }, [&] { use(1); }, [&] { refs.drop_initial(*place.put(nullptr)); });
  rcu.barrier();
}

// The last put reads and frees what the others wrote: a race unless it is ordered after them.
void tryget_refs() {
  using Refs = percpu::TrygetRefs;
  Domain domain(options());
  Rcu rcu(domain);
  Refs refs(domain, [](percpu::RcuHead& head) {
    auto* const element = static_cast<Element<Refs>*>(static_cast<Refs::Element*>(&head));
    element->check();
    delete element;
  });
  Place<Element<Refs>> place;
  users_and_a_remover(refs, rcu, place, [&](Element<Refs>& found) { return refs.tryget(found); });
}

template <typename Refs>
void refs_that_a_reader_may_get() {
  Domain domain(options());
  Rcu rcu(domain);
  Refs refs(domain, [](typename Refs::Element& head) {
    static_cast<Element<Refs>&>(head).check();
    delete static_cast<Element<Refs>*>(&head);
  });
  Place<Element<Refs>> place;
  users_and_a_remover(refs, rcu, place, [&](Element<Refs>& found) {
    refs.get(found);
    return true;
  });
}

TEST(RcuExplored, SynchronizeWaitsForReaders) {
  explore(synchronize_waits_for_readers);
}
TEST(RcuExplored, CallbacksWaitForReaders) {
  explore(callbacks_wait_for_readers);
}
TEST(RcuExplored, TrygetRefs) {
  explore(tryget_refs);
}
TEST(RcuExplored, DeferredRefs) {
  explore(refs_that_a_reader_may_get<percpu::DeferredRefs>);
}
TEST(RcuExplored, BlockingRefs) {
  explore(refs_that_a_reader_may_get<percpu::BlockingRefs>);
}

}  // namespace

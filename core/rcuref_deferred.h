// SPDX-License-Identifier: Apache-2.0
// DeferredRefs: rcuref form (3): RCU readers take references without a test; the initial reference
// stays for a grace period after removal.
//
// Whoever can find the element is a reader that was inside when it left the list, or has found it
// before. The initial reference is dropped only after all of these have left, so none of them meets
// a count of 0; and once it is dropped nobody can find the element, so the count cannot rise from
// 0 and the last put frees at once.
//
//   call          new     listed, in a   off the list, in a      otherwise   freed
//                         reader         reader that found it
//   ------------  ------  -------------  ----------------------  ----------  ------
//   init          ok      misuse         misuse                  misuse      ok (1)
//   get           -       ok             ok                      if held     misuse
//   put           -       if held        if held                 if held     misuse
//   drop_initial  ok (2)  -              ok, once                ok, once    misuse
// "If held": the caller owns a reference, which stays while get is at it. (1) if free has kept the
// memory (2) what was never listed. An updater who holds the update lock may get what is listed.
//
// Guarantees: R1 to R5 (rcuref_count.h), and
//   R3  free comes at once, inside the put that drops the last; the earliest is a grace period
//       after drop_initial, on the domain's RCU worker.
//   R8  a reader's get cannot fail, and needs no test.
#ifndef PERCPU_CORE_RCUREF_DEFERRED_H_
#define PERCPU_CORE_RCUREF_DEFERRED_H_

#include "domain.h"
#include "percpu_platform.h"
#include "rcu.h"
#include "rcuref_count.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// One for each list. It outlives its elements, and the domain outlives it: so a barrier of the Rcu
// comes before its end, after the last drop_initial.
class DeferredRefs {
 public:
  // In each element: derive from it, or contain it.
  class Element : public RcuHead {
    friend class DeferredRefs;
    RefCount count_;
    DeferredRefs* refs_ = nullptr;  // for the callback
  };
  using Free = void (*)(Element&);

  // ERRORS: as Rcu's constructor.
  DeferredRefs(Domain& domain, Free free) : domain_(domain), rcu_(domain), free_(free) {}
  DeferredRefs(const DeferredRefs&) = delete;
  DeferredRefs& operator=(const DeferredRefs&) = delete;

  // Count 1: the initial reference. Before the element is listed.
  void init(Element& element) noexcept {
    element.count_.init(domain_, "DeferredRefs::init");
    element.refs_ = this;
  }
  // ORDERING: none; a reader who found the element by an acquire load sees it initialised.
  void get(Element& element) noexcept { element.count_.get(domain_, "DeferredRefs::get"); }
  // The last one frees. ORDERING: R4.
  void put(Element& element) noexcept { drop(element, "DeferredRefs::put"); }
  // After the element was taken off the list: drops the initial reference a grace period later.
  // False: refused and reported (called twice); nothing is dropped for this call.
  bool drop_initial(Element& element) noexcept {
    return rcu_.call(element, [](RcuHead& head) {
      auto& self = static_cast<Element&>(head);
      self.refs_->drop(self, "DeferredRefs::drop_initial");
    });
  }

 private:
  void drop(Element& element, const char* call) noexcept {
    if (element.count_.put(domain_, call)) free_(element);
  }

  Domain& domain_;
  Rcu rcu_;
  const Free free_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCUREF_DEFERRED_H_

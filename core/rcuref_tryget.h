// SPDX-License-Identifier: Apache-2.0
// TrygetRefs: rcuref form (2): RCU readers take a reference unless there is none left.
//
// A reader may find an element whose last reference has just gone. Its memory stays for as long as
// the reader is inside, but a count that was 0 must not rise again: so tryget, which may fail.
//
//   call          new     listed, in a   listed, update   off the list,   off the list,   freed
//                         reader         lock held        count > 0       count 0
//   ------------  ------  -------------  ---------------  --------------  --------------  ------
//   init          ok      misuse         misuse           misuse          -               ok (1)
//   tryget        -       true           true             in a reader:    in a reader:    -
//                                                         true (2)        false
//   get           -       if held        ok               if held         misuse          misuse
//   put           -       if held        if held          if held         misuse          misuse
//   drop_initial  ok (3)  -              -                ok, once        misuse          misuse
// "If held": the caller owns a reference, which stays while get is at it. (1) if free has kept the
// memory (2) an element may have left the list since the reader found it (3) what was never listed
//
// Guarantees: R1 to R5 (rcuref_count.h), and
//   R3  free comes by RCU callback, called with call by the put that drops the last.
//   R6  tryget answers true exactly when it has taken a reference, and never after a put that
//       dropped the last.
//   R7  a reader may look at an element that it has found until it leaves, whatever tryget said:
//       free waits for a grace period after the last reference has gone.
// An updater needs no tryget: while he holds the update lock, what is listed has its initial
// reference, since nobody else can take it off the list.
#ifndef PERCPU_CORE_RCUREF_TRYGET_H_
#define PERCPU_CORE_RCUREF_TRYGET_H_

#include "domain.h"
#include "percpu_platform.h"
#include "rcu.h"
#include "rcuref_count.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// One for each list. The domain outlives it; what it has queued does not need it.
class TrygetRefs {
 public:
  // In each element: derive from it, or contain it.
  class Element : public RcuHead {
    friend class TrygetRefs;
    RefCount count_;
  };
  // Gets the Element, as an RCU callback (rcu.h).
  using Free = Rcu::Callback;

  // ERRORS: as Rcu's constructor.
  TrygetRefs(Domain& domain, Free free) : domain_(domain), rcu_(domain), free_(free) {}

  // Count 1: the initial reference. Before the element is listed.
  void init(Element& element) noexcept { element.count_.init(domain_, "TrygetRefs::init"); }
  // ORDERING: none; a reader who found the element by an acquire load sees it initialised.
  [[nodiscard]] bool tryget(Element& element) noexcept { return element.count_.get_unless_zero(); }
  // REQUIRES: the update lock, and the element is listed; or a reference.
  void get(Element& element) noexcept { element.count_.get(domain_, "TrygetRefs::get"); }
  // The last one queues free. ORDERING: R4.
  void put(Element& element) noexcept { drop(element, "TrygetRefs::put"); }
  // After the element was taken off the list.
  void drop_initial(Element& element) noexcept { drop(element, "TrygetRefs::drop_initial"); }

 private:
  void drop(Element& element, const char* call) noexcept {
    if (element.count_.put(domain_, call)) rcu_.call(element, free_);
  }

  Domain& domain_;
  Rcu rcu_;
  const Free free_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCUREF_TRYGET_H_

// SPDX-License-Identifier: Apache-2.0
// BlockingRefs: rcuref form (4): RCU readers take references without a test; whoever removes an
// element waits for a grace period, and then drops the initial reference.
//
// As form (3), with the wait in the remover instead of a callback: the element needs no room for
// one, and once drop_initial has returned only those who hold references still use it.
//
//   call          new     listed, in a   off the list, in a      otherwise   freed
//                         reader         reader that found it
//   ------------  ------  -------------  ----------------------  ----------  ------
//   init          ok      misuse         misuse                  misuse      ok (1)
//   get           -       ok             ok                      if held     misuse
//   put           -       if held        if held                 if held     misuse
//   drop_initial  misuse  misuse         misuse                  ok, once    misuse
// "If held": the caller owns a reference, which stays while get is at it. (1) if free has kept the
// memory. An updater who holds the update lock may get what is listed. drop_initial is misuse in
// any reader and in any callback, and must not be called with the update lock held, nor with any
// lock that a reader takes: it waits for readers. What was never listed is dropped by put.
//
// Guarantees: R1 to R5 (rcuref_count.h), and
//   R3  free comes at once, inside the put or drop_initial that drops the last.
//   R8  a reader's get cannot fail, and needs no test.
//   R9  when drop_initial has returned, no reader is left that found the element on the list.
#ifndef PERCPU_CORE_RCUREF_BLOCKING_H_
#define PERCPU_CORE_RCUREF_BLOCKING_H_

#include "domain.h"
#include "percpu_platform.h"
#include "rcu.h"
#include "rcuref_count.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// One for each list. The domain outlives it.
class BlockingRefs {
 public:
  // In each element: derive from it, or contain it.
  class Element {
    friend class BlockingRefs;
    RefCount count_;
  };
  using Free = void (*)(Element&);

  // ERRORS: as Rcu's constructor.
  BlockingRefs(Domain& domain, Free free) : domain_(domain), rcu_(domain), free_(free) {}

  // Count 1: the initial reference. Before the element is listed.
  void init(Element& element) noexcept { element.count_.init(domain_, "BlockingRefs::init"); }
  // ORDERING: none; a reader who found the element by an acquire load sees it initialised.
  void get(Element& element) noexcept { element.count_.get(domain_, "BlockingRefs::get"); }
  // The last one frees. ORDERING: R4.
  void put(Element& element) noexcept { drop(element, "BlockingRefs::put"); }
  // After the element was taken off the list, and the update lock was given back: waits for a grace
  // period, then drops the initial reference. False: refused and reported; nothing is dropped, and
  // the call may be made again where it is allowed. MAY BLOCK.
  bool drop_initial(Element& element) noexcept {
    if (!rcu_.synchronize()) return false;
    drop(element, "BlockingRefs::drop_initial");
    return true;
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

#endif  // PERCPU_CORE_RCUREF_BLOCKING_H_

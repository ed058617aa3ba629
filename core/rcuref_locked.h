// SPDX-License-Identifier: Apache-2.0
// LockedRefs: rcuref form (1): a list under a reader/writer lock.
//
// Nobody can take the element off the list while a reader holds the lock, so the initial reference
// is there and a plain increment is enough. Without RCU, and so without its worker.
//
//   call          new      listed, lock held   listed, not held   off the list   freed
//   ------------  -------  ------------------  -----------------  -------------  ------
//   init          ok       misuse              misuse             misuse         ok (1)
//   get           -        ok                  if held            if held        misuse
//   put           -        if held             if held            if held        misuse
//   drop_initial  ok (2)   -                   -                  ok, once       misuse
// "Lock held": for reading or for writing. "If held": the caller owns a reference, which stays
// while get is at it. (1) if free has kept the memory (2) what was never listed
//
// Guarantees: R1 to R5 (rcuref_count.h); R3: at once, inside the put that drops the last. A put
// under the lock may free under the lock.
#ifndef PERCPU_CORE_RCUREF_LOCKED_H_
#define PERCPU_CORE_RCUREF_LOCKED_H_

#include "domain.h"
#include "percpu_platform.h"
#include "rcuref_count.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// One for each list. The domain, to which misuse is reported, outlives it.
class LockedRefs {
 public:
  // In each element: derive from it, or contain it.
  class Element {
    friend class LockedRefs;
    RefCount count_;
  };
  using Free = void (*)(Element&);

  LockedRefs(Domain& domain, Free free) noexcept : domain_(domain), free_(free) {}

  // Count 1: the initial reference. Before the element is listed.
  void init(Element& element) noexcept { element.count_.init(domain_, "LockedRefs::init"); }
  // ORDERING: none; the lock has what a reader needs.
  void get(Element& element) noexcept { element.count_.get(domain_, "LockedRefs::get"); }
  // The last one frees. ORDERING: R4.
  void put(Element& element) noexcept { drop(element, "LockedRefs::put"); }
  // After the element was taken off the list. Better without the lock, since it may free.
  void drop_initial(Element& element) noexcept { drop(element, "LockedRefs::drop_initial"); }

 private:
  void drop(Element& element, const char* call) noexcept {
    if (element.count_.put(domain_, call)) free_(element);
  }

  Domain& domain_;
  const Free free_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCUREF_LOCKED_H_

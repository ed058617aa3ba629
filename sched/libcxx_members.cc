// SPDX-License-Identifier: Apache-2.0
// Functions of libc++ that synchronise by atomics of their own, written again (libcxx.h). This file is
// instrumented, as code under test is: so the engine sees every access with its order. The orders are those
// that the library has, or gives its user.
#include <dlfcn.h>

#include <typeinfo>

#include "sched/libcxx.h"
#include "sched/sched.h"

// The link asks for this name, so that these definitions are there for the library.
extern "C" const char sched_libcxx_members;
const char sched_libcxx_members = 1;

#define SCHED_MEMBER(ret, function, symbol, parameters)   \
  extern "C" __attribute__((visibility("default")))       \
  ret sched_libcxx_##function parameters __asm__(symbol); \
  ret sched_libcxx_##function parameters

namespace {

// The layout of a control block: the base class, and the one with weak references. Counts are one less
// than there are references.
class SharedCount {
 public:
  void add_shared() { __atomic_fetch_add(&shared_owners_, 1, __ATOMIC_RELAXED); }
  void release_shared() {
    if (__atomic_fetch_sub(&shared_owners_, 1, __ATOMIC_ACQ_REL) == 0) on_zero_shared();
  }

 protected:
  virtual ~SharedCount() = default;
  virtual void on_zero_shared() noexcept = 0;
  long shared_owners_ = 0;
};

class SharedWeakCount : public SharedCount {
 public:
  SharedWeakCount* lock() {
    long owners = __atomic_load_n(&shared_owners_, __ATOMIC_SEQ_CST);
    while (owners != -1) {
      if (__atomic_compare_exchange_n(&shared_owners_, &owners, owners + 1, false, __ATOMIC_SEQ_CST,
                                      __ATOMIC_SEQ_CST))
        return this;
    }
    return nullptr;
  }
  // Whoever finds no other reference needs not count down.
  void release_weak() {
    if (__atomic_load_n(&weak_owners_, __ATOMIC_ACQUIRE) == 0 ||
        __atomic_fetch_sub(&weak_owners_, 1, __ATOMIC_ACQ_REL) == 0)
      on_zero_shared_weak();
  }

 private:
  virtual const void* get_deleter(const std::type_info&) const noexcept = 0;
  virtual void on_zero_shared_weak() noexcept = 0;
  long weak_owners_ = 0;
};

}  // namespace

SCHED_MEMBER(SharedWeakCount*, lock, "_ZNSt3__119__shared_weak_count4lockEv",
             (SharedWeakCount * self)) {
  return self->lock();
}
SCHED_MEMBER(void, release_weak, "_ZNSt3__119__shared_weak_count14__release_weakEv",
             (SharedWeakCount * self)) {
  self->release_weak();
}

// --- Promise and future of nothing
// --------------------------------------------------------------------------------

namespace {

// A reference of ours while the library drops its own, so that the last is dropped here.
class Kept {
 public:
  explicit Kept(SharedCount* state) : state_(state) {
    if (state_ != nullptr) state_->add_shared();
  }
  Kept(const Kept&) = delete;
  Kept& operator=(const Kept&) = delete;
  ~Kept() {
    if (state_ != nullptr) state_->release_shared();
  }

 private:
  SharedCount* state_;
};

// What a promise or a future is.
struct State {
  SharedCount* state;
};

}  // namespace

// Drops the library's reference, and ours after it. Linked statically there is no library's own to call.
#define SCHED_KEEPING(function, symbol)                                                       \
  static void (*real_##function)(State*);                                                     \
  [[gnu::constructor(101)]] static void resolve_##function() {                                \
    real_##function = reinterpret_cast<void (*)(State*)>(dlsym(RTLD_NEXT, symbol));           \
  }                                                                                           \
  SCHED_MEMBER(void, function, symbol, (State * self)) {                                      \
    if (real_##function == nullptr)                                                           \
      sched::fail("", "promise<void> and future<void> need libc++ as a shared library here"); \
    Kept kept(self->state);                                                                   \
    real_##function(self);                                                                    \
  }
SCHED_KEEPING(end_promise, "_ZNSt3__17promiseIvED1Ev")
SCHED_KEEPING(end_base_promise, "_ZNSt3__17promiseIvED2Ev")
SCHED_KEEPING(get_future, "_ZNSt3__16futureIvE3getEv")

#define SCHED_RELEASING(function, symbol)                      \
  SCHED_MEMBER(void, function, symbol, (State * self)) {       \
    if (self->state != nullptr) self->state->release_shared(); \
  }
SCHED_RELEASING(end_future, "_ZNSt3__16futureIvED1Ev")
SCHED_RELEASING(end_base_future, "_ZNSt3__16futureIvED2Ev")
SCHED_RELEASING(end_shared_future, "_ZNSt3__113shared_futureIvED1Ev")
SCHED_RELEASING(end_base_shared_future, "_ZNSt3__113shared_futureIvED2Ev")

// --- Once
// ---------------------------------------------------------------------------------------------------

namespace {

// Values of a once_flag; a flag that is complete is not even handed to us.
constexpr unsigned long kUnset = 0, kPending = 1, kComplete = ~0ul;

// Who calls the function. It did not return: another may try.
class Calling {
 public:
  explicit Calling(volatile unsigned long& flag) : flag_(flag) {}
  Calling(const Calling&) = delete;
  Calling& operator=(const Calling&) = delete;
  ~Calling() {
    __atomic_store_n(&flag_, outcome_, __ATOMIC_RELEASE);
    sched::end_once(&flag_);
  }
  void complete() { outcome_ = kComplete; }

 private:
  volatile unsigned long& flag_;
  unsigned long outcome_ = kUnset;
};

}  // namespace

SCHED_MEMBER(void, call_once, "_ZNSt3__111__call_onceERVmPvPFvS2_E",
             (volatile unsigned long& flag, void* argument, void (*function)(void*))) {
  for (;;) {
    unsigned long found = kUnset;
    if (__atomic_compare_exchange_n(&flag, &found, kPending, false, __ATOMIC_ACQUIRE,
                                    __ATOMIC_ACQUIRE))
      break;
    if (found == kComplete) return;
    if (found == kPending) sched::wait_for_once(&flag);
  }
  Calling calling(flag);
  function(argument);
  calling.complete();
}

// --- Barrier
// ------------------------------------------------------------------------------------------------

namespace {

// The arrivals of a phase. `expected` is the barrier's own, and changed only between phases.
struct Arrivals {
  const long& expected;
  long count = 0;
};

}  // namespace

SCHED_MEMBER(Arrivals*, make_arrivals, "_ZNSt3__134__construct_barrier_algorithm_baseERl",
             (long& expected)) {
  return new Arrivals{expected};
}
// True for the last of a phase, which then ends it.
SCHED_MEMBER(bool, arrive,
             "_ZNSt3__131__arrive_barrier_algorithm_baseEPNS_24__barrier_algorithm_baseEh",
             (Arrivals * arrivals, unsigned char)) {
  const long expected = arrivals->expected;
  if (__atomic_add_fetch(&arrivals->count, 1, __ATOMIC_ACQ_REL) != expected) return false;
  __atomic_store_n(&arrivals->count, 0, __ATOMIC_RELAXED);
  return true;
}
SCHED_MEMBER(void, end_arrivals,
             "_ZNSt3__132__destroy_barrier_algorithm_baseEPNS_24__barrier_algorithm_baseE",
             (Arrivals * arrivals)) {
  delete arrivals;
}

// SPDX-License-Identifier: Apache-2.0
// Rcu: readers that never wait, and writers that wait until no reader can still see what they took
// away.
//
// A reader is what runs between read_lock and read_unlock. A grace period is over when every reader
// has left that was inside when it began; readers that begin later may still be inside. So who
// unlinks an object, and then waits for a grace period, may free it.
//
//   call           anywhere else   in a reader   in a callback   after the domain's end, leaked
//   -------------  --------------  ------------  --------------  ------------------------------
//   read_lock      ok              ok: nests     ok (1)          ok
//   read_unlock    misuse          ok            ok (1)          ok
//   call           ok              ok            ok              misuse
//   synchronize    waits           misuse        misuse          waits
//   barrier        waits           misuse        misuse          returns at once
//   Domain::drain  waits           misuse        misuse          -
//   ~Domain        waits           misuse        misuse          -
//   (1) and the callback leaves what it has entered, before it returns
// In the child of a fork: domain.h.
// "In a reader" is a reader of any domain: the linux platform has one RCU for the whole process.
// Misuse is reported (misuse.h), answered with false, and nothing is done; ~Domain leaks all of it.
//
// Guarantees
//   U1  a grace period waits for every reader that was inside when it began: what such a reader did
//       happens before synchronize returns, or the callback starts.
//   U2  a reader that a grace period did not wait for sees everything that happens before the call
//       of synchronize or call.
//   U3  a grace period ends once the readers have left that it waits for, however many begin
//       meanwhile; and a long reader delays grace periods, but no switch of a Ref.
//   U4  a callback runs exactly once for each call, after a grace period that began after the call,
//       and in the order of the calls where these are ordered (those of one thread are).
//   U5  barrier returns after every callback has returned whose call happens before it.
//   U6  read_lock, read_unlock and call allocate nothing and cannot fail. (In a thread's first
//       read_lock liburcu makes room for the thread.)
//
// Readers. read_lock answers a token which goes to the read_unlock of the same thread; in between
// the thread may migrate, block and nest, and leave in any order. A thread that is never outside
// all readers counts as one long reader, and one that ended inside may count as that for ever.
// Pointers that readers follow are loaded with acquire and
// stored with release, as ever.
//
// Callbacks run on a worker of the domain of its own kind, so that the wait for a long reader does
// not hold up switches, one after the other; all that are queued when it looks share one grace
// period. What ref.h says of callbacks goes for them: they must not throw, may take only locks that
// are never held across a call which can wait for callbacks, and may not wait for a grace period,
// for callbacks, a switch, or the domain's end. They may queue others, and free their own head.
//
// synchronize runs its grace period on the calling thread, or shares one that begins after the
// call; it waits for readers only, never for callbacks.
//
// The domain's end runs what is queued, and what that queues, switches included, until there is
// neither.
#ifndef PERCPU_CORE_RCU_H_
#define PERCPU_CORE_RCU_H_

#include "domain.h"
#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class RcuState;

// Room in an object for one callback at a time. Derive from it, or contain it.
class RcuHead {
 public:
  using Callback = void (*)(RcuHead&);

  constexpr RcuHead() noexcept = default;
  RcuHead(const RcuHead&) = delete;
  RcuHead& operator=(const RcuHead&) = delete;

 private:
  friend class RcuState;
  RcuHead* next_ = nullptr;
  Callback callback_ = nullptr;  // null: not queued
};

// The RCU of one domain. A handle: as good as any other of the same domain, and not needed by what
// is queued. The domain outlives it.
class Rcu {
 public:
  using Callback = RcuHead::Callback;
  // For read_unlock.
  class Token {
    friend class Rcu;
    void* count = nullptr;
  };

  // The first of a domain starts a worker, which sleeps while nothing is queued.
  // ERRORS: std::bad_alloc, std::system_error (no thread, or in the child of a fork).
  explicit Rcu(Domain& domain);

  [[nodiscard]] Token read_lock() noexcept;
  // REQUIRES: the token of a read_lock of this thread, and of this domain, once.
  void read_unlock(Token token) noexcept;

  // Waits for a grace period that begins after the call. False: refused and reported, and nothing
  // was waited for. ORDERING: U1, U2. MAY BLOCK.
  [[nodiscard]] bool synchronize() noexcept;
  // Calls callback(head) on the worker after a grace period that begins after the call. The head
  // belongs to the library until then. False: refused and reported (it is queued already, the
  // domain has ended, or this is the child of a fork); then the callback will not be called for this call. ORDERING: U1, U2.
  // REQUIRES: a callback.
  bool call(RcuHead& head, Callback callback) noexcept;
  // Waits until the callbacks have returned that were queued before. Does not wait for a grace
  // period if there are none. False: refused and reported. MAY BLOCK.
  bool barrier() noexcept;

 private:
  RcuState* state_;
};

// A reader, from here to the end of the block.
class RcuReader {
 public:
  explicit RcuReader(Rcu rcu) noexcept : rcu_(rcu), token_(rcu_.read_lock()) {}
  ~RcuReader() { rcu_.read_unlock(token_); }
  RcuReader(const RcuReader&) = delete;
  RcuReader& operator=(const RcuReader&) = delete;

 private:
  Rcu rcu_;
  const Rcu::Token token_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_RCU_H_

// SPDX-License-Identifier: Apache-2.0
// Internal: ForkWatch: a domain's wish to be told of forks of the process, so that no lock of it is
// held by another thread when the child is copied off, and the child knows that it is one.
//
// At a fork, on the thread that calls it
//   1. RcuReaders::hold_for_fork. First, and with no lock held: it may wait for a grace period, and
//      that for readers that want our locks.
//   2. the list of watches is locked, then each domain (DomainState::lock_for_fork). Nobody else
//      holds locks of two domains at once, or takes the list's lock with one of them held.
//   3. after the fork the same backwards, in the parent and in the child.
//
// Two files have it: platform/posix_fork.cc, by pthread_atfork; and platform/no_fork.cc for systems
// that have none, where nobody is told and a child may only exec or _exit. CMake chooses
// (PERCPU_FORK_HANDLERS).
#ifndef PERCPU_CORE_FORK_WATCH_H_
#define PERCPU_CORE_FORK_WATCH_H_

#include "percpu_platform.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class DomainState;

class ForkWatch {
 public:
  // ERRORS: std::bad_alloc. REQUIRES: the domain's locks are there; its threads need not be.
  explicit ForkWatch(DomainState& domain);
  ~ForkWatch();
  ForkWatch(const ForkWatch&) = delete;
  ForkWatch& operator=(const ForkWatch&) = delete;

  DomainState& domain() const noexcept { return domain_; }

 private:
  friend class ForkWatchList;

  DomainState& domain_;
  ForkWatch* previous_ = nullptr;
  ForkWatch* next_ = nullptr;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_FORK_WATCH_H_

// SPDX-License-Identifier: Apache-2.0
// A lock that serves in the order of arrival.
// Source: J. M. Mellor-Crummey and M. L. Scott, "Algorithms for scalable synchronization on
// shared-memory multiprocessors", TOCS 9(1), 1991, section 2.2.
#ifndef LASTPUT_SCHED_LITMUS_TICKET_LOCK_H_
#define LASTPUT_SCHED_LITMUS_TICKET_LOCK_H_

#include <atomic>
#include <thread>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class TicketDefect {
  kNone,
  kRelaxedUnlock,     // what was done inside is not ordered before the next
  kRelaxedLock,       // nor the next after it
  kTicketInTwoSteps,  // a load and a store: two may draw the same ticket
};

template <TicketDefect kDefect>
class TicketLock {
 public:
  void lock(unsigned /*me*/) {
    const unsigned mine = draw();
    // sync[ticket] acquire: what the one served before did inside is visible.
    while (serving_.load(relaxed_if(kDefect == TicketDefect::kRelaxedLock, kAcq)) != mine)
      std::this_thread::yield();
  }
  void unlock(unsigned /*me*/) {
    // relaxed: only the holder writes it.
    const unsigned mine = serving_.load(kRlx);
    // sync[ticket] release: what was done inside is visible to the one served next.
    serving_.store(mine + 1, relaxed_if(kDefect == TicketDefect::kRelaxedUnlock, kRel));
  }

 private:
  unsigned draw() {
    // relaxed: a ticket orders nothing, being served does.
    if (kDefect != TicketDefect::kTicketInTwoSteps) return next_.fetch_add(1, kRlx);
    const unsigned mine = next_.load(kRlx);
    next_.store(mine + 1, kRlx);
    return mine;
  }

  std::atomic<unsigned> next_ = 0, serving_ = 0;
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_TICKET_LOCK_H_

// SPDX-License-Identifier: Apache-2.0
// Responder: the least that completes a switch on another thread: it sleeps, is woken, issues one
// membarrier if it is to, and says so. What kill and switches are compared with.
#ifndef LASTPUT_BENCH_RESPONDER_H_
#define LASTPUT_BENCH_RESPONDER_H_

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "bench/event.h"

namespace bench {

// Restarts the sections of all running threads, as a grace period does. REQUIRES: sections.
inline void restart_sections() noexcept {
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED_RSEQ, 0, 0) != 0) std::abort();
}

class Responder {
 public:
  explicit Responder(bool restarts) : restarts_(restarts), thread_([this] { run(); }) {}
  ~Responder() {
    stopping_ = true;
    asked_.happen();
    thread_.join();
  }
  Responder(const Responder&) = delete;
  Responder& operator=(const Responder&) = delete;

  void ask() noexcept { asked_.happen(); }
  Event& answer() noexcept { return answer_; }

 private:
  void run() noexcept {
    for (asked_.wait(); !stopping_; asked_.wait()) {
      if (restarts_) restart_sections();
      answer_.happen();
    }
  }

  const bool restarts_;
  bool stopping_ = false;  // ordered by asked_
  Event asked_, answer_;
  std::thread thread_;  // last: it uses all of the above
};

}  // namespace bench

#endif  // LASTPUT_BENCH_RESPONDER_H_

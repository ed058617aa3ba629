// SPDX-License-Identifier: Apache-2.0
// Event: something that one thread waits for and another brings about, which notes the time first:
// the way back to the one who waits is not measured.
#ifndef LASTPUT_BENCH_EVENT_H_
#define LASTPUT_BENCH_EVENT_H_

#include <semaphore.h>

#include <cerrno>
#include <chrono>
#include <cstdlib>

namespace bench {

using Clock = std::chrono::steady_clock;

// Who waits does so asleep, or working: percpu sections run then that a grace period has to restart.
enum class Caller { kSleeps, kWorks };

class Event {
 public:
  Event() {
    if (sem_init(&semaphore_, 0, 0) != 0) std::abort();
  }
  ~Event() { sem_destroy(&semaphore_); }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void happen() noexcept {
    time_ = Clock::now();
    sem_post(&semaphore_);
  }
  // The time at which it happened; it may happen again after that.
  Clock::time_point wait() noexcept {
    while (sem_wait(&semaphore_) != 0 && errno == EINTR) {
    }
    return time_;
  }
  template <typename Work>
  Clock::time_point wait_working(Work work) noexcept {
    while (sem_trywait(&semaphore_) != 0) work();
    return time_;
  }

 private:
  sem_t semaphore_;
  Clock::time_point time_;
};

inline double seconds_between(Clock::time_point from, Clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace bench

#endif  // LASTPUT_BENCH_EVENT_H_

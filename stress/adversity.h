// SPDX-License-Identifier: Apache-2.0
// Everything that makes life hard for the workers from outside. One thread does it, at moments and in ways that the seed
// chooses, and writes each in a ring of its own. What the machine does not permit is said once, and left out.
#ifndef LASTPUT_STRESS_ADVERSITY_H_
#define LASTPUT_STRESS_ADVERSITY_H_

#include <sys/types.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "stress/scenario.h"
#include "targets/random.h"

namespace stress {

enum class Trouble : uint8_t {
  kShuffle,   // the worker may run on some of the CPUs only; rcutorture's shuffle
  kStutter,   // all workers pause for some milliseconds; rcutorture's stutter
  kPriority,  // the worker's nice value
  kSignals,   // a burst of signals, at random moments
  kAborts,    // breakpoints in the restartable sections, one after the other (abort_points.h)
  kStall,     // the worker stands still inside its sections, again and again, with no abort
  kReplace,   // the worker's thread ends, and another goes on in its place
};
inline constexpr unsigned kTroubles = 7;
const char* trouble_name(unsigned trouble);

// What the runner shares with it of each worker. sync: none needed; ids of threads that have ended are no harm.
struct Seat {
  std::atomic<pid_t> thread = 0;      // 0: none just now
  std::atomic<bool> replace = false;  // the thread is asked to end
};

class Adversity {
 public:
  Adversity(uint64_t seed, Ring& ring, std::array<Seat, kMaxWorkers>& seats, unsigned workers);
  ~Adversity() { stop(); }
  void start();
  void stop();

  // Workers pause while it says so.
  bool stutters() const noexcept { return stutter_.load(std::memory_order_relaxed); }
  // Only while workers run.
  void set_active(bool active) noexcept { active_.store(active, std::memory_order_relaxed); }

  uint64_t count_of(unsigned trouble) const { return counts_[trouble].get(); }
  // "affinity: Operation not permitted", ...: what was left out; ends the words of main's summary.
  std::vector<std::string> obstacles() const;

 private:
  void run();
  void make(Trouble trouble);
  void shuffle(pid_t thread);
  void change_priority(pid_t thread);
  void send_signals();
  void force_aborts(pid_t thread);
  bool may_go_on(Trouble trouble, int error);
  void leave_out(Trouble trouble, const char* what, int error);

  targets::Random random_;
  Ring& ring_;
  std::array<Seat, kMaxWorkers>& seats_;
  const unsigned workers_;
  std::thread thread_;
  std::atomic<bool> stopping_ = false, active_ = false, stutter_ = false;
  std::array<OwnCount, kTroubles> counts_;
  // Set once, by the adversary; read after it has stopped.
  std::array<std::string, kTroubles> left_out_;
  bool can_lower_ = true;
};

// The signal of kSignals; its handler is the runner's.
int trouble_signal();
// From now on callbacks are delayed now and then; 0: never.
void disturb_callbacks(uint64_t seed) noexcept;

}  // namespace stress

#endif  // LASTPUT_STRESS_ADVERSITY_H_

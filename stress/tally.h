// SPDX-License-Identifier: Apache-2.0
// What is counted while threads run. Each worker counts for itself, by plain loads and stores: a shared counter, raised by
// a locked instruction, would order the threads and hide what the soak looks for. Sums are exact when all workers are parked.
#ifndef LASTPUT_STRESS_TALLY_H_
#define LASTPUT_STRESS_TALLY_H_

#include <array>
#include <atomic>
#include <cstdint>

namespace stress {

// Written by one thread, looked at by any. ORDERING: none.
class OwnCount {
 public:
  void add(uint64_t n) noexcept { set(get() + n); }
  void set(uint64_t value) noexcept { value_.store(value, std::memory_order_relaxed); }
  uint64_t get() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_ = 0;
};

enum class Stat : uint8_t {
  kOperations,
  kRefused,  // tryget and alloc that answered no
  kKills,
  kRevivals,  // resurrect, reinit
  kSwitches,
  kReleases,
  kConfirms,
  kGracePeriods,  // that the soak asked for by itself: synchronize, stages of the pipe
  kScans,
  kMade,  // objects, elements, areas
  kFreed,
  kSignals,
  kHandled,  // of these, handlers that did something
  kFailedAllocations,
};
inline constexpr unsigned kStats = 14;
const char* stat_name(unsigned stat);  // "operations"

// How old an object was when somebody looked at it: stages of a pipe, as rcutorture has it (McKenney), so that a grace period
// that ends too early shows by how much.
//
//   age           who may see it
//   ------------  ----------------------------------------------------------------------
//   kListed       anybody
//   kUnlisted     holders, and readers that found it before
//   kReleased     readers that found it before, where the count is a Ref's; nobody holds it
//   kGone + n     nobody: n + 1 grace periods have gone by
inline constexpr unsigned kListed = 0, kUnlisted = 1, kReleased = 2, kGone = 3;
inline constexpr unsigned kLastAge = 6;  // then it is freed
inline constexpr unsigned kAges = kLastAge + 1;

struct alignas(128) Tally {
  std::array<OwnCount, kStats> stats;
  std::array<OwnCount, kAges> ages;
};

// Of the calling thread: a worker's own, or for threads of the core the shared one, which is raised by locked
// instructions: there the counts are of callbacks, which the core orders anyway.
void count(Stat stat, uint64_t n = 1) noexcept;
// The calling thread counts there from now on; null: in the shared one.
void count_in(Tally* own) noexcept;
// Of threads without one.
uint64_t counted_by_others(Stat stat) noexcept;

}  // namespace stress

#endif  // LASTPUT_STRESS_TALLY_H_

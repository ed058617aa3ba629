// SPDX-License-Identifier: Apache-2.0
// A scenario: objects that live long or are made by the thousand, what worker threads do to them, and what must hold when all
// workers are parked. It knows the core; what runs it (runner.h) does not.
//
//   call         who calls                 the workers
//   -----------  ------------------------  -------------------------------------------------
//   begin_round  main                      parked
//   step         each worker, all the time
//   interrupted  a signal handler on a     in the middle of anything
//                worker
//   end_round    main                      parked: everything is counted, conservation is checked
#ifndef LASTPUT_STRESS_SCENARIO_H_
#define LASTPUT_STRESS_SCENARIO_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "stress/recorder.h"
#include "stress/tally.h"
#include "targets/random.h"

namespace stress {

inline constexpr unsigned kMaxWorkers = 32;

// What one worker has, and nobody else writes. It outlives the threads that are it, one after the other.
struct Worker {
  Worker(unsigned index, uint64_t seed, Ring& recorded)
      : number(index), random(seed), in_handler(~seed), ring(recorded) {}

  const unsigned number;
  targets::Random random;      // what its operations are chosen by
  targets::Random in_handler;  // the same for those of signal handlers
  Ring& ring;
  Tally tally;

  // The worker is about to do this: recorded and counted.
  void begin(targets::OpCode code, unsigned object, uint64_t argument = 0) noexcept {
    ring.begin(code, object, argument);
    tally.stats[static_cast<size_t>(Stat::kOperations)].add(1);
  }
  bool answered(bool yes) noexcept {
    ring.answer(yes);
    if (!yes) tally.stats[static_cast<size_t>(Stat::kRefused)].add(1);
    return yes;
  }
  void saw_age(unsigned age) noexcept { tally.ages[age < kAges ? age : kAges - 1].add(1); }
};

class Scenario {
 public:
  virtual ~Scenario() = default;
  virtual void begin_round() = 0;
  // A few operations.
  virtual void step(Worker& worker) = 0;
  virtual void interrupted(Worker&) noexcept {}
  virtual void end_round() = 0;
};

struct Setup {
  uint64_t seed = 0;
  std::vector<std::unique_ptr<Worker>>& workers;
};

struct ScenarioInfo {
  const char* name;
  const char* what;
  std::unique_ptr<Scenario> (*make)(const Setup& setup);
};
// All of them, of the core that the program is linked with.
const std::vector<ScenarioInfo>& scenarios();
// Null if this process counts in percpu memory; else why it does not.
const char* core_has_no_sections();

// --- What a scenario asks of what runs it -------------------------------------------------------------------

// A seeded delay of the calling thread, now and then: nothing, a yield, some microseconds. For callbacks, and points where
// it hurts.
void disturb(targets::Random& random) noexcept;
// The same on a thread that has no generator.
void disturb_callback() noexcept;

}  // namespace stress

#endif  // LASTPUT_STRESS_SCENARIO_H_

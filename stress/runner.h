// SPDX-License-Identifier: Apache-2.0
// Runs one scenario: worker threads in rounds, from one quiescent point to the next; adversity beside them; a watchdog for who
// does not come on; a line of progress now and then.
#ifndef LASTPUT_STRESS_RUNNER_H_
#define LASTPUT_STRESS_RUNNER_H_

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "stress/adversity.h"
#include "stress/options.h"
#include "stress/recorder.h"
#include "stress/result.h"
#include "stress/scenario.h"

namespace stress {

class Runner {
 public:
  // ERRORS: std::system_error (no thread), std::bad_alloc.
  Runner(const ScenarioInfo& info, const Options& options);
  ~Runner();
  // Until the time is over, or stop_all() has been called. Returns what was done; a failure does not return.
  Totals run(std::chrono::milliseconds time);
  // "kill_resurrect: 12 s, operations 123, 10.2 M/s, ...".
  std::string progress() const;
  std::string summary() const;
  uint64_t rounds() const { return rounds_.load(std::memory_order_relaxed); }
  Result result() const;
  // Whether a round is on, as far as the calling thread has seen.
  bool runs() const noexcept { return running_.load(std::memory_order_relaxed); }
  // Workers and adversity were set up; what could not be, one a line.
  std::vector<std::string> obstacles() const;

 private:
  enum class Place : uint8_t { kNone, kParked, kRunning };

  void start_worker(unsigned number);
  void work(unsigned number);
  bool park(unsigned number);
  void run_round(std::chrono::milliseconds time);
  void replace_ended_workers();
  void release_workers();
  void wait_for_parked();
  void watch();
  void look_at_workers(
      std::vector<std::pair<uint64_t, std::chrono::steady_clock::time_point>>& seen);
  void check_phase();
  void begin_phase(const char* phase);
  void tell_progress(bool last);
  Totals totals() const;

  const ScenarioInfo& info_;
  const Options& options_;
  Recorder recorder_;
  std::vector<std::unique_ptr<Worker>> workers_;
  std::array<Seat, kMaxWorkers> seats_;
  std::array<OwnCount, kMaxWorkers> steps_;
  std::unique_ptr<Adversity> adversity_;
  std::unique_ptr<Scenario> scenario_;
  const std::chrono::steady_clock::time_point started_;
  std::array<uint64_t, kStats> before_ = {};  // counted by others for another scenario
  std::atomic<uint64_t> rounds_ = 0;          // relaxed: written by main, told by whoever fails
  std::string thread_obstacle_;

  std::atomic<bool> running_ = false;  // workers: come on; false: park
  std::mutex mutex_;
  std::condition_variable moved_;
  bool ending_ = false;  // under the mutex, as places_
  std::array<Place, kMaxWorkers> places_ = {};
  std::array<std::thread, kMaxWorkers> threads_;

  std::thread watchdog_;
  std::atomic<bool> watching_ = true;
  std::atomic<const char*> phase_ =
      nullptr;  // what main is doing at a quiescent point; null: a round is on
  std::atomic<int64_t> phase_began_ = 0;
  std::chrono::steady_clock::time_point told_;
  std::chrono::milliseconds between_lines_{1000};
};

// Ends what runs, soon; for signal handlers.
void stop_all() noexcept;
bool stopped() noexcept;

}  // namespace stress

#endif  // LASTPUT_STRESS_RUNNER_H_

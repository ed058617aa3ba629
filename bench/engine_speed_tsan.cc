// SPDX-License-Identifier: Apache-2.0
// The peer of engine_speed: the same program on real threads under stock ThreadSanitizer. Threads and
// the domain are made once; workers spin between trials. Prints trials a second.
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

#include "bench/engine_program.h"

namespace {

class Pool {
 public:
  Pool() {
    for (int i = 0; i < bench::kWorkers; ++i) threads_.emplace_back([this, i] { run(i); });
  }
  ~Pool() {
    trial_ = nullptr;
    // sync[round] release: the workers see the trial of the round, or that there is none.
    round_.fetch_add(1, std::memory_order_release);
    for (auto& t : threads_) t.join();
  }
  void work(bench::Trial* trial) {
    trial_ = trial;
    // relaxed: the round carries it. sync[round] release: as above. sync[left] acquire: what the
    // workers did is there.
    left_.store(bench::kWorkers, std::memory_order_relaxed);
    round_.fetch_add(1, std::memory_order_release);
    while (left_.load(std::memory_order_acquire) != 0) pause();
  }

 private:
  // Fewer cores than threads: give way after a short spin.
  static void pause() {
    static thread_local unsigned spins;
    if (++spins % 64 == 0) std::this_thread::yield();
  }
  void run(int worker) {
    for (unsigned seen = 0;; ++seen) {
      // sync[round] acquire: the trial is seen.
      while (round_.load(std::memory_order_acquire) == seen) pause();
      if (trial_ == nullptr) return;
      trial_->work(worker);
      // sync[left] release: the work is done for who waits.
      left_.fetch_sub(1, std::memory_order_release);
    }
  }
  bench::Trial* trial_ = nullptr;
  std::atomic<unsigned> round_{0};
  std::atomic<int> left_{0};
  std::vector<std::thread> threads_;
};

}  // namespace

int main(int argc, char** argv) {
  using Time = std::chrono::steady_clock;
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  percpu::Domain domain(bench::domain_options());
  Pool pool;
  auto begin = Time::now();
  double spent = 0;
  uint64_t n = 0;
  for (; spent < seconds; spent = std::chrono::duration<double>(Time::now() - begin).count()) {
    for (int i = 0; i < 50; ++i, ++n) {
      bench::Trial trial;
      trial.begin(domain);
      pool.work(&trial);
      domain.drain();
      trial.end();
    }
  }
  printf("%f\n", static_cast<double>(n) / spent);
  return 0;
}

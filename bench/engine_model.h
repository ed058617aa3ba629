// SPDX-License-Identifier: Apache-2.0
// A percpu reference count in forty lines of std::atomic, to measure engines with: nothing of the core,
// no allocation, no lock. `kWorkers` threads take and drop three references each on one of two CPUs, and
// then drop the one that they were given; another thread kills the count.
//
// Any engine that takes std::atomic, or something of that name, can run it; what it needs to know of
// plain memory and of giving way is in `Traits`: `Plain`, an int that is checked for races, and
// `yield()`.
#ifndef LASTPUT_BENCH_ENGINE_MODEL_H_
#define LASTPUT_BENCH_ENGINE_MODEL_H_

#include <cstdint>

namespace bench {

template <class Traits, unsigned kWorkers>
class ModelCount {
 public:
  void work(unsigned worker) {
    const unsigned cpu = worker % kCpus;
    for (int i = 0; i < kPairs; ++i) {
      add(cpu, 1);
      add(cpu, kMinusOne);
    }
    payload_[worker] = 1;
    add(cpu, kMinusOne);
  }
  void kill() {
    // sync[section] seq_cst: the flag comes before the loads of the sections in the one total order, or
    // a section and this miss each other.
    flags_.fetch_or(1, std::memory_order_seq_cst);
    uint64_t sum = 0;
    for (unsigned cpu = 0; cpu < kCpus; ++cpu) {
      while (sections_[cpu].load(std::memory_order_seq_cst) != 0) Traits::yield();
      // relaxed: what counts here has left its section.
      sum += counters_[cpu].load(std::memory_order_relaxed);
    }
    add_shared(sum - kBias);
    add_shared(kMinusOne);
  }
  // After all threads.
  bool released() { return releases_ == 1; }

 private:
  static constexpr unsigned kCpus = 2;
  static constexpr int kPairs = 3;
  static constexpr uint64_t kBias = uint64_t{1} << 63;
  static constexpr uint64_t kMinusOne = ~uint64_t{0};

  void add(unsigned cpu, uint64_t n) {
    // sync[model_section] seq_cst: the raised count comes before the flags are looked at, as the flag
    // before the counts.
    sections_[cpu].fetch_add(1, std::memory_order_seq_cst);
    const bool percpu = flags_.load(std::memory_order_seq_cst) == 0;
    // relaxed: summed after the section.
    if (percpu) counters_[cpu].fetch_add(n, std::memory_order_relaxed);
    // sync[model_section] release: the add, and what came before it, are seen by who finds 0.
    sections_[cpu].fetch_sub(1, std::memory_order_release);
    if (!percpu) add_shared(n);
  }
  void add_shared(uint64_t n) {
    // sync[model_put] acq_rel: who drops the last sees what the others have done.
    if (count_.fetch_add(n, std::memory_order_acq_rel) + n != 0) return;
    int releases = 1;
    for (unsigned i = 0; i < kWorkers; ++i) releases += payload_[i] == 1 ? 0 : 1;
    releases_ = releases;
  }

  std::atomic<uint64_t> flags_{0};
  std::atomic<uint64_t> count_{kBias + 1 + kWorkers};
  std::atomic<uint64_t> counters_[kCpus] = {{0}, {0}};
  std::atomic<uint64_t> sections_[kCpus] = {{0}, {0}};
  typename Traits::Plain payload_[kWorkers] = {};
  typename Traits::Plain releases_ = {};
};

}  // namespace bench

#endif  // LASTPUT_BENCH_ENGINE_MODEL_H_

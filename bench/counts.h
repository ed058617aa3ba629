// SPDX-License-Identifier: Apache-2.0
// The counts that get_put_bench.cc compares: ours in each of its states, and what one could use
// instead. Each has pair(): one reference is taken and dropped. Destructors check that no count
// was lost, as far as a count can tell.
#ifndef LASTPUT_BENCH_COUNTS_H_
#define LASTPUT_BENCH_COUNTS_H_

#include <benchmark/benchmark.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <mutex>

#include "bench/shared_domain.h"

namespace bench {

// --- Ours
// -----------------------------------------------------------------------------------------

enum class Mode { kPercpu, kAtomic, kManaged, kDying };

// A ref that lives, or, if it is dying, one that somebody else still holds.
template <Mode mode>
class RefIn {
 public:
  static constexpr bool kNeedsSections = mode == Mode::kPercpu || mode == Mode::kManaged;

  RefIn() {
    init(
        ref_, [](percpu::Ref&) {}, kFlags);
    if constexpr (mode == Mode::kDying) {
      ref_.get();
      ref_.kill();
      shared_domain().drain();
    }
  }
  // The reference left is the initial one, or that of the somebody else. A managed ref just exits:
  // its end is the manager's.
  ~RefIn() {
    if (mode == Mode::kManaged) return;
    if (mode == Mode::kPercpu) {
      ref_.kill();
      shared_domain().drain();
    } else {
      ref_.put();
    }
    if (!ref_.is_zero()) std::abort();
  }
  void pair() noexcept {
    ref_.get();
    ref_.put();
  }

 private:
  static constexpr percpu::Flags kFlags = mode == Mode::kAtomic    ? percpu::Flags::kInitAtomic
                                          : mode == Mode::kManaged ? percpu::Flags::kManaged
                                                                   : percpu::Flags::kNone;

  percpu::Ref ref_;
};

// --- Peers
// ----------------------------------------------------------------------------------------

// An ordinary increment and decrement, to memory. Not safe with threads: the limit.
class PlainCount {
 public:
  void pair() noexcept {
    ++count_;
    benchmark::ClobberMemory();
    --count_;
    benchmark::ClobberMemory();
  }

 private:
  int64_t count_ = 0;
};

class AtomicCount {
 public:
  ~AtomicCount() {
    if (count_ != 1) std::abort();
  }
  void pair() noexcept {
    // relaxed: taking a reference orders nothing. sync[put] acq_rel: the last put sees what the
    // holders did, as in every count of references.
    count_.fetch_add(1, std::memory_order_relaxed);
    benchmark::DoNotOptimize(count_.fetch_sub(1, std::memory_order_acq_rel));
  }

 private:
  std::atomic<int64_t> count_ = 1;
};

class SharedPtrCount {
 public:
  ~SharedPtrCount() {
    if (pointer_.use_count() != 1) std::abort();
  }
  void pair() noexcept {
    std::shared_ptr<int64_t> copy = pointer_;
    benchmark::DoNotOptimize(copy);
  }

 private:
  std::shared_ptr<int64_t> pointer_ = std::make_shared<int64_t>(0);
};

class MutexCount {
 public:
  ~MutexCount() {
    if (count_ != 1) std::abort();
  }
  void pair() noexcept {
    add(1);
    if (add(-1) == 0) std::abort();
  }

 private:
  int64_t add(int64_t n) noexcept {
    const std::lock_guard<std::mutex> lock(mutex_);
    return count_ += n;
  }

  std::mutex mutex_;
  int64_t count_ = 1;
};

}  // namespace bench

#endif  // LASTPUT_BENCH_COUNTS_H_

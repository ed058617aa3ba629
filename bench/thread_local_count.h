// SPDX-License-Identifier: Apache-2.0
// A count with a counter for each thread, the idea of folly's TLRefCount: added to with a plain load
// and store between compiler fences, after a look at the count's state; who wants to know the sum
// stops that state and collects.
#ifndef LASTPUT_BENCH_THREAD_LOCAL_COUNT_H_
#define LASTPUT_BENCH_THREAD_LOCAL_COUNT_H_

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <mutex>
#include <vector>

namespace bench {

// Each count has a number, by which a thread finds its own counter in a table that grows as counts
// are made: what stands behind a thread-local that belongs to an object. kFlat: the counters are
// thread_local themselves, a fixed number of them. Programs that make counts as they run cannot have
// that, but nothing of the kind is faster. Tables and counters are never freed.
template <bool kFlat>
class ThreadLocalCount {
 public:
  static constexpr size_t kFlatCounters = 64;

  ThreadLocalCount() : number_(next_number_++ % (kFlat ? kFlatCounters : SIZE_MAX)) {}
  ~ThreadLocalCount() {
    if (!kFlat && collect() != 0) std::abort();
  }
  void pair() noexcept {
    add(1);
    add(-1);
  }
  bool add(int64_t n) noexcept {
    Local* const local = find();
    // relaxed, between compiler fences: only this thread writes its counter, and who collects stops
    // the counting first, by a barrier on every CPU. sync[put] acq_rel, once stopped: as in any
    // count.
    std::atomic_signal_fence(std::memory_order_seq_cst);
    const bool live = state_.load(std::memory_order_relaxed) == 0;
    if (live) [[likely]] {
      local->count.store(local->count.load(std::memory_order_relaxed) + n,
                         std::memory_order_relaxed);
    } else {
      shared_.fetch_add(n, std::memory_order_acq_rel);
    }
    std::atomic_signal_fence(std::memory_order_seq_cst);
    return live;
  }
  // Without kFlat. REQUIRES: nobody adds.
  int64_t collect() const {
    const std::lock_guard<std::mutex> lock(mutex_);
    int64_t sum = shared_;
    for (const Local* local : locals_) sum += local->count;
    return sum;
  }

 private:
  struct Local {
    std::atomic<int64_t> count;
  };
  struct Table {
    size_t capacity;
    Local** locals;
  };

  Local* find() {
    if constexpr (kFlat) return &flat_[number_];
    if (number_ < table_.capacity) [[likely]] {
      if (Local* const local = table_.locals[number_]; local != nullptr) [[likely]]
        return local;
    }
    return make();
  }
  [[gnu::noinline]] Local* make() {
    if (number_ >= table_.capacity) {
      const size_t capacity = 2 * number_ + 8;
      Local** const locals = new Local*[capacity]();
      std::copy_n(table_.locals, table_.capacity, locals);
      table_ = {capacity, locals};
    }
    Local* const local = table_.locals[number_] = new Local;
    const std::lock_guard<std::mutex> lock(mutex_);
    locals_.push_back(local);
    return local;
  }

  static inline std::atomic<size_t> next_number_ = 0;
  static inline thread_local constinit Table table_ = {0, nullptr};
  static inline thread_local constinit Local flat_[kFlatCounters] = {};

  const size_t number_;
  std::atomic<int> state_ = 0;
  std::atomic<int64_t> shared_ = 0;
  mutable std::mutex mutex_;
  std::vector<Local*> locals_;
};

}  // namespace bench

#endif  // LASTPUT_BENCH_THREAD_LOCAL_COUNT_H_

// SPDX-License-Identifier: Apache-2.0
// A bounded queue for any number of producers and consumers, without locks (D. Vyukov, "Bounded MPMC queue",
// 1024cores.net). Plain C++20; it knows nothing of who tests it.
//
// Each cell has a number that says whose turn it is: that of a push whose ticket is `t` when it is t, that of the
// pop with the same ticket when it is t + 1. A ticket is taken by compare-exchange.
//
//   BROKEN=1  push publishes its value by a relaxed store: right on any x86, wrong in C++
//   BROKEN=2  pop takes its ticket in two steps: two pops may take the same
#ifndef BOUNDED_QUEUE_H_
#define BOUNDED_QUEUE_H_

#include <atomic>
#include <cstddef>
#include <optional>

#ifndef BROKEN
#define BROKEN 0
#endif

template <class T, size_t kCapacity>
class BoundedQueue {
  static_assert(kCapacity >= 2 && (kCapacity & (kCapacity - 1)) == 0, "a power of two");

 public:
  BoundedQueue() {
    for (size_t i = 0; i < kCapacity; ++i) cells_[i].turn.store(i, std::memory_order_relaxed);
  }

  // False if the queue is full.
  bool push(const T& value) {
    size_t ticket = next_push_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[ticket % kCapacity];
      const size_t turn = cell.turn.load(std::memory_order_acquire);  // the pop before has left
      if (turn == ticket) {
        if (!next_push_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed))
          continue;
        cell.value = value;
        cell.turn.store(ticket + 1, BROKEN == 1 ? std::memory_order_relaxed
                                                : std::memory_order_release);  // the value is there
        return true;
      }
      if (is_before(turn, ticket)) return false;
      ticket = next_push_.load(std::memory_order_relaxed);
    }
  }

  // Nothing if the queue is empty, or the oldest value is still on its way in.
  std::optional<T> pop() {
    size_t ticket = next_pop_.load(std::memory_order_relaxed);
    for (;;) {
      Cell& cell = cells_[ticket % kCapacity];
      const size_t turn = cell.turn.load(std::memory_order_acquire);  // the value is there
      if (turn == ticket + 1) {
        if (!take(ticket)) continue;
        const T value = cell.value;
        cell.turn.store(ticket + kCapacity, std::memory_order_release);  // it may be overwritten
        return value;
      }
      if (is_before(turn, ticket + 1)) return std::nullopt;
      ticket = next_pop_.load(std::memory_order_relaxed);
    }
  }

 private:
  struct Cell {
    std::atomic<size_t> turn;
    T value{};  // of something, for whoever breaks the queue: what is unwritten differs from run to run
  };

  static bool is_before(size_t a, size_t b) { return static_cast<ptrdiff_t>(a - b) < 0; }

  bool take(size_t& ticket) {
    if (BROKEN == 2) {
      next_pop_.store(ticket + 1, std::memory_order_relaxed);
      return true;
    }
    return next_pop_.compare_exchange_weak(ticket, ticket + 1, std::memory_order_relaxed);
  }

  Cell cells_[kCapacity];
  alignas(64) std::atomic<size_t> next_push_{0};
  alignas(64) std::atomic<size_t> next_pop_{0};
};

#endif  // BOUNDED_QUEUE_H_

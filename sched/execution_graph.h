// SPDX-License-Identifier: Apache-2.0
// What tells one execution from another, whatever the order in which it ran: which store each load and
// read-modify-write read, the order of the stores of each object, and the order of what was done to each
// lock. Stores go by (thread, n-th of it).
#ifndef LASTPUT_SCHED_EXECUTION_GRAPH_H_
#define LASTPUT_SCHED_EXECUTION_GRAPH_H_

#include <array>
#include <cstdint>
#include <vector>

#include "sched/trace.h"

namespace sched {

class ExecutionGraph {
 public:
  void begin() {
    hash_of_.fill(0);
    count_of_.fill(0);
    orders_.clear();
  }

  void atomic(uint32_t thread, const AtomicAccess& access) {
    std::vector<uint64_t>& order = orders_[access.address].stores;
    const bool writes = access.kind == StepKind::kStore || access.kind == StepKind::kRmw;
    uint64_t read = 0;  // the initial value
    if (access.kind != StepKind::kStore && access.age < order.size())
      read = order[order.size() - 1 - access.age];
    add(thread, static_cast<uint64_t>(access.kind) << 56 ^
                    static_cast<uint64_t>(access.order) << 48 ^ access.address);
    add(thread, read);
    add(thread, stable_value(access.value));
    if (!writes) return;
    const size_t age = access.age < order.size() ? access.age : order.size();
    order.insert(order.end() - static_cast<ptrdiff_t>(age), next_id(thread));
  }

  void sync(uint32_t thread, Object object) {
    add(thread, object);
    orders_[object].stores.push_back(next_id(thread));
  }

  uint64_t hash() {
    uint64_t sum = 0;
    orders_.for_each([&](Object object, const Order& order) {
      uint64_t h = object;
      for (uint64_t id : order.stores) h = mixed(h, id);
      if (!order.stores.empty()) sum += mixed(h, 1);
    });
    for (uint64_t h : hash_of_) sum = mixed(sum, h);
    return sum;
  }

 private:
  struct Order {
    std::vector<uint64_t> stores;
    void reset() { stores.clear(); }
  };
  static uint64_t mixed(uint64_t h, uint64_t x) {
    h = (h ^ x) * 0x9E3779B97F4A7C15u;
    return h ^ h >> 29;
  }
  void add(uint32_t thread, uint64_t x) { hash_of_[thread] = mixed(hash_of_[thread], x); }
  uint64_t next_id(uint32_t thread) { return uint64_t{thread + 1} << 32 | ++count_of_[thread]; }

  std::array<uint64_t, kMaxThreads> hash_of_;
  std::array<uint32_t, kMaxThreads> count_of_;
  ObjectMap<Order> orders_;
};

}  // namespace sched

#endif  // LASTPUT_SCHED_EXECUTION_GRAPH_H_

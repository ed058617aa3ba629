// SPDX-License-Identifier: Apache-2.0
// What is run under the engine: threads that push and pop, and what must hold when they have ended. A program is
// data, so that a search can take a fixed one, and a fuzzer can make its own.
#ifndef QUEUE_PROGRAM_H_
#define QUEUE_PROGRAM_H_

#include <sched/sched.h>

#include <cstdint>
#include <string>
#include <thread>
#include <vector>

#include "bounded_queue.h"

enum class Op : uint8_t { kPush, kPop };
using Program = std::vector<std::vector<Op>>;  // the operations of each thread

// Guarantees, cited by failures:
//   Q1  what was pushed comes out once, or is still in the queue at the end; nothing else comes out
//   Q2  a thread takes the values of another in the order in which they were pushed
struct Value {
  uint32_t thread, number;  // the pushing thread, and its how manieth push
};

class Run {
 public:
  explicit Run(const Program& program)
      : program_(program), pushed_(program.size()), popped_(program.size()) {}

  void operator()() {
    sched::name_object(&queue_, sizeof queue_, "queue");
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < program_.size(); ++i) {
      sched::name_next_thread(("T" + std::to_string(i + 1)).c_str());
      threads.emplace_back([this, i] { operations_of(i); });
    }
    for (std::thread& thread : threads) thread.join();
    check();
  }

 private:
  void operations_of(uint32_t thread) {
    for (uint32_t op = 0; op < program_[thread].size(); ++op) {
      sched::begin_op(op);  // choices count from here, and the timeline shows it
      if (program_[thread][op] == Op::kPush) {
        sched::note("push");
        if (queue_.push({thread, pushed_[thread]})) ++pushed_[thread];
      } else {
        sched::note("pop");
        if (const std::optional<Value> value = queue_.pop()) popped_[thread].push_back(*value);
      }
    }
  }

  // All threads have ended, so nothing here is concurrent.
  void check() {
    std::vector<Value> rest;
    while (const std::optional<Value> value = queue_.pop()) rest.push_back(*value);
    std::vector<std::vector<bool>> seen(program_.size());
    for (uint32_t i = 0; i < program_.size(); ++i) seen[i].resize(pushed_[i]);
    for (const std::vector<Value>& values : popped_) check_values(values, seen);
    check_values(rest, seen);
    for (const std::vector<bool>& of_thread : seen)
      for (const bool was_seen : of_thread)
        if (!was_seen) sched::fail("Q1", "a value is lost");
  }

  static void check_values(const std::vector<Value>& values, std::vector<std::vector<bool>>& seen) {
    std::vector<uint32_t> next(seen.size());
    for (const Value& value : values) {
      if (value.thread >= seen.size() || value.number >= seen[value.thread].size())
        sched::fail("Q1", "a value comes out that nobody has pushed");
      if (seen[value.thread][value.number]) sched::fail("Q1", "a value comes out twice");
      if (value.number < next[value.thread]) sched::fail("Q2", "two values have changed places");
      seen[value.thread][value.number] = true;
      next[value.thread] = value.number + 1;
    }
  }

  const Program& program_;
  BoundedQueue<Value, 2> queue_;  // small, so that it is often full and often empty
  std::vector<uint32_t> pushed_;
  std::vector<std::vector<Value>> popped_;
};

#endif  // QUEUE_PROGRAM_H_

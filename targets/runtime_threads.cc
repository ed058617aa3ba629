// SPDX-License-Identifier: Apache-2.0
#include "targets/runtime_threads.h"

#include <pthread.h>
#include <sched.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>

#include "targets/program.h"
#include "targets/random.h"
#include "targets/runtime.h"

namespace targets::runtime {
namespace {

// main, then T1..T8. Written by each of them, looked at by who tells a failure.
std::array<std::atomic<uint32_t>, kMaxThreads + 1> current_ops;
thread_local std::atomic<uint32_t>* own_op = nullptr;
constexpr uint32_t kNotBegun = UINT32_MAX;

uint64_t adversity = 0;  // of this execution; 0: none
unsigned started_threads = 0;
std::atomic<unsigned> arrived = 0;
thread_local Random chance(0);

constexpr unsigned kPatience = 300;    // yields of a thread that waits for the others to start
constexpr unsigned kMaxSpinBits = 13;  // about 10 us

void spin(unsigned rounds) {
  for (unsigned i = 0; i < rounds; ++i) asm volatile("# spin");
}

// relaxed: the threads shall meet, and nothing be ordered by it.
void wait_for_others() {
  arrived.fetch_add(1, std::memory_order_relaxed);
  for (unsigned i = 0; i < kPatience; ++i) {
    if (arrived.load(std::memory_order_relaxed) >= started_threads) return;
    sched_yield();
  }
}

void disturb() {
  switch (chance.below(8)) {
    case 0:
      sched_yield();
      break;
    case 1:
    case 2:
      spin(chance.below(1U << chance.below(kMaxSpinBits)));
      break;
    default:
      break;
  }
}

}  // namespace

void (*on_broken)(const char* guarantee, const char* message) = nullptr;

void begin_execution(uint64_t seed, unsigned threads) {
  adversity = seed;
  started_threads = threads;
  // relaxed: the threads are created after this.
  arrived.store(0, std::memory_order_relaxed);
  for (std::atomic<uint32_t>& op : current_ops) op.store(kNotBegun, std::memory_order_relaxed);
  own_op = &current_ops[0];
}

Place here() {
  if (own_op == nullptr) return {"a worker", 0};
  const auto index = static_cast<unsigned>(own_op - current_ops.data());
  return {index == 0 ? "main" : "T" + std::to_string(index),
          own_op->load(std::memory_order_relaxed)};
}

std::vector<Place> places() {
  std::vector<Place> all;
  for (size_t i = 0; i < current_ops.size(); ++i) {
    const uint32_t op = current_ops[i].load(std::memory_order_relaxed);
    if (op != kNotBegun) all.push_back({i == 0 ? "main" : "T" + std::to_string(i), op});
  }
  return all;
}

void begin_op(uint32_t index) {
  // relaxed: only looked at.
  if (own_op != nullptr) own_op->store(index, std::memory_order_relaxed);
  if (adversity != 0 && own_op != &current_ops[0]) disturb();
}
void name_next_thread(const char*) {}
// "T1".."T8": only a program's threads have names.
void name_thread(const char* name) {
  pthread_setname_np(pthread_self(), name);
  const auto index = static_cast<unsigned>(name[1] - '0');
  own_op = &current_ops[index];
  own_op->store(0, std::memory_order_relaxed);
  if (adversity == 0) return;
  chance = Random(adversity + index);
  wait_for_others();
}
void name_object(const void*, size_t, const char*) {}
unsigned enough_yields() {
  return 0;
}
uint64_t scan_interval_ns() {
  return 50'000;
}
void fail_allocation(uint32_t) {}
void note(const char*) {}

void fail(const char* guarantee, const char* message) {
  if (on_broken != nullptr) on_broken(guarantee, message);
  const Place at = here();
  std::fprintf(stderr,
               "lastput: %s is broken: %s (thread %s, operation %u)\nSUMMARY: lastput: %s (%s)\n",
               guarantee, message, at.thread.c_str(), at.op, guarantee, message);
  std::abort();
}

}  // namespace targets::runtime

// SPDX-License-Identifier: Apache-2.0
#include "percpu_platform.h"
//
#include <algorithm>
#include <chrono>
#include <thread>

#include "reader_counts.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {
namespace {

// A waiter gives way this often before it sleeps instead.
constexpr unsigned kYields = 256;
constexpr auto kFirstSleep = std::chrono::microseconds(50);
constexpr auto kLongestSleep = std::chrono::microseconds(1600);

}  // namespace

unsigned thread_number() noexcept {
  static constinit std::atomic<unsigned> next = 0;
  // Without a constructor or destructor: a thread may come here first in a signal handler, and last
  // after its other thread_locals are gone. A handler that interrupts this takes a number that the
  // thread loses again, which no count minds.
  thread_local constinit unsigned number_plus_1 = 0;
  // relaxed: the numbers only have to differ.
  if (number_plus_1 == 0) number_plus_1 = next.fetch_add(1, std::memory_order_relaxed) + 1;
  return number_plus_1 - 1;
}

ReaderCounts::ReaderCounts(unsigned cpus, CpuIndex cpu_index, void* cpu_index_context)
    : slots_(new Slot[cpus]),
      cpus_(cpus),
      cpu_index_(cpu_index),
      cpu_index_context_(cpu_index_context) {}

void ReaderCounts::wait_for_readers() noexcept {
  // relaxed: only this function writes the phase, one caller at a time.
  const unsigned phase = phase_.load(std::memory_order_relaxed);
  // Stragglers that picked the other phase before the last flip and raised its count after it.
  wait_for_readers_of(1 - phase);
  // relaxed: which phase a reader picks decides how long this waits, not whether it is right.
  phase_.store(1 - phase, std::memory_order_relaxed);
  wait_for_readers_of(phase);
}

void ReaderCounts::wait_for_readers_of(unsigned phase) noexcept {
  auto sleep = kFirstSleep;
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    const Count& readers = slots_[cpu].readers[phase];
    // sync[section] seq_cst: comes after the switch's ATOMIC in the one total order; otherwise a
    // grace period and a section can miss each other. sync[leave] acquire: what the readers did,
    // and their threads before them, is visible here.
    for (unsigned round = 0; readers.load(std::memory_order_seq_cst) != 0; ++round) {
      if (round < kYields) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(sleep);
        sleep = std::min(2 * sleep, kLongestSleep);
      }
    }
  }
}

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

// SPDX-License-Identifier: Apache-2.0
#include "percpu_platform.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace platform {
namespace {

// More CPUs than this only cost memory: the index is a thread's number, not where it runs.
constexpr unsigned kMaxDefaultCpus = 64;
// A waiter gives way this often before it sleeps instead.
constexpr unsigned kYields = 256;
constexpr auto kSleep = std::chrono::microseconds(50);

}  // namespace

unsigned default_cpus() noexcept {
  return std::clamp(std::thread::hardware_concurrency(), 1U, kMaxDefaultCpus);
}

unsigned thread_number() noexcept {
  static std::atomic<unsigned> next = 0;
  // relaxed: the numbers only have to differ.
  thread_local const unsigned number = next.fetch_add(1, std::memory_order_relaxed);
  return number;
}

Sections::Sections(unsigned cpus, CpuIndex cpu_index, void* cpu_index_context)
    : slots_(new Slot[cpus]),
      cpus_(cpus),
      cpu_index_(cpu_index),
      cpu_index_context_(cpu_index_context) {}

void Sections::wait_for_grace_period() noexcept {
  // relaxed: only this function writes the phase, one caller at a time.
  const unsigned phase = phase_.load(std::memory_order_relaxed);
  // Stragglers that picked the other phase before the last flip and raised its count after it.
  wait_for_readers(1 - phase);
  // relaxed: which phase a section picks decides how long this waits, not whether it is right.
  phase_.store(1 - phase, std::memory_order_relaxed);
  wait_for_readers(phase);
}

void Sections::wait_for_readers(unsigned phase) noexcept {
  for (unsigned cpu = 0; cpu < cpus_; ++cpu) {
    const std::atomic<uint64_t>& readers = slots_[cpu].readers[phase];
    // sync[section] seq_cst: comes after the switch's ATOMIC in the one total order, see the
    // header. sync[leave] acquire: what the sections did, and their threads before them, is visible
    // here.
    for (unsigned round = 0; readers.load(std::memory_order_seq_cst) != 0; ++round) {
      if (round < kYields) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kSleep);
      }
    }
  }
}

}  // namespace platform
}  // namespace PERCPU_PLATFORM
}  // namespace percpu

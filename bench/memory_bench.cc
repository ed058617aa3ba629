// SPDX-License-Identifier: Apache-2.0
// What the process takes from the allocator for each of 100,000 counts, the counts themselves
// included, when one thread has used them; and how much more with each CPU that the machine could
// have, or each thread that uses them, too.
#include <cstdlib>
#include <functional>
#include <memory>
#include <thread>
#include <vector>

#include "bench/counts.h"
#include "bench/growth.h"
#include "bench/suite.h"
#include "bench/thread_local_count.h"
#include "bench/urcu_count.h"
#include "core/percpu_memory.h"

namespace bench {
namespace {

// --- Refs, in a domain of their own
// ---------------------------------------------------------------

double bytes_of_ref() {
  percpu::Domain domain;
  const Growth growth;
  std::vector<percpu::Ref> refs(kThings);
  for (percpu::Ref& ref : refs) {
    if (ref.init(domain, [](percpu::Ref&) {}) != percpu::Status::kOk) std::abort();
  }
  const double bytes = growth.bytes_of_one();
  for (percpu::Ref& ref : refs) ref.exit();
  return bytes;
}

// Their counters, by themselves.
double bytes_of_ref_on_each_cpu() {
  const unsigned cpus = percpu::platform::default_cpus();
  const Growth growth;
  percpu::PercpuMemory memory(cpus);
  for (size_t i = 0; i < kThings; ++i) {
    if (memory.allocate(sizeof(uint64_t), alignof(uint64_t)) == nullptr) std::abort();
  }
  return growth.bytes_of_one() / cpus;
}

// --- Peers
// ----------------------------------------------------------------------------------------

template <typename Count>
void use_all(std::vector<Count>& counts) {
  for (Count& count : counts) count.pair();
}

template <typename Count>
double bytes_of_count() {
  const Growth growth;
  std::vector<Count> counts(kThings);
  use_all(counts);
  return growth.bytes_of_one();
}

template <typename Count>
double bytes_of_count_for_each_thread() {
  std::vector<Count> counts(kThings);
  use_all(counts);
  const Growth growth;
  std::thread(use_all<Count>, std::ref(counts)).join();
  return growth.bytes_of_one();
}

}  // namespace

void add_memory(Suite& suite) {
  constexpr const char* kInAll = "in all";
  constexpr const char* kMore = "of it for each CPU or thread";
  suite.add_once({"memory", "percpu", kInAll}, bytes_of_ref);
  suite.add_once({"memory", "percpu", kMore}, bytes_of_ref_on_each_cpu);
  suite.add_once({"memory", "thread-local", kInAll}, bytes_of_count<ThreadLocalCount<false>>);
  suite.add_once({"memory", "thread-local", kMore},
                 bytes_of_count_for_each_thread<ThreadLocalCount<false>>);
  suite.add_once({"memory", "std::atomic", kInAll}, bytes_of_count<AtomicCount>);
  suite.add_once({"memory", "std::shared_ptr", kInAll}, bytes_of_count<SharedPtrCount>);
  suite.add_once({"memory", "urcu_ref", kInAll}, bytes_of_count<UrcuCount>);
  suite.add_once({"memory", "mutex", kInAll}, bytes_of_count<MutexCount>);
}

}  // namespace bench

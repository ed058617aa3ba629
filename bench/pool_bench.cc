// SPDX-License-Identifier: Apache-2.0
// Taking percpu areas out of a pool that has them in stock, and freeing them; beside the percpu
// allocator itself, which the pool is filled from and its areas are freed to, and beside malloc,
// whose memory is there only once. By hundreds: filling the pool is not measured.
#include <array>
#include <cstdlib>

#include "bench/event.h"
#include "bench/growth.h"
#include "bench/shared_domain.h"
#include "bench/suite.h"
#include "core/pool.h"

namespace bench {
namespace {

constexpr size_t kSize = 64;
constexpr size_t kBatch = 256;

struct FromPool {
  percpu::Pool pool{shared_domain(), kSize, alignof(uint64_t), {}};
  void prepare() {
    if (pool.fill(kBatch) != percpu::Status::kOk) std::abort();
  }
  void* take() noexcept { return pool.alloc(); }
  void free(void* area) noexcept { shared_domain().free_percpu(area); }
};

struct FromDomain {
  void prepare() noexcept {}
  void* take() noexcept { return shared_domain().alloc_percpu(kSize, alignof(uint64_t)); }
  void free(void* area) noexcept { shared_domain().free_percpu(area); }
};

struct FromMalloc {
  void prepare() noexcept {}
  void* take() noexcept { return std::malloc(kSize); }
  void free(void* memory) noexcept { std::free(memory); }
};

template <typename Step>
double seconds_of(Step step) {
  const auto begin = Clock::now();
  step();
  return seconds_between(begin, Clock::now());
}

enum class Measured { kTake, kFree };

template <typename Source>
void batches(benchmark::State& state, Measured measured) {
  Source source;
  std::array<void*, kBatch> areas;
  for (auto _ : state) {
    source.prepare();
    const double taking = seconds_of([&] {
      for (void*& area : areas) area = source.take();
    });
    for (const void* area : areas) {
      if (area == nullptr) std::abort();
    }
    const double freeing = seconds_of([&] {
      for (void* area : areas) source.free(area);
    });
    state.SetIterationTime(measured == Measured::kTake ? taking : freeing);
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(kBatch));
}

template <typename Source>
void add_source(Suite& suite, const char* row) {
  using State = benchmark::State;
  suite.add({"pool", row, "take"}, [](State& state) { batches<Source>(state, Measured::kTake); })
      ->UseManualTime();
  suite.add({"pool", row, "free"}, [](State& state) { batches<Source>(state, Measured::kFree); })
      ->UseManualTime();
}

// The smallest area there is, in stock: with the slot that holds it.
double bytes_of_area() {
  percpu::Domain domain;
  const Growth growth;
  percpu::Pool pool(domain, sizeof(uint64_t), alignof(uint64_t), {});
  if (pool.fill(kThings) != percpu::Status::kOk) std::abort();
  return growth.bytes_of_one();
}

}  // namespace

void add_pool(Suite& suite) {
  add_source<FromPool>(suite, "Pool::alloc, free_percpu");
  add_source<FromDomain>(suite, "alloc_percpu, free_percpu");
  add_source<FromMalloc>(suite, "malloc, free");
  suite.add_once({"memory", "area of 8 bytes in a pool", "in all"}, bytes_of_area);
}

}  // namespace bench

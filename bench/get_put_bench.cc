// SPDX-License-Identifier: Apache-2.0
// What a get and a put cost while the object lives, beside what one could use instead, in one run.
//
//   percpu             ours on the linux platform: restartable sequence, percpu counter
//   thread_local       the idea of folly's TLRefCount: a counter for each thread and ref, added to
//                      with a plain load and store between compiler fences, after a look at the
//                      ref's state
//   flat_thread_local  the same for a number of refs that is fixed when the program is built
//   bare_rseq          the least a restartable sequence can do: add to a table indexed by CPU
//   plain              an ordinary increment and decrement; not safe with threads
//   atomic             one shared counter, nobody else there; and with a second thread on it
//
// The last lines are ratios. Targets: one ref <= 1.6 x thread_local, 16 refs <= 1.0 x.
#include <benchmark/benchmark.h>
#include <sys/rseq.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"

namespace {

constexpr size_t kRefs = 16;

// --- thread_local: each ref has a counter in each thread, and a list of them for who collects
// ----------

// A ref has a number, by which each thread finds its own counter of that ref in a table that grows
// as refs are made: what stands behind a thread-local that belongs to an object. kFlat: the
// counters are thread_local themselves, a fixed number of them. Programs that make refs as they run
// cannot have that, but nothing of the kind is faster. Tables and counters are never freed here.
template <bool kFlat>
class ThreadLocalCount {
 public:
  ThreadLocalCount() : number_(next_number_++) {}
  bool add(int64_t n) noexcept {
    Local* const local = find();
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
  int64_t collect() const {
    std::lock_guard<std::mutex> lock(mutex_);
    int64_t sum = shared_ + (kFlat ? flat_[number_].count.load() : 0);
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
    std::lock_guard<std::mutex> lock(mutex_);
    locals_.push_back(local);
    return local;
  }

  static inline size_t next_number_ = 0;
  static inline thread_local constinit Table table_ = {0, nullptr};
  static inline thread_local constinit Local flat_[2 * kRefs] = {};

  const size_t number_;
  std::atomic<int> state_ = 0;
  std::atomic<int64_t> shared_ = 0;
  mutable std::mutex mutex_;
  std::vector<Local*> locals_;
};

// --- bare_rseq
// ---------------------------------------------------------------------------------------

constexpr unsigned kTableShift = 15;

[[gnu::always_inline]] inline void bare_rseq_add(std::byte* table, int64_t n) {
  asm volatile(
      R"(
      .pushsection __rseq_cs, "aw?"
      .balign 32
    3:
      .long 0, 0
      .quad 1f, 2f - 1f, 4f
      .popsection
    5:
      leaq 3b(%%rip), %%rax
      movq %%rax, %%fs:8(%[rseq])
    1:
      movl %%fs:4(%[rseq]), %%eax
      shlq %[shift], %%rax
      addq %[n], (%[table], %%rax)
    2:
      .pushsection __rseq_failure, "ax?"
      .byte 0x0f, 0xb9, 0x3d
      .long 0x53053053
    4:
      jmp 5b
      .popsection
      )"
      :
      : [rseq] "r"(__rseq_offset), [table] "r"(table), [shift] "i"(kTableShift), [n] "er"(n)
      : "rax", "cc", "memory");
}

// --- the benchmarks: an iteration is a get and a put of each of `count` refs
// ---------------------------

void set_pairs(benchmark::State& state, size_t count) {
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
}

template <size_t count>
void percpu_pairs(benchmark::State& state) {
  if (percpu::platform::why_no_sections() != nullptr) {
    state.SkipWithError(percpu::platform::why_no_sections());
    return;
  }
  percpu::Domain domain;
  std::array<percpu::Ref, count> refs;
  for (auto& ref : refs) {
    if (ref.init(domain, [](percpu::Ref&) {}) != percpu::Status::kOk) std::abort();
  }
  for (auto _ : state) {
    for (auto& ref : refs) {
      ref.get();
      ref.put();
    }
  }
  set_pairs(state, count);
  for (auto& ref : refs) ref.exit();
}

template <size_t count, bool kFlat>
void thread_local_pairs(benchmark::State& state) {
  static std::array<ThreadLocalCount<kFlat>, count> refs;
  for (auto _ : state) {
    for (auto& ref : refs) {
      (void)ref.add(1);
      (void)ref.add(-1);
    }
  }
  set_pairs(state, count);
  for (auto& ref : refs) {
    if (ref.collect() != 0) std::abort();
  }
}

template <size_t count>
void bare_rseq_pairs(benchmark::State& state) {
  const size_t cpus = percpu::platform::default_cpus();
  const auto table = std::make_unique<std::byte[]>(cpus << kTableShift);
  for (auto _ : state) {
    for (size_t i = 0; i < count; ++i) {
      bare_rseq_add(table.get() + i * 8, 1);
      bare_rseq_add(table.get() + i * 8, -1);
    }
  }
  set_pairs(state, count);
}

template <size_t count>
void plain_pairs(benchmark::State& state) {
  std::array<int64_t, count> refs = {};
  for (auto _ : state) {
    for (auto& ref : refs) {
      ++ref;
      benchmark::ClobberMemory();
      --ref;
      benchmark::ClobberMemory();
    }
    benchmark::DoNotOptimize(refs.data());
  }
  set_pairs(state, count);
}

template <size_t count>
void atomic_pairs(benchmark::State& state) {
  static std::array<std::atomic<int64_t>, count> refs;
  for (auto _ : state) {
    for (auto& ref : refs) {
      ref.fetch_add(1, std::memory_order_relaxed);
      benchmark::DoNotOptimize(ref.fetch_sub(1, std::memory_order_acq_rel));
    }
  }
  set_pairs(state, count);
}

BENCHMARK(plain_pairs<1>)->Name("plain/refs:1");
BENCHMARK(plain_pairs<kRefs>)->Name("plain/refs:16");
BENCHMARK(thread_local_pairs<1, false>)->Name("thread_local/refs:1");
BENCHMARK(thread_local_pairs<kRefs, false>)->Name("thread_local/refs:16");
BENCHMARK(thread_local_pairs<1, true>)->Name("flat_thread_local/refs:1");
BENCHMARK(thread_local_pairs<kRefs, true>)->Name("flat_thread_local/refs:16");
BENCHMARK(bare_rseq_pairs<1>)->Name("bare_rseq/refs:1");
BENCHMARK(bare_rseq_pairs<kRefs>)->Name("bare_rseq/refs:16");
BENCHMARK(percpu_pairs<1>)->Name("percpu/refs:1");
BENCHMARK(percpu_pairs<kRefs>)->Name("percpu/refs:16");
BENCHMARK(atomic_pairs<1>)->Name("atomic/refs:1");
BENCHMARK(atomic_pairs<kRefs>)->Name("atomic/refs:16");
BENCHMARK(atomic_pairs<1>)->Name("atomic/refs:1")->Threads(2)->UseRealTime();

// Prints as usual, and remembers the nanoseconds of a pair: the best of all repetitions.
class PairReporter : public benchmark::ConsoleReporter {
 public:
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      if (run.error_occurred || run.run_type != Run::RT_Iteration) continue;
      const auto items = run.counters.find("items_per_second");
      if (items == run.counters.end()) continue;
      const double ns = 1e9 / items->second;
      const auto [entry, is_new] = best_.emplace(run.benchmark_name(), ns);
      if (!is_new && ns < entry->second) entry->second = ns;
    }
  }
  void print_ratios() const {
    std::printf("\nns a pair (get and put)          refs:1   refs:16\n");
    for (const char* name :
         {"plain", "thread_local", "flat_thread_local", "bare_rseq", "percpu", "atomic"}) {
      std::printf("  %-28s %8.2f  %8.2f\n", name, ns(name, 1), ns(name, 16));
    }
    print_ratio("percpu / thread_local", "thread_local");
    print_ratio("percpu / flat_thread_local", "flat_thread_local");
    print_ratio("percpu / bare_rseq", "bare_rseq");
    print_ratio("percpu / atomic", "atomic");
    std::printf("targets: percpu / thread_local <= 1.60 for 1 ref, <= 1.00 for 16\n");
  }

 private:
  double ns(const std::string& name, int refs) const {
    const auto found = best_.find(name + "/refs:" + std::to_string(refs));
    return found == best_.end() ? 0 : found->second;
  }
  void print_ratio(const char* title, const char* peer) const {
    std::printf("  %-28s %8.2f  %8.2f\n", title, ns("percpu", 1) / ns(peer, 1),
                ns("percpu", 16) / ns(peer, 16));
  }
  std::map<std::string, double> best_;
};

}  // namespace

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  PairReporter reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  reporter.print_ratios();
  benchmark::Shutdown();
  return 0;
}

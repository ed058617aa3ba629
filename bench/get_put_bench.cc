// SPDX-License-Identifier: Apache-2.0
// What a get and a put cost while the object lives, with 1 to 8 threads on one ref, and with one
// thread on 16 refs, where no addition waits for the one before.
//
//   percpu              ours, alive: a restartable sequence adds to a counter of this CPU
//   managed             the same, and a manager has a reference
//   atomic mode, dying  ours on the shared counter; dying: killed, and held by somebody
//   thread-local        a counter for each thread and ref (thread_local_count.h)
//   flat thread-local   the same for a number of refs that is fixed when the program is built
//   bare rseq           the least a restartable sequence can do (bare_rseq.h)
//   plain               an ordinary increment and decrement; not safe with threads
//   std::atomic, std::shared_ptr, urcu_ref, mutex
#include <array>
#include <memory>

#include "bench/bare_rseq.h"
#include "bench/counts.h"
#include "bench/suite.h"
#include "bench/thread_local_count.h"
#include "bench/urcu_count.h"

namespace bench {
namespace {

constexpr size_t kManyRefs = 16;
constexpr int kMoreThreads[] = {2, 4, 8};

// The counts of one benchmark, which its threads share.
template <typename Count, size_t count>
struct Shared {
  static inline std::unique_ptr<std::array<Count, count>> counts;
  static void make(const benchmark::State&) {
    counts = std::make_unique<std::array<Count, count>>();
  }
  static void destroy(const benchmark::State&) { counts.reset(); }
};

template <typename Count>
constexpr bool needs_sections() {
  if constexpr (requires { Count::kNeedsSections; }) return Count::kNeedsSections;
  return false;
}

template <typename Count, size_t count>
void pairs(benchmark::State& state) {
  if (needs_sections<Count>() && !has_sections(state)) return;
  auto& counts = *Shared<Count, count>::counts;
  for (auto _ : state) {
    for (Count& one : counts) one.pair();
  }
  state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(count));
}

template <typename Count, size_t count>
benchmark::internal::Benchmark* add(Suite& suite, const char* row, const std::string& column) {
  return suite.add({"get_put", row, column}, pairs<Count, count>)
      ->Setup(Shared<Count, count>::make)
      ->Teardown(Shared<Count, count>::destroy)
      ->UseRealTime();
}

template <typename Count>
void add_one_thread(Suite& suite, const char* row) {
  add<Count, 1>(suite, row, "1 thread");
  add<Count, kManyRefs>(suite, row, "16 refs");
}

template <typename Count>
void add_all(Suite& suite, const char* row) {
  add_one_thread<Count>(suite, row);
  for (const int threads : kMoreThreads) {
    add<Count, 1>(suite, row, std::to_string(threads) + " threads")->Threads(threads);
  }
}

}  // namespace

void add_get_put(Suite& suite) {
  add_all<RefIn<Mode::kPercpu>>(suite, "percpu");
  add_all<ThreadLocalCount<false>>(suite, "thread-local");
  add_all<AtomicCount>(suite, "std::atomic");
  add_all<RefIn<Mode::kAtomic>>(suite, "atomic mode");
  add_all<RefIn<Mode::kManaged>>(suite, "managed");
  add_all<RefIn<Mode::kDying>>(suite, "dying");
  add_all<SharedPtrCount>(suite, "std::shared_ptr");
  add_all<UrcuCount>(suite, "urcu_ref");
  add_all<MutexCount>(suite, "mutex");
  add_all<ThreadLocalCount<true>>(suite, "flat thread-local");
  add_all<BareRseqCount>(suite, "bare rseq");
  add_one_thread<PlainCount>(suite, "plain");
}

}  // namespace bench

// SPDX-License-Identifier: Apache-2.0
#include "bench/suite.h"

#include <sys/single_threaded.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <regex>
#include <utility>

#include "bench/shared_domain.h"

namespace bench {
namespace {

// Google Benchmark tells each benchmark of a round; nothing is printed while it runs.
class Collector : public benchmark::BenchmarkReporter {
 public:
  explicit Collector(Figures& figures) : figures_(figures) {}
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>& runs) override {
    for (const Run& run : runs) {
      const std::string& name = run.run_name.function_name;
      if (run.error_occurred) {
        figures_.skip(name, run.error_message);
      } else {
        figures_.add(name, 1e9 / run.counters.at("items_per_second"));
      }
    }
  }

 private:
  Figures& figures_;
};

void set_least_time(double seconds) {
  std::string program = "core_bench";
  std::string flag = "--benchmark_min_time=" + std::to_string(seconds);
  char* arguments[] = {program.data(), flag.data(), nullptr};
  int count = 2;
  benchmark::Initialize(&count, arguments);
}

// std::shared_ptr counts without atomics while a program has one thread, which would be another
// peer than the one that is meant.
void require_threads() {
  (void)shared_domain();
  if (__libc_single_threaded) std::abort();
}

}  // namespace

const std::vector<Theme>& themes() {
  static const std::vector<Theme> list = {
      {"get_put", "get and put of a reference, the pair, all threads together", "ns",
       "std::atomic"},
      {"tryget", "tryget and put of what it took, one thread", "ns", "urcu_ref"},
      {"kill", "from kill to what it brings about", "us", "wake-up and membarrier"},
      {"switch", "to atomic mode and back", "us", "wake-up, membarrier, wake-up"},
      {"rcu", "RCU", "ns", "urcu-bp"},
      {"pool", "an area of 64 bytes", "ns", "malloc, free"},
      {"memory", "memory of one, in 100,000", "bytes", "std::atomic"},
  };
  return list;
}

Suite::Suite() {
  add_get_put(*this);
  add_tryget(*this);
  add_kill(*this);
  add_switch(*this);
  add_rcu(*this);
  add_pool(*this);
  add_memory(*this);
}

benchmark::internal::Benchmark* Suite::add(const Figure& figure, Body body) {
  expected_.expect(figure);
  return benchmark::RegisterBenchmark(figure.name().c_str(), std::move(body));
}

void Suite::add_once(const Figure& figure, std::function<double()> measure) {
  expected_.expect(figure);
  once_.push_back({figure.name(), std::move(measure)});
}

void Suite::measure_once(const std::string& filter, Figures& figures) {
  const std::regex wanted(filter);
  for (const Once& one : once_) {
    if (std::regex_search(one.name, wanted)) figures.add(one.name, one.measure());
  }
}

Figures Suite::run(const RunOptions& options,
                   const std::function<void(const std::string&)>& progress) {
  using Time = std::chrono::steady_clock;
  require_threads();
  set_least_time(options.seconds_a_figure);
  Figures figures = expected_;
  measure_once(options.filter, figures);
  Collector collector(figures);
  const auto begin = Time::now();
  double spent = 0;
  for (unsigned round = 0; round < options.least_rounds || spent < options.seconds; ++round) {
    benchmark::RunSpecifiedBenchmarks(&collector, options.filter);
    spent = std::chrono::duration<double>(Time::now() - begin).count();
    char line[64];
    std::snprintf(line, sizeof line, "round %u, %.0f s", round + 1, spent);
    progress(line);
  }
  return figures;
}

bool has_sections(benchmark::State& state) {
  const char* const obstacle = percpu::platform::why_no_sections();
  if (obstacle != nullptr) state.SkipWithError(obstacle);
  return obstacle == nullptr;
}

}  // namespace bench

// SPDX-License-Identifier: Apache-2.0
// The suite: all benchmarks of the core, and the run that takes their figures.
//
// Each theme has a file of its own, <theme>_bench.cc, with one function that adds its benchmarks.
// Themes are listed in suite.cc.
#ifndef LASTPUT_BENCH_SUITE_H_
#define LASTPUT_BENCH_SUITE_H_

#include <benchmark/benchmark.h>

#include <functional>
#include <string>
#include <vector>

#include "bench/figures.h"

namespace bench {

const std::vector<Theme>& themes();

struct RunOptions {
  double seconds = 120;            // rounds begin until this much time is over
  unsigned least_rounds = 3;       // but at least so many
  double seconds_a_figure = 0.03;  // of measured time, in each round
  std::string filter = ".*";       // regular expression; found in the names of what is measured
};

class Suite {
 public:
  using Body = std::function<void(benchmark::State&)>;

  // All themes. One suite a process: the benchmarks are registered with Google Benchmark.
  Suite();
  Suite(const Suite&) = delete;
  Suite& operator=(const Suite&) = delete;

  // Adds a benchmark. Its body sets the items it has processed; the figure is the time of one, with
  // several threads that of all threads together. The caller says how time is taken, UseRealTime or
  // UseManualTime: never CPU time, which is blind to waiting.
  benchmark::internal::Benchmark* add(const Figure& figure, Body body);
  // Adds a figure that is no time, taken once.
  void add_once(const Figure& figure, std::function<double()> measure);

  // All figures, none of them taken.
  const Figures& expected() const { return expected_; }
  // `progress` is told a line now and then. Figures that are filtered out stay empty.
  // ERRORS: std::regex_error.
  Figures run(const RunOptions& options, const std::function<void(const std::string&)>& progress);

 private:
  struct Once {
    std::string name;
    std::function<double()> measure;
  };

  void measure_once(const std::string& filter, Figures& figures);

  Figures expected_;
  std::vector<Once> once_;
};

// The themes' own files.
void add_get_put(Suite& suite);
void add_tryget(Suite& suite);
void add_kill(Suite& suite);
void add_switch(Suite& suite);
void add_rcu(Suite& suite);
void add_pool(Suite& suite);
void add_memory(Suite& suite);

// Ends a body that cannot run here. Answers whether it can.
bool has_sections(benchmark::State& state);

}  // namespace bench

#endif  // LASTPUT_BENCH_SUITE_H_

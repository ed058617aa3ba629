// SPDX-License-Identifier: Apache-2.0
// How fast the engine is, beside the same program on real threads under stock ThreadSanitizer with a
// reused, spinning pool. Rounds alternate; the medians and their ratio are printed.
//
//   engine_speed [SECONDS a round, default 1]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "bench/engine_program.h"
#include "sched/sched.h"

namespace {

constexpr int kRounds = 5;

void execution(void*) {
  percpu::Domain domain(bench::domain_options());
  bench::Trial trial;
  trial.begin(domain);
  std::thread workers[bench::kWorkers];
  for (int i = 0; i < bench::kWorkers; ++i)
    workers[i] = std::thread([&trial, i] { trial.work(i); });
  for (auto& w : workers) w.join();
  domain.drain();
  trial.end();
}

struct Rate {
  double executions, points;  // a second
};

Rate engine_round(double seconds, bool races, uint64_t& seed) {
  using Time = std::chrono::steady_clock;
  sched::Options options;
  options.races = races;
  uint64_t n = 0, points = 0;
  auto begin = Time::now();
  double spent = 0;
  for (; spent < seconds; spent = std::chrono::duration<double>(Time::now() - begin).count()) {
    for (int i = 0; i < 500; ++i, ++n) {
      options.seed = ++seed;
      sched::Result r = sched::run(execution, nullptr, options);
      points += r.steps;
      if (r.verdict == sched::Verdict::kFailed) {
        fprintf(stderr, "engine_speed: seed %lu failed: %s\n", seed, r.failure.message.c_str());
        exit(77);
      }
    }
  }
  return {static_cast<double>(n) / spent, static_cast<double>(points) / spent};
}

double tsan_round(const std::string& program, double seconds) {
  FILE* p = popen((program + " " + std::to_string(seconds)).c_str(), "r");
  double rate = 0;
  if (p == nullptr || fscanf(p, "%lf", &rate) != 1) rate = 0;
  if (p != nullptr) pclose(p);
  return rate;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

}  // namespace

int main(int argc, char** argv) {
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  std::string self = argv[0];
  std::string peer = self.substr(0, self.find_last_of('/') + 1) + "engine_speed_tsan";
  std::vector<double> on, on_points, off, off_points, tsan;
  uint64_t seed = 0;
  for (int i = 0; i < kRounds; ++i) {
    Rate races = engine_round(seconds, true, seed);
    Rate plain = engine_round(seconds, false, seed);
    on.push_back(races.executions);
    on_points.push_back(races.points);
    off.push_back(plain.executions);
    off_points.push_back(plain.points);
    tsan.push_back(tsan_round(peer, seconds));
  }
  double base = median(on);
  printf("4 threads x 8 operations, median of %d rounds of %.1f s\n\n", kRounds, seconds);
  printf("%-44s %14s %12s %7s\n", "", "executions/s", "M points/s", "ratio");
  printf("%-44s %14.0f %12.2f %7.2f\n", "engine, race detection on, one core", base,
         median(on_points) / 1e6, 1.0);
  printf("%-44s %14.0f %12.2f %7.2f\n", "engine, race detection off, one core", median(off),
         median(off_points) / 1e6, median(off) / base);
  printf("%-44s %14.0f %12s %7.2f\n", "stock TSan, real threads, spinning pool", median(tsan), "-",
         median(tsan) / base);
  return 0;
}

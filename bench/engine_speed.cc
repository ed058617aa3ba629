// SPDX-License-Identifier: Apache-2.0
// How fast the engine is. Rounds alternate; the medians and their ratio are printed.
//
//   engine_speed [SECONDS a round, default 1]
//     a program of the core, beside the same on real threads under stock ThreadSanitizer with a reused,
//     spinning pool
//   engine_speed model [SECONDS] [PEER]
//     the small count of engine_model.h with 2, 3 and 4 threads: nothing but the engine is measured.
//     PEER: a program that runs it on another engine; called as `PEER THREADS SECONDS`, it prints
//     executions a second. Seconds are of the processor, so that what else runs on the machine counts
//     for little
//   engine_speed long [EXECUTIONS, default 1000000]
//     the count with 4 threads that often; for each tenth its rate and the memory that is resident then
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <thread>
#include <vector>

#include "bench/engine_model.h"
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

struct ModelTraits {
  using Plain = int;
  static void yield() { std::this_thread::yield(); }
};

template <unsigned kThreads>
void model_execution(void*) {
  bench::ModelCount<ModelTraits, kThreads - 1> count;
  std::thread workers[kThreads - 1];
  for (unsigned i = 0; i < kThreads - 1; ++i)
    workers[i] = std::thread([&count, i] { count.work(i); });
  count.kill();
  for (auto& w : workers) w.join();
  if (!count.released()) sched::fail("G1", "not released once");
}

using Body = void (*)(void*);
using Clock = double (*)();

double wall_seconds() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_seconds() {
  return static_cast<double>(std::clock()) / CLOCKS_PER_SEC;
}

Rate engine_round(Body execution, Clock now, double seconds, sched::Options options,
                  uint64_t& seed) {
  uint64_t n = 0, points = 0;
  const double begin = now();
  double spent = 0;
  for (; spent < seconds; spent = now() - begin) {
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

// What a program prints.
double peer_round(const std::string& command) {
  FILE* p = popen(command.c_str(), "r");
  double rate = 0;
  if (p == nullptr || fscanf(p, "%lf", &rate) != 1) rate = 0;
  if (p != nullptr) pclose(p);
  return rate;
}

double median(std::vector<double> v) {
  std::sort(v.begin(), v.end());
  return v[v.size() / 2];
}

void model_rows(unsigned threads, Body execution, double seconds, const std::string& peer) {
  sched::Options all, bare;
  bare.races = bare.weak_memory = false;
  std::vector<double> on, on_points, off_points, off, other, ratio;
  uint64_t seed = 0;
  for (int i = 0; i < kRounds; ++i) {
    const Rate full = engine_round(execution, cpu_seconds, seconds, all, seed);
    const Rate least = engine_round(execution, cpu_seconds, seconds, bare, seed);
    on.push_back(full.executions);
    on_points.push_back(full.points / 1e6);
    off.push_back(least.executions);
    off_points.push_back(least.points / 1e6);
    if (peer.empty()) continue;
    other.push_back(
        peer_round(peer + " " + std::to_string(threads) + " " + std::to_string(seconds)));
    ratio.push_back(full.executions / other.back());
  }
  printf("%u threads, races and weak memory %20.0f %12.2f", threads, median(on), median(on_points));
  if (!peer.empty()) printf(" %14.0f %7.2f", median(other), median(ratio));
  printf("\n%u threads, sequentially consistent %18.0f %12.2f\n", threads, median(off),
         median(off_points));
}

// In KiB.
long resident() {
  long pages = 0;
  FILE* f = fopen("/proc/self/statm", "r");
  if (f == nullptr || fscanf(f, "%*d %ld", &pages) != 1) pages = 0;
  if (f != nullptr) fclose(f);
  return pages * 4;
}

int in_tenths(uint64_t executions) {
  printf("%8s %14s %14s\n", "", "executions/s", "resident KiB");
  for (uint64_t tenth = 1; tenth <= 10; ++tenth) {
    const double begin = cpu_seconds();
    for (uint64_t i = 0; i < executions / 10; ++i) {
      sched::Options options;
      options.seed = tenth * executions + i;
      sched::run(model_execution<4>, nullptr, options);
    }
    printf("%7lu0%% %13.0f %14ld\n", tenth,
           static_cast<double>(executions / 10) / (cpu_seconds() - begin), resident());
  }
  return 0;
}

int model(double seconds, const std::string& peer) {
  printf("the count of engine_model.h, median of %d rounds of %.1f s\n\n", kRounds, seconds);
  printf("%-32s %20s %12s", "", "executions/s", "M points/s");
  printf(peer.empty() ? "\n" : " %14s %7s\n", "peer's", "ratio");
  model_rows(2, model_execution<2>, seconds, peer);
  model_rows(3, model_execution<3>, seconds, peer);
  model_rows(4, model_execution<4>, seconds, peer);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc > 1 && std::string(argv[1]) == "model")
    return model(argc > 2 ? atof(argv[2]) : 1, argc > 3 ? argv[3] : "");
  if (argc > 1 && std::string(argv[1]) == "long")
    return in_tenths(argc > 2 ? strtoull(argv[2], nullptr, 10) : 1000000);
  double seconds = argc > 1 ? atof(argv[1]) : 1;
  std::string self = argv[0];
  std::string peer = self.substr(0, self.find_last_of('/') + 1) + "engine_speed_tsan";
  std::vector<double> on, on_points, off, off_points, tsan;
  uint64_t seed = 0;
  for (int i = 0; i < kRounds; ++i) {
    sched::Options races_on, races_off;
    races_off.races = false;
    Rate races = engine_round(execution, wall_seconds, seconds, races_on, seed);
    Rate plain = engine_round(execution, wall_seconds, seconds, races_off, seed);
    on.push_back(races.executions);
    on_points.push_back(races.points);
    off.push_back(plain.executions);
    off_points.push_back(plain.points);
    tsan.push_back(peer_round(peer + " " + std::to_string(seconds)));
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

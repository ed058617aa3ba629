// SPDX-License-Identifier: Apache-2.0
// The program that both sides of the engine's speed benchmark run: one ref, two CPUs, four threads of
// eight operations each (one of them the kill), then the end of the ref.
#ifndef LASTPUT_BENCH_ENGINE_PROGRAM_H_
#define LASTPUT_BENCH_ENGINE_PROGRAM_H_

#include <cstdlib>

#include "core/domain.h"
#include "core/ref.h"

namespace bench {

inline constexpr int kWorkers = 4;

inline thread_local unsigned current_cpu;

inline percpu::DomainOptions domain_options() {
  percpu::DomainOptions options;
  options.cpus = 2;
  options.cpu_index = [](void*) { return current_cpu; };
  return options;
}

class Trial : public percpu::Ref {
 public:
  // References for the workers to own.
  void begin(percpu::Domain& domain) {
    if (init(domain, [](Ref& r) { static_cast<Trial&>(r).released(); }) != percpu::Status::kOk)
      abort();
    get_many(kWorkers);
  }
  void work(int worker) {
    current_cpu = static_cast<unsigned>(worker) & 1;
    get();
    put();
    get();
    current_cpu ^= 1;
    put();
    if (tryget()) put();
    if (worker == 0) {
      kill();
    } else if (tryget_live()) {
      payload_[worker]++;
      put();
    }
    payload_[worker]++;
    put();
  }
  // After all workers, and a drain of the domain.
  void end() {
    if (releases_ != 1) abort();
    exit();
  }

 private:
  void released() {
    ++releases_;
    for (int p : payload_) releases_ += p == 0;
  }
  int payload_[kWorkers] = {};
  int releases_ = 0;
};

}  // namespace bench

#endif  // LASTPUT_BENCH_ENGINE_PROGRAM_H_

// SPDX-License-Identifier: Apache-2.0
// For printer_test.sh: takes a ref through its states, and stops in each. What is printed there is
// compared, so every count is settled when it stops. The thread counts on one CPU, whose number is
// the last that it may run on (linux), or 1 (portable).
#include <sched.h>

#include <atomic>
#include <cstdio>

#include "core/domain.h"
#include "core/ref.h"

// What the debugger reads at a stop.
extern const char* label;
extern percpu::Ref* watched;
const char* label = nullptr;
percpu::Ref* watched = nullptr;

extern "C" [[gnu::noinline]] void stop_here() {
  asm volatile("" ::: "memory");
}

extern "C" void released(percpu::Ref&) {}

namespace {

void stop(const char* state, percpu::Ref& ref) {
  label = state;
  watched = &ref;
  stop_here();
}

// Keeps the domain's worker in a callback, so that a switch queued meanwhile stays pending.
std::atomic<bool> worker_is_held = false;
std::atomic<bool> let_go = false;
void hold_worker(percpu::Ref&) {
  worker_is_held = true;
  worker_is_held.notify_one();
  let_go.wait(false);
}
class HeldWorker {
 public:
  explicit HeldWorker(percpu::Domain& domain) : domain_(domain) {
    let_go = worker_is_held = false;
    (void)other_.init(domain, released, percpu::Flags::kAllowReinit);
    other_.switch_to_atomic(hold_worker);
    worker_is_held.wait(false);
  }
  ~HeldWorker() {
    let_go = true;
    let_go.notify_one();
    domain_.drain();
  }
  HeldWorker(const HeldWorker&) = delete;
  HeldWorker& operator=(const HeldWorker&) = delete;

 private:
  percpu::Domain& domain_;
  percpu::Ref other_;
};

unsigned pin_to_last_cpu() {
  cpu_set_t set;
  sched_getaffinity(0, sizeof(set), &set);
  unsigned last = CPU_SETSIZE - 1;
  while (last > 0 && !CPU_ISSET(last, &set)) --last;
  CPU_ZERO(&set);
  CPU_SET(last, &set);
  sched_setaffinity(0, sizeof(set), &set);
  return last;
}

void one_life(percpu::Domain& domain) {
  percpu::Ref ref;
  stop("new", ref);
  (void)ref.init(domain, released);
  ref.get_many(5);
  stop("percpu", ref);
  {
    HeldWorker held(domain);
    ref.kill();
    ref.put();  // on the shared counter, with the bias still in it
    stop("kill pending", ref);
  }
  stop("killed", ref);
  ref.put_many(3);
  stop("kept by one", ref);
  ref.put();
  stop("released", ref);
  ref.exit();
  stop("exited", ref);
}

void switches(percpu::Domain& domain) {
  percpu::Ref ref;
  (void)ref.init(domain, released, percpu::Flags::kAllowReinit);
  ref.get();
  {
    HeldWorker held(domain);
    ref.switch_to_atomic([](percpu::Ref& r) { stop("in its callback", r); });
    stop("switching", ref);
  }
  stop("switched", ref);
  ref.switch_to_percpu();
  ref.put_many(3);  // one too many
  stop("below zero", ref);
  ref.switch_to_atomic_sync();
  stop("leaks", ref);
}

void managed(percpu::Domain& domain) {
  percpu::Ref ref;
  (void)ref.init(domain, released, percpu::Flags::kManaged);
  stop("managed", ref);
}

}  // namespace

int main() {
  percpu::DomainOptions options;
  options.misuse = [](const percpu::Misuse&, void*) {};
  unsigned cpu = pin_to_last_cpu();
  if (percpu::platform::kCpusAreChosen) {
    options.cpus = 3;
    options.cpu_index = [](void*) { return 1U; };
    cpu = 1;
  }
  percpu::Domain domain(options);
  const char* const obstacle = percpu::platform::why_no_sections();
  if (obstacle != nullptr) {
    std::printf("SKIPPED: no percpu sections: %s\n", obstacle);
    return 3;
  }
  std::printf("cpu %u\n", cpu);
  std::fflush(stdout);
  one_life(domain);
  switches(domain);
  managed(domain);
}

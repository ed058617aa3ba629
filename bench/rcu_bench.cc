// SPDX-License-Identifier: Apache-2.0
// RCU's readers, and a grace period that meets none; beside liburcu, in the flavour that ours stands
// on (bp) and the one whose threads register (memb). All three are called as library functions.
#include <urcu/urcu-bp.h>
#include <urcu/urcu-memb.h>

#include "bench/shared_domain.h"
#include "bench/suite.h"
#include "core/rcu.h"

namespace bench {
namespace {

constexpr const char* kReader = "read_lock and unlock";
constexpr const char* kGracePeriod = "synchronize";

// Adds what one RCU can do.
template <typename Rcu>
void add_one(Suite& suite, const char* row) {
  suite
      .add({"rcu", row, kReader},
           [](benchmark::State& state) {
             Rcu rcu;
             for (auto _ : state) rcu.read();
             state.SetItemsProcessed(state.iterations());
           })
      ->UseRealTime();
  suite
      .add({"rcu", row, kGracePeriod},
           [](benchmark::State& state) {
             Rcu rcu;
             for (auto _ : state) rcu.synchronize();
             state.SetItemsProcessed(state.iterations());
           })
      ->UseRealTime();
}

class OurRcu {
 public:
  void read() noexcept { const percpu::RcuReader reader(rcu_); }
  void synchronize() noexcept {
    if (!rcu_.synchronize()) std::abort();
  }

 private:
  percpu::Rcu rcu_{shared_domain()};
};

struct UrcuBp {
  void read() noexcept {
    urcu_bp_read_lock();
    urcu_bp_read_unlock();
  }
  void synchronize() noexcept { urcu_bp_synchronize_rcu(); }
};

struct UrcuMemb {
  UrcuMemb() { urcu_memb_register_thread(); }
  ~UrcuMemb() { urcu_memb_unregister_thread(); }
  void read() noexcept {
    urcu_memb_read_lock();
    urcu_memb_read_unlock();
  }
  void synchronize() noexcept { urcu_memb_synchronize_rcu(); }
};

}  // namespace

void add_rcu(Suite& suite) {
  add_one<OurRcu>(suite, "percpu::Rcu");
  add_one<UrcuBp>(suite, "urcu-bp");
  add_one<UrcuMemb>(suite, "urcu-memb");
}

}  // namespace bench

// SPDX-License-Identifier: Apache-2.0
// How long it takes from kill to its callback, on the domain's worker; and for 1,000 refs at once,
// from the first kill to the last callback. Beside it what that cannot do without (a thread that is
// woken, and a membarrier), these two by themselves, and liburcu's call_rcu to its callback.
//
// Meanwhile the caller sleeps; or works, taking and dropping references: then there are percpu
// sections that a grace period has to restart.
#include <urcu/urcu-bp.h>

#include <chrono>
#include <memory>
#include <thread>
#include <vector>

#include "bench/event.h"
#include "bench/responder.h"
#include "bench/shared_domain.h"
#include "bench/suite.h"

namespace bench {
namespace {

constexpr unsigned kRefsAtOnce = 1000;
constexpr int kCallsOfRcu = 3;  // at 10 ms each
constexpr std::chrono::microseconds kRest{30};

enum class Caller { kSleeps, kWorks };

constexpr struct {
  const char* column;
  Caller caller;
} kColumns[] = {{"caller sleeps", Caller::kSleeps}, {"caller works", Caller::kWorks}};

// What starts something, and waits for it in one of the two ways.
class Starter {
 public:
  explicit Starter(Caller caller) : caller_(caller) {
    init(other_, [](percpu::Ref&) {});
  }
  // Seconds from the call of `start` to the event. Rests before, until whoever is started has gone to
  // sleep: else it may find the next request while it is still awake from the last.
  template <typename Start>
  double time_to(Event& event, Start start) noexcept {
    for (const auto rested = Clock::now() + kRest; Clock::now() < rested;) {
    }
    const auto begin = Clock::now();
    start();
    return seconds_between(begin, wait(event));
  }
  // Until it happens; the time at which it did.
  Clock::time_point wait(Event& event) noexcept {
    if (caller_ == Caller::kSleeps) return event.wait();
    return event.wait_working([this] { work(); });
  }

 private:
  void work() noexcept {
    other_.get();
    other_.put();
  }

  const Caller caller_;
  percpu::Ref other_;
};

// Refs that are killed together; the last one's callback is the event.
class Party {
 public:
  explicit Party(unsigned count) : guests_(count) {}
  void gather() {
    left_ = guests_.size();
    for (Guest& guest : guests_) {
      guest.party = this;
      init(guest, [](percpu::Ref&) {});
    }
  }
  void kill() noexcept {
    for (Guest& guest : guests_) {
      guest.kill_and_confirm([](percpu::Ref& ref) { static_cast<Guest&>(ref).party->confirmed(); });
    }
  }
  void disperse() noexcept {
    shared_domain().drain();
    for (Guest& guest : guests_) guest.exit();
  }
  Event& all_confirmed() noexcept { return all_confirmed_; }

 private:
  struct Guest : percpu::Ref {
    Party* party = nullptr;
  };

  void confirmed() noexcept {
    if (--left_ == 0) all_confirmed_.happen();
  }

  std::vector<Guest> guests_;
  size_t left_ = 0;  // the worker's, between the first kill and the event
  Event all_confirmed_;
};

void kill_refs(benchmark::State& state, Caller caller, unsigned count) {
  if (!has_sections(state)) return;
  Starter starter(caller);
  Party party(count);
  for (auto _ : state) {
    party.gather();
    state.SetIterationTime(starter.time_to(party.all_confirmed(), [&] { party.kill(); }));
    party.disperse();
  }
  state.SetItemsProcessed(state.iterations());
}

void wake_up(benchmark::State& state, Caller caller, bool and_restart) {
  if (!has_sections(state)) return;
  Starter starter(caller);
  Responder responder(and_restart);
  for (auto _ : state) {
    state.SetIterationTime(starter.time_to(responder.answer(), [&] { responder.ask(); }));
  }
  state.SetItemsProcessed(state.iterations());
}

// The thread that measures issues it, and another sleeps or works.
void call_membarrier(benchmark::State& state, Caller other) {
  if (!has_sections(state)) return;
  Starter starter(other);
  Event stop;
  std::thread thread([&] { starter.wait(stop); });
  for (auto _ : state) restart_sections();
  state.SetItemsProcessed(state.iterations());
  stop.happen();
  thread.join();
}

void call_rcu(benchmark::State& state, Caller caller) {
  struct Called : rcu_head {
    Event event;
  } called;
  Starter starter(caller);
  for (auto _ : state) {
    state.SetIterationTime(starter.time_to(called.event, [&] {
      urcu_bp_call_rcu(&called, [](rcu_head* head) { static_cast<Called*>(head)->event.happen(); });
    }));
  }
  state.SetItemsProcessed(state.iterations());
}

}  // namespace

void add_kill(Suite& suite) {
  using State = benchmark::State;
  for (const auto& [column, caller] : kColumns) {
    suite
        .add({"kill", "kill to confirm", column},
             [caller = caller](State& state) { kill_refs(state, caller, 1); })
        ->UseManualTime();
    suite
        .add({"kill", "wake-up and membarrier", column},
             [caller = caller](State& state) { wake_up(state, caller, true); })
        ->UseManualTime();
    suite
        .add({"kill", "wake-up", column},
             [caller = caller](State& state) { wake_up(state, caller, false); })
        ->UseManualTime();
    suite
        .add({"kill", "membarrier", column},
             [caller = caller](State& state) { call_membarrier(state, caller); })
        ->UseRealTime();
    suite
        .add({"kill", "1,000 kills to the last confirm", column},
             [caller = caller](State& state) { kill_refs(state, caller, kRefsAtOnce); })
        ->UseManualTime();
    suite
        .add({"kill", "liburcu call_rcu", column},
             [caller = caller](State& state) { call_rcu(state, caller); })
        ->Iterations(kCallsOfRcu)
        ->UseManualTime();
  }
}

}  // namespace bench

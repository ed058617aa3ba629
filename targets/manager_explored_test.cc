// SPDX-License-Identifier: Apache-2.0
// Managed refs under the engine: random small programs and schedules, one of each a seed. Two users
// take and drop references, a third thread makes runs of the manager, main drops the initial
// references, and starts, stops, exits. What must hold is M1 to M7 of core/manager.h.
#include <gtest/gtest.h>

#include <array>
#include <chrono>
#include <thread>

#include "core/domain.h"
#include "core/manager.h"
#include "core/ref.h"
#include "sched/sched.h"

// Not instrumented: what these functions do is no step, and orders nothing.
#define UNSEEN __attribute__((no_sanitize("thread"), noinline))

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Manager;
using percpu::Ref;
using percpu::Status;

constexpr unsigned kUsers = 2;
constexpr unsigned kRefs = 3;

struct Ledger {
  int held = 0;
  int releases = 0;
  int lives = 0;
};
Ledger ledgers[kRefs];

UNSEEN void raised(unsigned ref) {
  ++ledgers[ref].held;
}
UNSEEN void dropping(unsigned ref) {
  --ledgers[ref].held;
}
UNSEEN void begun(unsigned ref) {
  ++ledgers[ref].lives;
}
UNSEEN void reset() {
  for (Ledger& ledger : ledgers) ledger = {};
}
UNSEEN const char* wrong_at_release(unsigned ref) {
  Ledger& ledger = ledgers[ref];
  ++ledger.releases;
  if (ledger.held != 0) return "released while a reference is held";
  return ledger.releases > ledger.lives ? "released twice in a life" : nullptr;
}
UNSEEN int releases(unsigned ref) {
  return ledgers[ref].releases;
}
UNSEEN int lives(unsigned ref) {
  return ledgers[ref].lives;
}

thread_local unsigned cpu;

struct Object : Ref {
  unsigned index = 0;
  unsigned afterlife = 0;  // what release does: 0 free, 1 exit and free, 2 reinit once
  std::array<int, kUsers + 1> written = {};  // by each holder, before its last put

  void take() {
    get();
    raised(index);
  }
  void drop(unsigned holder) {
    ++written[holder];
    dropping(index);
    put();
  }
  static void release(Ref& ref) {
    auto& self = static_cast<Object&>(ref);
    if (const char* wrong = wrong_at_release(self.index)) sched::fail("M1", wrong);
    for (const int value : self.written) {
      if (value == 0) sched::fail("M1", "release does not see what was written before a put");
    }
    if (self.afterlife == 2) {
      self.afterlife = 1;
      begun(self.index);
      raised(self.index);
      if (!self.reinit()) sched::fail("M6", "release could not reinit its ref");
      self.drop(0);
      return;
    }
    if (self.afterlife == 1) self.exit();
    delete &self;
  }
};

void on_misuse(const percpu::Misuse& misuse, void*) {
  sched::fail("G10", percpu::misuse_name(misuse.kind));
}

void use(Object* const* objects, unsigned user) {
  cpu = user & 1;
  for (unsigned i = 0; i < kRefs; ++i) {
    Object& object = *objects[(i + user) % kRefs];
    switch (sched::choose(4)) {
      case 0:
        object.take();
        object.drop(user);
        break;
      case 1:
        if (!object.tryget_live())
          sched::fail("M7", "a live ref with a holder refused a reference");
        raised(object.index);
        object.drop(user);
        break;
      case 2:
        if (!object.switch_to_managed()) sched::fail("M7", "switch_to_managed was refused");
        break;
      case 3:
        cpu ^= 1;
        break;
    }
    object.drop(user);
  }
}

void program(void*) {
  reset();
  percpu::DomainOptions options;
  options.cpus = 2;
  options.cpu_index = [](void*) { return cpu; };
  options.misuse = on_misuse;
  Domain domain(options);
  Manager manager(domain);

  Object* objects[kRefs];
  for (unsigned i = 0; i < kRefs; ++i) {
    objects[i] = new Object;
    objects[i]->index = i;
    objects[i]->afterlife = sched::choose(3);
    constexpr Flags kBeginnings[] = {Flags::kManaged, Flags::kInitAtomic, Flags::kAllowReinit};
    const Flags flags = kBeginnings[sched::choose(3)];
    if (objects[i]->init(domain, &Object::release, flags) != Status::kOk) return;
    begun(i);
    raised(i);
    for (unsigned user = 0; user < kUsers; ++user) objects[i]->take();
    // Who is not managed yet becomes so while users and main hold it, and a switch may be pending.
    if (flags == Flags::kAllowReinit && sched::choose(2) == 0) (void)objects[i]->switch_to_atomic();
  }

  const unsigned how = sched::choose(3);
  if (how == 0 && manager.start({std::chrono::milliseconds(1), 2}) != Status::kOk) return;
  std::thread users[kUsers];
  for (unsigned user = 0; user < kUsers; ++user) {
    users[user] = std::thread([&, user] { use(objects, user); });
  }
  std::thread scanner([&] {
    cpu = 1;
    for (int run = 0; run < 2; ++run)
      (void)manager.scan_once(1 + static_cast<int>(sched::choose(3)));
  });

  // A ref of main's own comes and goes while the manager may be at it.
  Object own;
  own.index = 0;
  if (own.init(domain, &Object::release, Flags::kManaged) != Status::kOk) return;
  if (how == 2) std::this_thread::yield();
  if (sched::choose(2) == 0) {
    own.get();
    own.put();
    own.exit();
  } else {
    own.cancel_init();
  }
  for (unsigned i = 0; i < kRefs; ++i) {
    // The last chance: main holds it still.
    if (!objects[i]->switch_to_managed()) sched::fail("M7", "switch_to_managed was refused");
    objects[i]->drop(kUsers);
  }
  if (how == 0 && !manager.stop()) sched::fail("M5", "stop was refused");

  for (std::thread& user : users) user.join();
  scanner.join();
  // M2: two passes; release may have begun another life in each.
  for (int run = 0; run < 4 * static_cast<int>(kRefs); ++run) {
    if (manager.scan_once(1).visited > 1) sched::fail("M3", "a run visited too many");
  }
  for (unsigned i = 0; i < kRefs; ++i) {
    if (releases(i) != lives(i)) sched::fail("M2", "a ref that nobody holds was not released");
  }
}

TEST(ManagerExplored, KeepsItsGuarantees) {
  unsigned cut_off = 0;
  const char* const asked = getenv("LASTPUT_EXPLORED_RUNS");
  const unsigned long runs = asked != nullptr ? strtoul(asked, nullptr, 10) : 20'000;
  for (unsigned long seed = 1; seed <= runs; ++seed) {
    sched::Options options;
    options.seed = seed;
    options.mean_interval = seed % 3 == 0 ? 3 : 12;
    const sched::Result result = sched::run(program, nullptr, options);
    cut_off += result.verdict == sched::Verdict::kCutOff;
    ASSERT_NE(result.verdict, sched::Verdict::kFailed)
        << "seed " << seed << ": " << result.failure.guarantee << ' '
        << sched::failure_kind_name(result.failure.kind) << ": " << result.failure.message;
  }
  EXPECT_LT(cut_off, runs / 100);
}

// What waits beside a manager's thread whose next run is always due: a run by hand, then exit.
void waits_beside_the_thread(void*) {
  percpu::DomainOptions options;
  options.cpus = 1;
  options.cpu_index = [](void*) { return 0u; };
  options.misuse = on_misuse;
  Domain domain(options);
  Manager manager(domain);
  Object own;
  if (own.init(domain, &Object::release, Flags::kManaged) != Status::kOk) return;
  if (manager.start({std::chrono::nanoseconds(1), 1}) != Status::kOk) return;
  (void)manager.scan_once(1);
  own.exit();
  if (!manager.stop()) sched::fail("M5", "stop was refused");
}

// G9, M4: a fair schedule ends it soon.
TEST(ManagerExplored, RunsThatAreAlwaysDueStarveNobody) {
  for (uint64_t seed = 1; seed <= 2000; ++seed) {
    sched::Options options;
    options.seed = seed;
    options.mean_interval = 2 + static_cast<uint32_t>(seed % 60);
    options.step_budget = 300;
    options.fair_budget = 30000;
    const sched::Result result = sched::run(waits_beside_the_thread, nullptr, options);
    ASSERT_NE(result.verdict, sched::Verdict::kFailed)
        << "seed " << seed << ": " << result.failure.guarantee << ' '
        << sched::failure_kind_name(result.failure.kind) << ": " << result.failure.message;
  }
}

}  // namespace

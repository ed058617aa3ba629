// SPDX-License-Identifier: Apache-2.0
// Who learns what of a Ref, under the engine: small programs about one memory order each, run under many
// random schedules. What is not ordered as ref.h says is a race on plain memory, which the engine tells.
// This file is compiled as code under test. ./lastput audit shows that each of them finds its order.
#include <gtest/gtest.h>

#include <thread>

#include "core/domain.h"
#include "core/manager.h"
#include "core/ref.h"
#include "sched/sched.h"
#include "targets/explored_testing.h"

namespace {

using percpu::Domain;
using percpu::DomainOptions;
using percpu::Flags;
using percpu::Misuse;
using percpu::MisuseKind;
using percpu::Status;
using targets::explore;
using targets::parallel;
using targets::Unseen;

// Refusals of a reinit that comes too early are part of these programs.
void on_misuse(const Misuse& misuse, void*) {
  if (misuse.kind == MisuseKind::kCountNotZero || misuse.kind == MisuseKind::kNotDead) return;
  sched::fail("G10", percpu::misuse_name(misuse.kind));
}

DomainOptions options() {
  DomainOptions options;
  options.cpus = 2;
  options.misuse = on_misuse;
  return options;
}

// Each holder writes before its put.
struct Object : percpu::Ref {
  int written[2] = {};
  void drop(int holder) {
    written[holder] = 1;
    put();
  }
  // REQUIRES: every put comes before.
  void check() const {
    if (written[0] + written[1] != 2)
      sched::fail("G7", "what was written before a put is not seen");
  }
  static void release(percpu::Ref& ref) { static_cast<Object&>(ref).check(); }
};

void begin(Domain& domain, Object& object, Flags flags) {
  if (object.init(domain, &Object::release, flags) != Status::kOk) sched::fail("G8", "init failed");
  object.get_many(2);
}

void check_at_zero(Object& object) {
  while (!object.is_zero()) std::this_thread::yield();
  object.check();
}

// G7: is_zero. In percpu mode first, so that the counters' sum is part of what it tells.
void is_zero_comes_after_the_puts(Flags flags) {
  Domain domain(options());
  Object object;
  begin(domain, object, flags);
  parallel([&] { object.drop(0); }, [&] { object.drop(1); }, [&] { object.kill(); },
           [&] { check_at_zero(object); });
  domain.drain();
}
void is_zero_after_percpu_puts() {
  is_zero_comes_after_the_puts(Flags::kAllowReinit);
}
void is_zero_after_atomic_puts() {
  is_zero_comes_after_the_puts(Flags::kInitAtomic);
}

// The same where the manager drops the last.
void is_zero_after_a_visit() {
  Domain domain(options());
  percpu::Manager manager(domain);
  Object object;
  begin(domain, object, Flags::kManaged);
  parallel([&] { object.drop(0); }, [&] { object.drop(1); },
           [&] {
             object.put();
             while (!object.is_dying()) {
               (void)manager.scan_once(1);
               std::this_thread::yield();
             }
           },
           [&] { check_at_zero(object); });
}

// G7: reinit, and what the next life writes.
void a_life_comes_after_the_one_before() {
  Domain domain(options());
  Object object;
  begin(domain, object, Flags::kInitAtomic);
  object.kill();
  parallel([&] { object.drop(0); }, [&] { object.drop(1); },
           [&] {
             while (!object.reinit()) std::this_thread::yield();
             object.check();
           });
  object.kill();
}

// G7: the callback of a switch that has nothing to wait for, beside the last puts.
void done_comes_after_the_puts() {
  Domain domain(options());
  Object object;
  begin(domain, object, Flags::kInitAtomic);
  object.kill();
  parallel([&] { object.drop(0); }, [&] { object.drop(1); },
           [&] {
             // Where the count is 0 by then, all puts have come.
             (void)object.switch_to_atomic([](percpu::Ref& ref) {
               if (ref.is_dying() && !ref.tryget()) static_cast<Object&>(ref).check();
             });
           });
}

// The same for a put that has come before, and leaves the count as it was.
void done_sees_the_puts_so_far() {
  Domain domain(options());
  Object object;
  begin(domain, object, Flags::kInitAtomic);
  Unseen puts;
  parallel(
      [&] {
        object.get();
        object.drop(0);
        puts.add(1);
      },
      [&] {
        while (puts.get() == 0) std::this_thread::yield();
        (void)object.switch_to_atomic([](percpu::Ref& ref) {
          if (static_cast<Object&>(ref).written[0] != 1) sched::fail("G7", "a put is not seen");
        });
      });
  object.put();
  object.drop(1);
  object.kill();
}

// The same of confirm, in percpu mode, for a put on the shared counter from the time before that.
void confirm_sees_the_puts_so_far() {
  Domain domain(options());
  Object object;
  begin(domain, object, Flags::kInitAtomic);
  Unseen puts;
  parallel(
      [&] {
        object.drop(0);
        puts.add(1);
      },
      [&] {
        while (puts.get() == 0) std::this_thread::yield();
        (void)object.switch_to_percpu();
        object.kill_and_confirm([](percpu::Ref& ref) {
          if (static_cast<Object&>(ref).written[0] != 1) sched::fail("G7", "a put is not seen");
        });
      });
  object.drop(1);
  domain.drain();
}

// G5: who sees a ref live, which nobody kills any more, gets a reference.
void who_sees_it_live_gets_a_reference() {
  Domain domain(options());
  Object object;
  begin(domain, object, Flags::kInitAtomic);
  object.drop(0);
  object.drop(1);
  object.kill();
  parallel(
      [&] {
        if (!object.reinit()) sched::fail("G5", "reinit was refused at 0");
      },
      [&] {
        while (object.is_dying()) std::this_thread::yield();
        if (!object.tryget_live())
          sched::fail("G5", "a live ref with a holder refused a reference");
        object.put();
      });
  object.kill();
}

TEST(RefExplored, IsZeroAfterPercpuPuts) {
  explore(is_zero_after_percpu_puts);
}
TEST(RefExplored, IsZeroAfterAtomicPuts) {
  explore(is_zero_after_atomic_puts);
}
TEST(RefExplored, IsZeroAfterAVisit) {
  explore(is_zero_after_a_visit);
}
TEST(RefExplored, ALifeComesAfterTheOneBefore) {
  explore(a_life_comes_after_the_one_before);
}
TEST(RefExplored, DoneComesAfterThePuts) {
  explore(done_comes_after_the_puts);
}
TEST(RefExplored, DoneSeesThePutsSoFar) {
  explore(done_sees_the_puts_so_far);
}
TEST(RefExplored, ConfirmSeesThePutsSoFar) {
  explore(confirm_sees_the_puts_so_far);
}
TEST(RefExplored, WhoSeesItLiveGetsAReference) {
  explore(who_sees_it_live_gets_a_reference);
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// Calls that are wrong in a state that their thread knows: the core must refuse each, and report it once,
// to that thread, as what it is (G10); the other oracles see whether anybody is harmed.
#include "core/manager.h"
#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/misuse_expected.h"

namespace targets {
namespace {

using percpu::MisuseKind;
using percpu::Ref;

// What the calling thread is about to do wrong.
struct Expected {
  bool any = false;
  MisuseKind kind = MisuseKind::kBadCount;
  const Ref* ref = nullptr;
  unsigned reports = 0;
};
thread_local Expected expected;

// `call` answers whether the core refused it.
template <typename Call>
void expect_misuse(MisuseKind kind, const Ref* ref, const char* name, Call call) {
  expected = {true, kind, ref, 0};
  const bool refused = call();
  const unsigned reports = expected.reports;
  expected = {};
  if (reports != 1)
    guarantee_G10_misuse(Sentence("%s is misuse (%s), and was reported %u times", name,
                                  percpu::misuse_name(kind), reports)
                             .text);
  if (!refused)
    guarantee_G10_misuse(
        Sentence("%s is misuse (%s), and was carried out", name, percpu::misuse_name(kind)).text);
}

// The same for calls that answer nothing.
template <typename Call>
void expect_report(MisuseKind kind, const Ref* ref, const char* name, Call call) {
  expect_misuse(kind, ref, name, [&] {
    call();
    return true;
  });
}

void misuse_in_callback(Ref& ref) {
  const auto refused = [&](const char* name, auto call) {
    expect_misuse(MisuseKind::kInConfirm, &ref, name, call);
  };
  refused("kill in the ref's own callback", [&] { return !ref.kill(); });
  refused("switch_to_percpu in the ref's own callback", [&] { return !ref.switch_to_percpu(); });
  refused("resurrect in the ref's own callback", [&] { return !ref.resurrect(); });
  refused("exit in the ref's own callback", [&] {
    ref.exit();
    return true;
  });
}

}  // namespace

bool misuse_was_expected(const percpu::Misuse& misuse) {
  if (!expected.any || misuse.kind != expected.kind || misuse.ref != expected.ref) return false;
  ++expected.reports;
  return true;
}

bool Actor::misuse(const Operation& op) {
  switch (op.code) {
    case OpCode::kMisuseCounts:
      return misuse_counts(op.ref);
    case OpCode::kMisuseInit:
      return misuse_init(op.ref);
    case OpCode::kMisuseRevive:
      return misuse_revive(op.ref);
    case OpCode::kMisuseSwitch:
      return misuse_switch(op.ref);
    case OpCode::kMisuseManaged:
      return misuse_managed(op.ref);
    case OpCode::kMisuseAfterExit:
      return misuse_after_exit(op.ref);
    default:
      return misuse_in_own_callback(op.ref);
  }
}

bool Actor::misuse_counts(unsigned ref) {
  if (!holds(ref)) return false;
  Object& o = object(ref);
  expect_report(MisuseKind::kBadCount, &o, "get_many(0)", [&] { o.get_many(0); });
  expect_report(MisuseKind::kBadCount, &o, "put_many(2^63)",
                [&] { o.put_many(uint64_t{1} << 63); });
  expect_misuse(MisuseKind::kBadCount, &o, "tryget_many(0)", [&] { return !o.tryget_many(0); });
  return true;
}

bool Actor::misuse_init(unsigned ref) {
  if (!holds(ref)) return false;
  Object& o = object(ref);
  expect_misuse(MisuseKind::kInitTwice, &o, "init of a ref in use",
                [&] { return o.init(domain_, on_release) == percpu::Status::kInvalidArgument; });
  return true;
}

// The ref is known to be live; or it never comes back, whatever its state.
bool Actor::misuse_revive(unsigned ref) {
  const RefFacts& facts = execution_.facts[ref];
  const bool reinitable = execution_.program.refs[ref].reinitable();
  if (!holds(ref) || (reinitable && !facts.quiet && !facts.managed)) return false;
  const MisuseKind kind = reinitable ? MisuseKind::kNotDead : MisuseKind::kNoReinit;
  Object& o = object(ref);
  expect_misuse(kind, &o, "resurrect", [&] { return !o.resurrect(); });
  expect_misuse(kind, &o, "reinit", [&] { return !o.reinit(); });
  return true;
}

bool Actor::misuse_switch(unsigned ref) {
  if (!holds(ref) || execution_.program.refs[ref].reinitable()) return false;
  Object& o = object(ref);
  const auto refused = [&](const char* name, auto call) {
    expect_misuse(MisuseKind::kNoReinit, &o, name, call);
  };
  refused("switch_to_atomic", [&] { return !o.switch_to_atomic(); });
  refused("switch_to_percpu", [&] { return !o.switch_to_percpu(); });
  refused("switch_to_managed", [&] { return !o.switch_to_managed(); });
  return true;
}

bool Actor::misuse_managed(unsigned ref) {
  if (!holds(ref) || !execution_.facts[ref].managed) return false;
  Object& o = object(ref);
  const auto refused = [&](const char* name, auto call) {
    expect_misuse(MisuseKind::kManaged, &o, name, call);
  };
  refused("kill of a managed ref", [&] { return !o.kill(); });
  refused("switch_to_atomic of a managed ref", [&] { return !o.switch_to_atomic(); });
  refused("switch_to_percpu of a managed ref", [&] { return !o.switch_to_percpu(); });
  return true;
}

// The object stays until main destroys it.
bool Actor::misuse_after_exit(unsigned ref) {
  if (execution_.facts[ref].release != ReleaseAction::kExit || holdings_[ref].releases_due == 0 ||
      !release_finished(ref))
    return false;
  Object& o = object(ref);
  const MisuseKind kind = MisuseKind::kNotInitialised;
  expect_misuse(kind, &o, "tryget after exit", [&] { return !o.tryget(); });
  expect_report(kind, &o, "get after exit", [&] { o.get(); });
  expect_report(kind, &o, "put after exit", [&] { o.put(); });
  return true;
}

bool Actor::misuse_in_own_callback(unsigned ref) {
  if (!holds(ref) || holdings_[ref].managed) return false;
  return object(ref).switch_to_atomic(misuse_in_callback);
}

bool Actor::misuse_start() {
  if (!execution_.manager_started || has_operation(execution_.program, OpCode::kManagerStop, 0))
    return false;
  expect_misuse(MisuseKind::kManagerRuns, nullptr, "start of a manager that runs",
                [&] { return percpu::Manager(domain_).start() == percpu::Status::kRefused; });
  return true;
}

}  // namespace targets

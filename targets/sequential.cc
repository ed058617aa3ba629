// SPDX-License-Identifier: Apache-2.0
// The sequential target: one thread of calls against the model, every answer compared (harness.h).
#include <array>
#include <atomic>
#include <cstring>
#include <new>
#include <system_error>

#include "core/domain.h"
#include "core/ref.h"
#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/harness.h"
#include "targets/ledger.h"
#include "targets/main_operations.h"
#include "targets/model.h"
#include "targets/runtime.h"

namespace targets {
namespace {

constexpr const char* kRefNames[] = {"ref0", "ref1", "ref2"};

// What callbacks and the misuse handler have counted. They may run on the worker; the thread of the
// program looks after a drain, so relaxed is enough.
struct Counters {
  std::atomic<unsigned> releases = 0, confirms = 0, switched = 0, misuses = 0;
  std::atomic<const char*> misuse = nullptr;  // name of the last

  CallbackCounts callbacks() const {
    return {releases.load(std::memory_order_relaxed), confirms.load(std::memory_order_relaxed),
            switched.load(std::memory_order_relaxed)};
  }
};

struct Subject : percpu::Ref {
  Counters counters;
  ReleaseAction release = ReleaseAction::kMark;
  unsigned lives = 0;  // begun since init
};

Subject& subject_of(percpu::Ref& ref) {
  return static_cast<Subject&>(ref);
}

void count(std::atomic<unsigned>& counter) {
  counter.fetch_add(1, std::memory_order_relaxed);
}

void on_release(percpu::Ref& ref) {
  Subject& subject = subject_of(ref);
  count(subject.counters.releases);
  if (subject.release == ReleaseAction::kExit || subject.release == ReleaseAction::kFree)
    ref.exit();
  if (subject.release != ReleaseAction::kReinit || subject.lives >= kMaxLives) return;
  ++subject.lives;
  ref.reinit();
}
void on_confirm(percpu::Ref& ref) {
  count(subject_of(ref).counters.confirms);
}
void on_switched(percpu::Ref& ref) {
  count(subject_of(ref).counters.switched);
}

void on_misuse(const percpu::Misuse& misuse, void* context) {
  Counters& all = *static_cast<Counters*>(context);
  all.misuse.store(percpu::misuse_name(misuse.kind), std::memory_order_relaxed);
  count(all.misuses);
}

class Sequence {
 public:
  Sequence(const Program& program, percpu::Domain& domain, Counters& reports)
      : program_(program), domain_(domain), reports_(reports) {}

  void run() {
    uint32_t operation = 1;
    for (unsigned ref = 0; ref < program_.refs.size(); ++ref)
      runtime::name_object(static_cast<percpu::Ref*>(&subjects_[ref]), sizeof(percpu::Ref),
                           kRefNames[ref]);
    for (unsigned ref = 0; ref < program_.refs.size(); ++ref) step(ref, OpCode::kInit, 0);
    for (const Operation& op : program_.threads[0]) {
      runtime::begin_op(operation++);
      if (!apply(op)) count_dropped_operation();
    }
    runtime::begin_op(operation);
    for (unsigned ref = 0; ref < program_.refs.size(); ++ref) end(ref);
  }

 private:
  bool apply(const Operation& op) {
    switch (op.code) {
      case OpCode::kMigrate:
        set_current_cpu(static_cast<unsigned>(op.argument));
        return true;
      case OpCode::kFailAllocation:
        runtime::fail_allocation(static_cast<uint32_t>(op.argument));
        return true;
      case OpCode::kDrain:
        domain_.drain();
        return true;
      case OpCode::kPutAll: {
        const uint64_t all = models_[op.ref].count();
        return all - 1 < percpu::Ref::kMaxCount && step(op.ref, op.code, all);
      }
      default:
        return (operation_info(op.code).needs & kRef) != 0 &&
               step(op.ref, op.code, op.argument == 0 ? 1 : op.argument);
    }
  }

  // Brings the ref down by its exact count, so that one too many or too few shows.
  void end(unsigned ref) {
    RefModel& model = models_[ref];
    for (unsigned life = 0; !model.absent() && !model.leaked() && life <= kMaxLives; ++life) {
      if (!model.dead()) step(ref, OpCode::kKill, 0);
      if (model.absent() || model.leaked() || !model.dead()) continue;
      if (model.count() > 1) step(ref, OpCode::kPutMany, model.count() - 1);
      if (model.count() == 1) step(ref, OpCode::kPut, 1);
    }
    step(ref, OpCode::kExit, 0);
    step(ref, OpCode::kIsZero, 0);
  }

  bool step(unsigned ref, OpCode code, uint64_t n) {
    const unsigned reports_before = reports_.misuses.load(std::memory_order_relaxed);
    const RefModel before = models_[ref];
    const Answer answer = models_[ref].apply(code, n);
    if (!answer.applies) return false;
    const bool result = call(ref, code, n);
    domain_.drain();
    const char* const name = operation_info(code).name;
    check_misuse(name, answer, reports_.misuses.load(std::memory_order_relaxed) - reports_before);
    if (code == OpCode::kInit && !result && answer.result && memory_may_run_out(program_)) {
      models_[ref] = before;  // out of memory: the ref is as it was
      runtime::note(kNoMemoryNotes[ref]);
      return true;
    }
    if (answer.has_result && result != answer.result) {
      const Sentence sentence("%s returned %s; the model says %s", name, result ? "true" : "false",
                              answer.result ? "true" : "false");
      if (code == OpCode::kKill || code == OpCode::kKillAndConfirm)
        guarantee_G1_release_exactly_once(sentence.text);
      if (code == OpCode::kIsZero || code == OpCode::kIsDying)
        guarantee_G6_counts_conserved(sentence.text);
      guarantee_G5_tryget_true_when_raised(sentence.text);
    }
    check_state(ref, name);
    return true;
  }

  void check_misuse(const char* call, const Answer& answer, unsigned reports) {
    const char* const reported = reports_.misuse.load(std::memory_order_relaxed);
    if (answer.misuse == nullptr && reports != 0)
      guarantee_G10_misuse(Sentence("%s was reported as %s, but is legal", call, reported).text);
    if (answer.misuse != nullptr && reports == 0 && !answer.misuse_optional)
      guarantee_G10_misuse(
          Sentence("%s is misuse (%s), but was not reported", call, answer.misuse).text);
    if (answer.misuse != nullptr && reports != 0 && std::strcmp(answer.misuse, reported) != 0)
      guarantee_G10_misuse(
          Sentence("%s was reported as %s; the model says %s", call, reported, answer.misuse).text);
    if (reports > 1) guarantee_G10_misuse(Sentence("%s was reported %u times", call, reports).text);
  }

  void check_state(unsigned ref, const char* call) {
    const Subject& subject = subjects_[ref];
    const RefModel& model = models_[ref];
    const CallbackCounts seen = subject.counters.callbacks(), due = model.callbacks();
    if (seen.releases > due.releases)
      guarantee_G1_release_exactly_once(
          Sentence("release ran after %s, but is not due", call).text);
    if (seen.releases < due.releases)
      guarantee_G3_release_once_nothing_holds(Sentence("release did not run after %s", call).text);
    if (seen.confirms != due.confirms)
      guarantee_G4_confirm(
          Sentence("confirm ran %u times after %s, not %u", seen.confirms, call, due.confirms)
              .text);
    if (seen.switched != due.switched)
      guarantee_G6_counts_conserved(Sentence("the switch's callback ran %u times after %s, not %u",
                                             seen.switched, call, due.switched)
                                        .text);
    if (subject.is_zero() != model.is_zero())
      guarantee_G6_counts_conserved(
          Sentence("is_zero is %d after %s", !model.is_zero(), call).text);
    if (subject.is_dying() != model.is_dying())
      guarantee_G6_counts_conserved(
          Sentence("is_dying is %d after %s", !model.is_dying(), call).text);
  }

  bool init(unsigned ref) {
    Subject& subject = subjects_[ref];
    const RefSetup& setup = program_.refs[ref];
    const percpu::Status status =
        subject.init(domain_, on_release, static_cast<percpu::Flags>(setup.flags));
    if (status != percpu::Status::kOk) return false;
    subject.release = setup.release;
    subject.lives = (setup.flags & kFlagDead) ? 0 : 1;
    return true;
  }

  // False where the call answers false; true where it answers nothing.
  bool call(unsigned ref, OpCode code, uint64_t n) {
    Subject& subject = subjects_[ref];
    switch (code) {
      case OpCode::kGet:
        subject.get();
        return true;
      case OpCode::kGetMany:
        subject.get_many(n);
        return true;
      case OpCode::kPut:
      case OpCode::kPutInitial:
        subject.put();
        return true;
      case OpCode::kPutMany:
      case OpCode::kPutAll:
        subject.put_many(n);
        return true;
      case OpCode::kTryget:
        return subject.tryget();
      case OpCode::kTrygetMany:
        return subject.tryget_many(n);
      case OpCode::kTrygetLive:
      case OpCode::kTrygetLiveConfirmed:
        return subject.tryget_live();
      case OpCode::kTrygetLiveMany:
        return subject.tryget_live_many(n);
      case OpCode::kKill:
        return subject.kill();
      case OpCode::kKillAndConfirm:
        return subject.kill_and_confirm(on_confirm);
      case OpCode::kSwitchToAtomic:
        return subject.switch_to_atomic();
      case OpCode::kSwitchToAtomicCallback:
        return subject.switch_to_atomic(on_switched);
      case OpCode::kSwitchToAtomicSync:
        return subject.switch_to_atomic_sync();
      case OpCode::kSwitchToPercpu:
        return subject.switch_to_percpu();
      case OpCode::kResurrect:
        return subject.resurrect();
      case OpCode::kReinit: {
        const bool done = subject.reinit();
        if (done) ++subject.lives;
        return done;
      }
      case OpCode::kIsZero:
        return subject.is_zero();
      case OpCode::kIsDying:
        return subject.is_dying();
      case OpCode::kExit:
        subject.exit();
        return true;
      case OpCode::kInit:
        return init(ref);
      case OpCode::kCancelInit:
        subject.cancel_init();
        return true;
      default:
        return true;
    }
  }

  const Program& program_;
  percpu::Domain& domain_;
  Counters& reports_;
  std::array<Subject, kMaxRefs> subjects_;
  std::array<RefModel, kMaxRefs> models_ = {RefModel(setup(0)), RefModel(setup(1)),
                                            RefModel(setup(2))};

  RefSetup setup(size_t ref) const {
    return ref < program_.refs.size() ? program_.refs[ref] : RefSetup{};
  }
};

}  // namespace

void run_sequential(const Program& program) {
  reset_ledgers(program);
  set_current_cpu(0);
  Counters reports;
  percpu::DomainOptions options;
  options.cpus = program.cpus;
  options.cpu_index = current_cpu;
  options.misuse = on_misuse;
  options.misuse_context = &reports;
  try {
    runtime::name_next_thread(kWorkerName);
    percpu::Domain domain(options);
    Sequence(program, domain, reports).run();
  } catch (const std::bad_alloc&) {
    // No memory for the domain itself: there is nothing to run.
  } catch (const std::system_error&) {
  }
  if (reports.misuse.load(std::memory_order_relaxed) == nullptr) return;
  const char* const last = reports.misuse.load(std::memory_order_relaxed);
  if (std::strcmp(last, "ref_not_exited") == 0 || std::strcmp(last, "area_not_freed") == 0)
    guarantee_G8_memory(Sentence("at the domain's end: %s", last).text);
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "replay/emit_sequential.h"

#include <algorithm>
#include <array>

#include "replay/emit_words.h"
#include "targets/harness.h"
#include "targets/model.h"
#include "targets/text.h"

namespace replay {
namespace {

using targets::OpCode;

constexpr uint64_t kMaxCount = (uint64_t{1} << 63) - 1;  // of percpu::Ref

// What `code` does to ref `r` in C++, and answers: a bool, or nothing.
struct Call {
  std::string text;
  bool answers = true;
};
Call call_of(OpCode code, const std::string& r, const std::string& n) {
  const std::string object = "refs[" + r + "].";
  switch (code) {
    case OpCode::kGet:
      return {object + "get()", false};
    case OpCode::kGetMany:
      return {object + "get_many(" + n + ")", false};
    case OpCode::kPut:
    case OpCode::kPutInitial:
      return {object + "put()", false};
    case OpCode::kPutMany:
    case OpCode::kPutAll:
      return {object + "put_many(" + n + ")", false};
    case OpCode::kTryget:
      return {object + "tryget()"};
    case OpCode::kTrygetMany:
      return {object + "tryget_many(" + n + ")"};
    case OpCode::kTrygetLive:
    case OpCode::kTrygetLiveConfirmed:
      return {object + "tryget_live()"};
    case OpCode::kTrygetLiveMany:
      return {object + "tryget_live_many(" + n + ")"};
    case OpCode::kKill:
      return {object + "kill()"};
    case OpCode::kKillAndConfirm:
      return {object + "kill_and_confirm(on_confirm)"};
    case OpCode::kSwitchToAtomic:
      return {object + "switch_to_atomic()"};
    case OpCode::kSwitchToAtomicCallback:
      return {object + "switch_to_atomic(on_switched)"};
    case OpCode::kSwitchToAtomicSync:
      return {object + "switch_to_atomic_sync()"};
    case OpCode::kSwitchToPercpu:
      return {object + "switch_to_percpu()"};
    case OpCode::kResurrect:
      return {object + "resurrect()"};
    case OpCode::kReinit:
      return {"reinit(" + r + ")"};
    case OpCode::kIsZero:
      return {object + "is_zero()"};
    case OpCode::kIsDying:
      return {object + "is_dying()"};
    case OpCode::kExit:
      return {object + "exit()", false};
    case OpCode::kInit:
      return {"init(" + r + ")"};
    case OpCode::kCancelInit:
      return {object + "cancel_init()", false};
    default:
      return {"", false};
  }
}

// What a wrong answer of the call breaks.
const char* guarantee_of(OpCode code) {
  if (code == OpCode::kKill || code == OpCode::kKillAndConfirm) return "G1";
  return code == OpCode::kIsZero || code == OpCode::kIsDying ? "G6" : "G5";
}

const char* word(bool value) {
  return value ? "true" : "false";
}

// Walks the model along the program, as the harness does.
class Calls {
 public:
  Calls(const targets::Program& program, const sched::Recording& recording)
      : program_(program), recording_(recording) {
    for (const targets::RefSetup& setup : program.refs) models_.emplace_back(setup);
  }

  std::string text() {
    text_ = "void calls() {\n";
    for (unsigned ref = 0; ref < models_.size(); ++ref) step(ref, OpCode::kInit, 0);
    for (const targets::Operation& op : program_.threads[0]) {
      begin(targets::print_operation(op));
      apply(op);
    }
    begin("the end");
    for (unsigned ref = 0; ref < models_.size(); ++ref) end(ref);
    return text_ + "}\n";
  }

 private:
  void begin(const std::string& comment) {
    text_ += "\n  sched::begin_op(" + std::to_string(++operation_) + ");  // " + comment + "\n";
  }

  void apply(const targets::Operation& op) {
    if (op.code == OpCode::kMigrate) {
      text_ += "  cpu = " + std::to_string(op.argument) + ";\n";
    } else if (op.code == OpCode::kFailAllocation) {
      text_ += "  sched::fail_allocation(" + std::to_string(op.argument) + ");\n";
    } else if (op.code == OpCode::kDrain) {
      text_ += "  domain->drain();\n";
    } else if (op.code == OpCode::kPutAll) {
      const uint64_t all = models_[op.ref].count();
      if (all - 1 < kMaxCount) step(op.ref, op.code, all);
    } else if ((targets::operation_info(op.code).needs & targets::kRef) != 0) {
      step(op.ref, op.code, op.argument == 0 ? 1 : op.argument);
    }
  }

  void end(unsigned ref) {
    targets::RefModel& model = models_[ref];
    for (unsigned life = 0; !model.absent() && !model.leaked() && life <= targets::kMaxLives;
         ++life) {
      if (!model.dead()) step(ref, OpCode::kKill, 0);
      if (model.absent() || model.leaked() || !model.dead()) continue;
      if (model.count() > 1) step(ref, OpCode::kPutMany, model.count() - 1);
      if (model.count() == 1) step(ref, OpCode::kPut, 1);
    }
    step(ref, OpCode::kExit, 0);
    step(ref, OpCode::kIsZero, 0);
  }

  // Whether this init was refused for lack of memory.
  bool lacks_memory(unsigned ref) const {
    const std::string note = targets::kNoMemoryNotes[ref];
    return std::any_of(
        recording_.steps.begin(), recording_.steps.end(), [&](const sched::Step& step) {
          return step.kind == sched::StepKind::kNote && step.text == note && step.op == operation_;
        });
  }

  void step(unsigned ref, OpCode code, uint64_t n) {
    targets::RefModel& model = models_[ref];
    const targets::RefModel before = model;
    targets::Answer answer = model.apply(code, n);
    if (!answer.applies) return;
    const std::string r = std::to_string(ref);
    const Call call = call_of(code, r, number_literal(n));
    if (call.text.empty()) return;
    if (code == OpCode::kInit && answer.result && lacks_memory(ref)) {
      model = before;
      answer.result = false;
    }
    const targets::CallbackCounts& due = model.callbacks();
    const bool compared = answer.has_result || code == OpCode::kInit;
    const char* result = !compared ? "-1" : answer.result ? "1" : "0";
    text_ +=
        "  step(" + r + ", \"" + targets::operation_info(code).name + "\", \"" +
        guarantee_of(code) + "\", [] { " +
        (call.answers ? "return " + call.text : call.text + "; return true") + "; },\n       {" +
        (answer.misuse == nullptr ? "nullptr" : "\"" + std::string(answer.misuse) + "\"") + ", " +
        word(answer.misuse_optional) + ", " + result + ", " + std::to_string(due.releases) + ", " +
        std::to_string(due.confirms) + ", " + std::to_string(due.switched) + ", " +
        word(model.is_zero()) + ", " + word(model.is_dying()) + "});\n";
  }

  const targets::Program& program_;
  const sched::Recording& recording_;
  std::vector<targets::RefModel> models_;
  uint32_t operation_ = 0;
  std::string text_;
};

}  // namespace

std::string sequential_setup(const targets::Program& program) {
  std::string text =
      "constexpr unsigned kRefs = " + std::to_string(program.refs.size()) +
      ", kCpus = " + std::to_string(program.cpus) +
      ";\nconstexpr bool kFailsAnAllocation = " + word(targets::memory_may_run_out(program)) +
      ";\nconstexpr struct {\n  percpu::Flags flags;\n  bool begins_dead;\n  Release release;\n"
      "} kSetup[kRefs] = {\n";
  for (const targets::RefSetup& ref : program.refs)
    text += "    {" + flags_literal(ref.flags) + ", " +
            word((ref.flags & targets::kFlagDead) != 0) +
            ", Release::" + release_word(ref.release) + "},\n";
  return text + "};\n";
}

std::string sequential_calls(const targets::Program& program, const sched::Recording& recording) {
  return Calls(program, recording).text();
}

}  // namespace replay

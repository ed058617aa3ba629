// SPDX-License-Identifier: Apache-2.0
#include "targets/model.h"

namespace targets {
namespace {

constexpr uint64_t kMaxCount = (uint64_t{1} << 63) - 1;

Answer nothing() {
  return {};
}
Answer answers(bool result) {
  return {.has_result = true, .result = result};
}
Answer misuse(const char* name) {
  return {.misuse = name};
}
Answer refused(const char* name) {
  return {.has_result = true, .result = false, .misuse = name};
}

bool is_count_call(OpCode code) {
  switch (code) {
    case OpCode::kGet:
    case OpCode::kGetMany:
    case OpCode::kPut:
    case OpCode::kPutMany:
    case OpCode::kPutAll:
    case OpCode::kPutInitial:
    case OpCode::kTryget:
    case OpCode::kTrygetMany:
    case OpCode::kTrygetLive:
    case OpCode::kTrygetLiveMany:
    case OpCode::kTrygetLiveConfirmed:
      return true;
    default:
      return false;
  }
}

}  // namespace

Answer RefModel::apply(OpCode code, uint64_t n) {
  switch (code) {
    case OpCode::kInit:
      return init();
    case OpCode::kExit:
    case OpCode::kCancelInit:
      return end(code);
    case OpCode::kIsZero:
      return answers(is_zero());
    case OpCode::kIsDying:
      return answers(is_dying());
    case OpCode::kKill:
    case OpCode::kKillAndConfirm:
    case OpCode::kSwitchToAtomic:
    case OpCode::kSwitchToAtomicCallback:
    case OpCode::kSwitchToAtomicSync:
    case OpCode::kSwitchToPercpu:
    case OpCode::kResurrect:
    case OpCode::kReinit:
      break;
    default:
      if (!is_count_call(code)) return {.applies = false};
  }
  if (!ever_initialised_) return {.applies = false};  // nobody could be told of the misuse
  fresh_ = false;
  return is_count_call(code) ? count_call(code, n) : mode_call(code);
}

Answer RefModel::init() {
  if (!absent_) return refused("init_twice");
  ever_initialised_ = true;
  absent_ = false;
  fresh_ = true;
  leaked_ = false;
  lives_ = 0;
  dead_ = (setup_.flags & kFlagDead) != 0;
  sticky_ = (setup_.flags & kFlagAtomic) != 0;
  atomic_ = dead_ || sticky_;
  count_ = dead_ ? 0 : 1;
  if (!dead_) ++lives_;
  return answers(true);
}

Answer RefModel::end(OpCode code) {
  if (absent_) return nothing();
  Answer answer;
  if (code == OpCode::kCancelInit && !fresh_) {
    answer.misuse = "cancel_after_use";
    // Use that has left no trace in the counters may go unnoticed.
    answer.misuse_optional = !leaked_ && (dead_ ? count_ == 0 : count_ == 1);
  }
  absent_ = true;
  return answer;
}

Answer RefModel::count_call(OpCode code, uint64_t n) {
  const bool live_only = code == OpCode::kTrygetLive || code == OpCode::kTrygetLiveMany ||
                         code == OpCode::kTrygetLiveConfirmed;
  const bool tries = live_only || code == OpCode::kTryget || code == OpCode::kTrygetMany;
  const bool puts = code == OpCode::kPut || code == OpCode::kPutMany || code == OpCode::kPutAll ||
                    code == OpCode::kPutInitial;
  if (absent_) return tries ? refused("not_initialised") : misuse("not_initialised");
  const bool zero = atomic_ && count_ == 0 && !leaked_;
  if (tries) {
    const bool taken = !zero && !(live_only && dead_);
    if (taken) count_ += n;
    return answers(taken);
  }
  if (!puts) {
    count_ += n;
    if (!zero) return nothing();
    leaked_ = true;
    return misuse("get_from_zero");
  }
  if (!atomic_ || leaked_) {
    count_ -= n;
    return nothing();
  }
  if (count_ < n) {
    leaked_ = true;
    return misuse("put_below_zero");
  }
  drop(n);
  return nothing();
}

Answer RefModel::mode_call(OpCode code) {
  if (absent_) return refused("not_initialised");
  if (code == OpCode::kKill) return kill(false);
  if (code == OpCode::kKillAndConfirm) return kill(true);
  if (!setup_.reinitable()) return refused("no_reinit");
  if (code == OpCode::kResurrect) return revive(false);
  if (code == OpCode::kReinit) return revive(true);
  // Nobody holds a reference, which the percpu counters do not show: release comes while the call waits.
  if (code == OpCode::kSwitchToAtomicSync && !atomic_ && count_ == 0) return {.applies = false};
  if (code != OpCode::kSwitchToPercpu)
    return switch_to_atomic(code == OpCode::kSwitchToAtomicCallback);
  sticky_ = false;
  if (!dead_) atomic_ = false;
  return answers(true);
}

// The sum must cover the reference that the switch lives on, which is in count_.
const char* RefModel::leave_percpu() {
  atomic_ = true;
  if (leaked_ || count_ - 1 < kMaxCount) return nullptr;
  leaked_ = true;
  return "sum_below_one";
}

Answer RefModel::kill(bool confirm) {
  if (dead_) return answers(false);
  dead_ = true;
  Answer answer = answers(true);
  if (!atomic_) answer.misuse = leave_percpu();
  if (confirm) ++callbacks_.confirms;
  drop(1);
  return answer;
}

Answer RefModel::switch_to_atomic(bool callback) {
  sticky_ = true;
  Answer answer = answers(true);
  if (callback) ++callbacks_.switched;
  if (atomic_) return answer;
  ++count_;
  answer.misuse = leave_percpu();
  drop(1);
  return answer;
}

Answer RefModel::revive(bool from_zero) {
  if (!dead_) return refused("not_dead");
  const bool zero = count_ == 0 && !leaked_;
  if (zero != from_zero) return refused(zero ? "count_zero" : "count_not_zero");
  begin_life(count_ + 1);
  if (from_zero) ++lives_;
  return answers(true);
}

void RefModel::begin_life(uint64_t count) {
  dead_ = false;
  atomic_ = sticky_;
  count_ = count;
}

// In atomic mode, with at least n.
void RefModel::drop(uint64_t n) {
  count_ -= n;
  if (count_ != 0 || leaked_) return;
  dead_ = true;
  release();
}

void RefModel::release() {
  ++callbacks_.releases;
  if (setup_.release == ReleaseAction::kExit || setup_.release == ReleaseAction::kFree)
    absent_ = true;
  if (setup_.release != ReleaseAction::kReinit || lives_ >= kMaxLives) return;
  ++lives_;
  begin_life(1);
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "sched/focus.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>

namespace sched {
namespace {

constexpr size_t kNone = static_cast<size_t>(-1);

enum class Role : uint8_t { kAlways, kNever, kRead, kWrite, kBlock };

Role role_of(StepKind kind) {
  switch (kind) {
    case StepKind::kOp:
    case StepKind::kNote:
    case StepKind::kCreate:
    case StepKind::kJoin:
    case StepKind::kExit:
    case StepKind::kFence:
      return Role::kAlways;
    case StepKind::kYield:
    case StepKind::kSleep:
      return Role::kNever;
    case StepKind::kLoad:
    case StepKind::kRead:
    case StepKind::kCasFail:
      return Role::kRead;
    case StepKind::kMalloc:
    case StepKind::kFree:
      return Role::kBlock;
    default:
      return Role::kWrite;
  }
}

bool synchronises(StepKind kind) {
  return kind == StepKind::kLock || kind == StepKind::kReadLock || kind == StepKind::kTryLock ||
         kind == StepKind::kUnlock || kind == StepKind::kWait || kind == StepKind::kWake ||
         kind == StepKind::kDestroy;
}

bool is_about_waiting(FailureKind kind) {
  return kind == FailureKind::kDeadlock || kind == FailureKind::kLostWakeup ||
         kind == FailureKind::kLockMisuse || kind == FailureKind::kSyncMisuse;
}

// One byte, from the time that its block was allocated.
struct Object {
  uint8_t owner = 0;       // the latest thread
  unsigned handovers = 0;  // from a thread to another
  bool written = false;    // since the first of these
  bool failing = false;    // an access to it has failed
  size_t block = kNone;
  std::vector<size_t> steps;  // the last write of the first thread alone, then all
  bool matters() const { return (handovers > 1 && written) || failing; }
};

struct Block {
  uintptr_t end = 0;
  std::vector<size_t> steps;  // allocation, release
};

class Survey {
 public:
  explicit Survey(const Recording& recording)
      : recording_(recording), marked_(recording.steps.size(), false) {}

  std::vector<bool> run(const Failure& failure) {
    for (size_t i = 0; i < recording_.steps.size(); ++i) see(i);
    find_failing(failure);
    if (is_about_waiting(failure.kind))
      for (size_t i = 0; i < recording_.steps.size(); ++i)
        if (synchronises(recording_.steps[i].kind)) marked_[i] = true;
    for (const Object& object : objects_) {
      if (!object.matters()) continue;
      mark(object.steps);
      if (object.block != kNone) mark(blocks_[object.block].steps);
    }
    return std::move(marked_);
  }

 private:
  void see(size_t i) {
    const Step& step = recording_.steps[i];
    switch (role_of(step.kind)) {
      case Role::kAlways:
        marked_[i] = true;
        return;
      case Role::kNever:
        return;
      case Role::kBlock:
        return see_block(i);
      case Role::kRead:
      case Role::kWrite:
        if (step.address == 0) return;
        for (unsigned byte = 0; byte < std::max<unsigned>(step.size, 1); ++byte)
          see_access(step.address + byte, i);
    }
  }

  void see_access(uintptr_t byte, size_t i) {
    const Step& step = recording_.steps[i];
    const bool writes = role_of(step.kind) == Role::kWrite;
    const auto [at, is_new] = current_.try_emplace(byte, objects_.size());
    if (is_new) objects_.push_back({step.thread, 0, false, false, block_at(byte), {}});
    Object& object = objects_[at->second];
    if (step.thread != object.owner) ++object.handovers;
    object.owner = step.thread;
    const bool shared = object.handovers != 0;
    object.written |= shared && writes;
    if (!shared && writes) object.steps.clear();
    if (shared || writes) object.steps.push_back(i);
  }

  void see_block(size_t i) {
    const Step& step = recording_.steps[i];
    if (step.kind == StepKind::kFree) {
      const size_t block = block_at(step.address);
      if (block != kNone) blocks_[block].steps.push_back(i);
      return;
    }
    const uintptr_t end = step.address + step.value;
    live_[step.address] = blocks_.size();
    blocks_.push_back({end, {i}});
    current_.erase(current_.lower_bound(step.address), current_.lower_bound(end));
  }

  size_t block_at(uintptr_t address) const {
    auto block = live_.upper_bound(address);
    if (block == live_.begin()) return kNone;
    --block;
    return address < blocks_[block->second].end ? block->second : kNone;
  }

  // The access that failed is the last one of its thread.
  void find_failing(const Failure& failure) {
    if (failure.kind != FailureKind::kDataRace && failure.kind != FailureKind::kUseAfterFree &&
        failure.kind != FailureKind::kOutOfBounds)
      return;
    for (size_t i = recording_.steps.size(); i-- > 0;) {
      const Step& step = recording_.steps[i];
      const Role role = role_of(step.kind);
      if (step.thread >= recording_.threads.size() ||
          recording_.threads[step.thread] != failure.thread ||
          (role != Role::kRead && role != Role::kWrite))
        continue;
      const auto object = current_.find(step.address);
      if (object == current_.end()) continue;
      objects_[object->second].failing = true;
      return;
    }
  }

  void mark(const std::vector<size_t>& steps) {
    for (size_t i : steps) marked_[i] = true;
  }

  const Recording& recording_;
  std::vector<bool> marked_;
  std::vector<Object> objects_;
  std::map<uintptr_t, size_t> current_;  // byte: its object
  std::vector<Block> blocks_;
  std::map<uintptr_t, size_t> live_;  // address: the latest block there
};

}  // namespace

std::vector<bool> steps_that_matter(const Recording& recording, const Failure& failure) {
  return Survey(recording).run(failure);
}

Recording only_steps(const Recording& recording, const std::vector<bool>& marked) {
  Recording kept;
  kept.threads = recording.threads;
  kept.choices = recording.choices;
  kept.choice_steps = recording.choice_steps;
  for (size_t i = 0; i < recording.steps.size(); ++i)
    if (marked[i]) kept.steps.push_back(recording.steps[i]);
  return kept;
}

size_t preemption_before(const Recording& recording, const Step& previous, const Step& step) {
  if (previous.thread == step.thread || step.thread >= recording.threads.size()) return kNoChoice;
  const auto& at = recording.choice_steps;
  const auto first = std::lower_bound(at.begin(), at.end(), previous.index);
  for (auto i = std::upper_bound(first, at.end(), step.index); i-- > first;) {
    const auto choice = static_cast<size_t>(i - at.begin());
    if (recording.choices[choice].to == recording.threads[step.thread]) return choice;
  }
  return kNoChoice;
}

}  // namespace sched

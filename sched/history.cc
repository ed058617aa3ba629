// SPDX-License-Identifier: Apache-2.0
#include "sched/history.h"

#include <algorithm>
#include <map>

#include "sched/timeline.h"

namespace sched {
namespace {

struct Store {
  size_t step;  // kNowhere: unseen
  uint64_t value;
};

class Historian {
 public:
  explicit Historian(const Recording& recording) : recording_(recording) {}

  History write() {
    history_.steps.resize(recording_.steps.size());
    for (size_t i = 0; i < recording_.steps.size(); ++i) see(i);
    return std::move(history_);
  }

 private:
  void see(size_t i) {
    const Step& step = recording_.steps[i];
    switch (step.kind) {
      case StepKind::kMalloc:
        current_.erase(current_.lower_bound(step.address),
                       current_.lower_bound(step.address + step.value));
        return;
      case StepKind::kLoad:
        return read(i, step.value);
      case StepKind::kCasFail:
        return read(i, step.before);
      case StepKind::kStore:
        return store(i);
      case StepKind::kRmw:
        read(i, step.before);
        return store(i);
      case StepKind::kLock:
      case StepKind::kReadLock:
        return hold(i, "held by " + thread_name(step));
      case StepKind::kUnlock:
        return hold(i, "free");
      default:
        return;
    }
  }

  std::string thread_name(const Step& step) const {
    return step.thread < recording_.threads.size() ? recording_.threads[step.thread] : "?";
  }

  Observation& observe(size_t i) {
    const Step& step = recording_.steps[i];
    const auto [at, is_new] = current_.try_emplace(step.address, history_.objects.size());
    if (is_new) {
      history_.objects.push_back(step.text.empty() ? "object " + std::to_string(at->second + 1)
                                                   : step.text);
      stores_.emplace_back();
    }
    history_.steps[i].object = at->second;
    return history_.steps[i];
  }

  void read(size_t i, uint64_t value) {
    const Step& step = recording_.steps[i];
    Observation& seen = observe(i);
    std::vector<Store>& order = stores_[seen.object];
    if (step.age < order.size() && order[order.size() - 1 - step.age].value == value) {
      seen.read_from = order[order.size() - 1 - step.age].step;
    } else if (step.age == 0) {
      order.push_back({kNowhere, value});
    }
    if (!order.empty()) seen.value = describe_value(order.back().value, step.size);
  }

  void store(size_t i) {
    const Step& step = recording_.steps[i];
    Observation& seen = observe(i);
    std::vector<Store>& order = stores_[seen.object];
    const size_t age = std::min<size_t>(step.age, order.size());
    order.insert(order.end() - static_cast<std::ptrdiff_t>(age), {i, step.value});
    seen.value = describe_value(order.back().value, step.size);
  }

  void hold(size_t i, std::string words) { observe(i).value = std::move(words); }

  const Recording& recording_;
  History history_;
  std::map<uintptr_t, size_t> current_;     // address: its object
  std::vector<std::vector<Store>> stores_;  // of each object, in modification order
};

}  // namespace

History history_of(const Recording& recording) {
  return Historian(recording).write();
}

}  // namespace sched

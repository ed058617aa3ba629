// SPDX-License-Identifier: Apache-2.0
#include "sched/consistency.h"

#include <algorithm>
#include <map>
#include <utility>

namespace sched {
namespace {

constexpr int kNoStep = -1;

// The stores of one atomic object, in modification order, and who read them. Store 0 is what was there.
struct Object {
  struct Stored {
    int step;
    std::vector<int> readers;
  };
  std::vector<Stored> stores = {{kNoStep, {}}};

  // The place of the store that `age` newer ones have; the first where the history is not known that far.
  size_t place_of(uint32_t age) const { return age < stores.size() ? stores.size() - 1 - age : 0; }
};

class Graph {
 public:
  explicit Graph(const Recording& recording) : steps_(recording.steps) {
    for (int i = 0; i < static_cast<int>(steps_.size()); ++i) add(i);
    for (const auto& [address, object] : objects_) order(object);
    for (const Object& object : ended_) order(object);
  }

  MemoryNeeded needed() const {
    if (!has_cycle(true)) return MemoryNeeded::kSequential;
    return has_cycle(false) || has_cycle_of_object() ? MemoryNeeded::kWeaker : MemoryNeeded::kX86;
  }

 private:
  struct Edge {
    int from, to;
    bool strong;  // holds under total store order, too
    bool same_object;
  };

  bool reads(const Step& s) const {
    return s.kind == StepKind::kLoad || s.kind == StepKind::kCasFail || s.kind == StepKind::kRmw;
  }
  bool writes(const Step& s) const {
    return s.kind == StepKind::kStore || s.kind == StepKind::kRmw;
  }
  // Steps that are events of the memory.
  bool counts(const Step& s) const {
    switch (s.kind) {
      case StepKind::kRead:
      case StepKind::kWrite:
      case StepKind::kNote:
      case StepKind::kOp:
      case StepKind::kMalloc:
      case StepKind::kFree:
      case StepKind::kYield:
      case StepKind::kSleep:
        return false;
      default:
        return true;
    }
  }
  // Nothing of its thread passes it. REQUIRES: it counts.
  bool orders_all(const Step& s) const {
    if (s.kind == StepKind::kStore || s.kind == StepKind::kFence)
      return s.order == __ATOMIC_SEQ_CST;
    return s.kind != StepKind::kLoad;
  }

  void edge(int from, int to, bool strong, bool same_object = false) {
    if (from != kNoStep && from != to) edges_.push_back({from, to, strong, same_object});
  }

  void add(int i) {
    const Step& s = steps_[static_cast<size_t>(i)];
    if (s.kind == StepKind::kMalloc) forget(s);
    if (!counts(s)) return;
    follow_program(i, s);
    if (reads(s) || writes(s)) {
      access(i, s);
    } else if (s.address != 0) {  // locks and their like: in the order of execution
      edge(std::exchange(last_sync_.try_emplace(s.address, kNoStep).first->second, i), i, true);
    }
  }

  // What malloc returns begins anew.
  void forget(const Step& s) {
    const auto first = objects_.lower_bound(s.address);
    const auto last = objects_.lower_bound(s.address + std::max<uint64_t>(s.value, 1));
    for (auto it = first; it != last; ++it) ended_.push_back(std::move(it->second));
    objects_.erase(first, last);
  }

  struct Last {
    int any = kNoStep, load = kNoStep, store = kNoStep;
  };
  void follow_program(int i, const Step& s) {
    Last& last = last_[s.thread];
    edge(last.any, i, false);
    last.any = i;
    const bool all = orders_all(s);
    if (all || writes(s)) edge(last.store, i, true);
    edge(last.load, i, true);
    if (all || reads(s)) last.load = i;
    if (all || writes(s)) last.store = i;
    if (all) last.load = last.store = i;
    // Of one object nothing changes places.
    if (s.kind != StepKind::kFence && s.address != 0)
      edge(std::exchange(last_of_object_.try_emplace({s.thread, s.address}, kNoStep).first->second,
                         i),
           i, false, true);
    // A thread starts after it was made, and has ended when it is joined.
    if (const auto made = created_.find(s.thread); made != created_.end()) {
      edge(made->second, i, true);
      created_.erase(made);
    }
    if (s.kind == StepKind::kCreate) created_[static_cast<uint8_t>(s.value)] = i;
    if (s.kind == StepKind::kJoin) edge(last_[static_cast<uint8_t>(s.value)].any, i, true);
  }

  void access(int i, const Step& s) {
    Object& object = objects_[s.address];
    size_t place = object.place_of(s.age);
    if (reads(s) && !holds(object.stores[place], s)) {  // something unseen has written
      ended_.push_back(std::exchange(object, {}));
      place = 0;
    }
    if (reads(s)) object.stores[place].readers.push_back(i);
    // A store of age 1 is the newest but one: it comes after the store that has two newer ones then.
    if (writes(s)) {
      const size_t after =
          s.kind == StepKind::kRmw
              ? place + 1
              : object.stores.size() - std::min<size_t>(s.age, object.stores.size() - 1);
      object.stores.insert(object.stores.begin() + static_cast<ptrdiff_t>(after), {i, {}});
    }
  }

  bool holds(const Object::Stored& stored, const Step& reader) const {
    if (stored.step == kNoStep) return true;
    const uint64_t value = reader.kind == StepKind::kLoad ? reader.value : reader.before;
    return steps_[static_cast<size_t>(stored.step)].value == value;
  }

  void order(const Object& object) {
    for (size_t p = 0; p < object.stores.size(); ++p) {
      const auto& stored = object.stores[p];
      const int next = p + 1 < object.stores.size() ? object.stores[p + 1].step : kNoStep;
      if (next != kNoStep) edge(stored.step, next, true, true);
      for (const int reader : stored.readers) {
        if (stored.step != kNoStep)
          edge(stored.step, reader, thread_of(stored.step) != thread_of(reader), true);
        if (next != kNoStep) edge(reader, next, true, true);
      }
    }
  }
  uint8_t thread_of(int i) const { return steps_[static_cast<size_t>(i)].thread; }

  bool has_cycle(bool sequential) const {
    return cyclic([&](const Edge& e) { return sequential || e.strong; });
  }
  bool has_cycle_of_object() const {
    return cyclic([](const Edge& e) { return e.same_object; });
  }
  // By taking away what nothing comes before (Kahn, CACM 1962).
  template <class Taken>
  bool cyclic(Taken taken) const {
    std::vector<std::vector<int>> next(steps_.size());
    std::vector<unsigned> before(steps_.size(), 0);
    for (const Edge& e : edges_) {
      if (!taken(e)) continue;
      next[static_cast<size_t>(e.from)].push_back(e.to);
      ++before[static_cast<size_t>(e.to)];
    }
    std::vector<int> free;
    for (size_t i = 0; i < before.size(); ++i)
      if (before[i] == 0) free.push_back(static_cast<int>(i));
    size_t taken_away = 0;
    while (!free.empty()) {
      const int i = free.back();
      free.pop_back();
      ++taken_away;
      for (const int n : next[static_cast<size_t>(i)])
        if (--before[static_cast<size_t>(n)] == 0) free.push_back(n);
    }
    return taken_away != steps_.size();
  }

  const std::vector<Step>& steps_;
  std::vector<Edge> edges_;
  std::map<uintptr_t, Object> objects_;
  std::vector<Object> ended_;
  std::map<uint8_t, Last> last_;
  std::map<std::pair<uint8_t, uintptr_t>, int> last_of_object_;
  std::map<uintptr_t, int> last_sync_;
  std::map<uint8_t, int> created_;  // by the new thread, until its first step
};

}  // namespace

MemoryNeeded memory_needed(const Recording& recording) {
  return Graph(recording).needed();
}

}  // namespace sched

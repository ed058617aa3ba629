// SPDX-License-Identifier: Apache-2.0
// Strategy::kSurw: the selectively uniform random walk (Zhao, Wolff, Mathur, Roychoudhury: Selectively uniform
// concurrency testing, ASPLOS 2025). Of some operations, the interesting ones, all interleavings are equally
// likely where threads do not wait for each other: whose comes next is drawn by how many each thread has left,
// and the others wait before theirs. The rest is a walk by uniform choice.
//
// How many each thread has is what Options::profile counted. Interesting are the accesses to
// Options::interesting objects of it, drawn for each schedule by how often they are accessed; or to all.
// Without a profile none is, and it is the walk.
#include <algorithm>

#include "sched/engine.h"
#include "sched/profile.h"
#include "sched/strategy.h"

namespace sched {
namespace {

constexpr uint32_t kNobodyIntended = kMaxThreads;

class SurwScheduler final : public Scheduler {
 public:
  void begin() override {
    count_ = 0;
    for (uint32_t& left : left_) left = 0;
    if (g.options.profile != nullptr) draw_objects(*g.options.profile);
    std::sort(objects_, objects_ + count_);
    intend();
  }
  void thread_ready(uint32_t thread, bool is_new) override {
    if (is_new) next_[thread] = false;
  }
  uint64_t distance() override { return 1; }
  ThreadSet choose_waiters(ThreadSet timed, ThreadSet spurious) override {
    return random_below(kWaitersOneIn) == 0 ? timed | spurious : ThreadSet();
  }
  uint32_t choose_thread(Turn turn, ThreadSet candidates) override {
    if (turn == Turn::kWoken) return uniform(candidates);
    if (turn == Turn::kPreempted) {
      candidates.add(g.current);
      if (next_[g.current]) did();
      next_[g.current] = interesting(g.self->pending);
      // More than were counted: one at least, or it would wait for all that others have.
      if (next_[g.current] && left_[g.current] == 0) left_[g.current] = 1;
    }
    if (intended_ != kNobodyIntended && ended(intended_)) intend();
    ThreadSet allowed;
    candidates.for_each([&](uint32_t thread) {
      if (!next_[thread] || thread == intended_) allowed.add(thread);
    });
    if (!allowed.empty()) return uniform(allowed);
    return intended_ = by_weight(candidates);  // who was meant to be next waits for others
  }

 private:
  static uint32_t uniform(const ThreadSet& set) { return set.nth(random_below(set.count())); }
  void draw_objects(const Profile& profile) {
    const uint32_t wanted = g.options.interesting;
    if (wanted == 0) {
      for (const Profile::Object& object : profile.objects) add(object);
      return;
    }
    uint32_t total = 0;
    for (const Profile::Object& object : profile.objects) total += object.all();
    for (uint32_t i = 0; i < wanted && total != 0; ++i) {
      uint32_t drawn = random_below(total);
      for (const Profile::Object& object : profile.objects) {
        if (drawn < object.all()) {
          add(object);
          break;
        }
        drawn -= object.all();
      }
    }
  }
  void add(const Profile::Object& object) {
    if (count_ == kMostObjects ||
        std::find(objects_, objects_ + count_, object.address) != objects_ + count_)
      return;
    objects_[count_++] = object.address;
    for (uint32_t i = 0; i < object.accesses.size(); ++i) left_[i] += object.accesses[i];
  }
  bool interesting(const Intent& intent) const {
    return std::binary_search(objects_, objects_ + count_, granule_of(intent));
  }
  static bool ended(uint32_t thread) {
    return thread < g.thread_count && g.threads[thread].state == State::kDone;
  }
  // The current thread has done an interesting operation.
  void did() {
    if (left_[g.current] != 0) --left_[g.current];
    if (g.current == intended_ || intended_ == kNobodyIntended) intend();
  }
  // Draws whose interesting operation comes next; threads that have not begun take part.
  void intend() {
    ThreadSet set;
    for (uint32_t i = 0; i < kMaxThreads; ++i)
      if (left_[i] != 0 && !ended(i)) set.add(i);
    intended_ = set.empty() ? kNobodyIntended : by_weight(set);
  }
  uint32_t by_weight(const ThreadSet& set) const {
    uint32_t total = 0;
    set.for_each([&](uint32_t thread) { total += left_[thread]; });
    if (total == 0) return uniform(set);
    uint32_t drawn = random_below(total), found = kNobodyIntended;
    set.for_each([&](uint32_t thread) {
      if (found != kNobodyIntended) return;
      if (drawn < left_[thread]) found = thread;
      drawn -= left_[thread];
    });
    return found;
  }

  uintptr_t objects_[kMostObjects];  // the interesting ones, sorted
  uint32_t count_;
  uint32_t intended_;
  uint32_t left_[kMaxThreads];
  bool next_[kMaxThreads];  // whether what the thread is about to do is interesting
};

}  // namespace

Scheduler& surw_scheduler() {
  static SurwScheduler scheduler;
  return scheduler;
}

}  // namespace sched

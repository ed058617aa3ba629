// SPDX-License-Identifier: Apache-2.0
#include "sched/trace.h"

#include <algorithm>
#include <bit>

namespace sched {

void add_access(Footprint& to, Access access) {
  for (Access& a : to)
    if (a.object == access.object) {
      a.writes |= access.writes;
      return;
    }
  to.push_back(access);
}

bool conflict(const Footprint& a, const Footprint& b) {
  for (const Access& x : a)
    for (const Access& y : b)
      if (x.object == y.object && (x.writes || y.writes)) return true;
  return false;
}

void Trace::begin() {
  events_.clear();
  objects_.clear();
  for (Past& past : past_of_) past.fill(0);
}

void Trace::open(uint32_t thread) {
  thread_ = thread;
  open_.clear();
  locks_.clear();
  stores_.clear();
  let_run_ = 0;
  exits_ = waits_ = wait_lock_ = false;
}

void Trace::lock(Object object, LockStep step) {
  locks_.emplace_back(object, step);
}

void Trace::store(Object object, uint32_t age) {
  stores_.emplace_back(object, age);
}

void Trace::lets_run(uint32_t thread) {
  if (thread != thread_) let_run_ |= 1u << thread;
}

void Trace::learns_of(uint32_t thread) {
  join(past_of_[thread_], past_of_[thread]);
}

void Trace::blocks(WaitFor what, const void* key, bool timed) {
  switch (what) {
    case WaitFor::kMutex:
    case WaitFor::kSpin:
    case WaitFor::kReading:
    case WaitFor::kWriting:
    case WaitFor::kOnce:
    case WaitFor::kSemaphore:
    case WaitFor::kThread:
      waits_ = !timed;
      waits_for_ = object_at(key);
      break;
    default:
      touch(queue_of(key), true);
  }
  if (timed) {
    touch(queue_of(key), true);
    touch(kTime, false);
  }
}

// A try that found the lock taken, and nothing else.
bool Trace::waits_only() const {
  return waits_ && let_run_ == 0 && !exits_ && stores_.empty() && locks_.empty() &&
         std::all_of(open_.begin(), open_.end(),
                     [&](const Access& a) { return a.object == waits_for_; });
}

bool Trace::wrote() const {
  return !events_.back().only_waits &&
         std::any_of(closed_.begin(), closed_.end(), [](const Access& a) { return a.writes; });
}

void Trace::add_candidate(uint32_t direct, uint32_t reversed) {
  candidates_.push_back({direct, reversed});
}

// Whoever gets a lock after it was given back could have had it before it was taken; not in between.
void Trace::collect(const Access& access) {
  const Known* known = objects_.find(access.object);
  if (known == nullptr) return;
  if (known->write != kNone && thread_of(known->write) != thread_) {
    const bool takes =
        waits_ || std::find(locks_.begin(), locks_.end(),
                            std::pair{access.object, LockStep::kTaken}) != locks_.end();
    const bool skips =
        takes && known->given_back && known->holder != kNone && thread_of(known->holder) != thread_;
    add_candidate(known->write, skips ? known->holder : known->write);
  }
  if (!access.writes) return;
  for (uint32_t s = known->readers & ~(1u << thread_); s != 0; s &= s - 1) {
    const uint32_t read = known->reads[static_cast<uint32_t>(std::countr_zero(s))];
    add_candidate(read, read);
  }
}

void Trace::update_objects(uint32_t segment) {
  for (const Access& a : open_) {
    Known& known = objects_[a.object];
    if (a.writes) {
      known.write = segment;
      known.given_back = false;
      known.readers = 0;
    } else {
      known.reads[thread_] = segment;
      known.readers |= 1u << thread_;
    }
  }
  for (const auto& [object, step] : locks_) {
    Known& known = objects_[object];
    if (step != LockStep::kGivenBack) known.holder = segment;
    known.given_back = step == LockStep::kGivenBack;
  }
  for (const auto& [object, age] : stores_) objects_[object].age = age;
}

void Trace::close(std::vector<uint32_t>* with) {
  const uint32_t segment = size();
  Past past = past_of_[thread_];
  candidates_.clear();
  for (const Access& a : open_) collect(a);
  if (exits_) {
    // It ends what the others do: it comes after all of it.
    for (uint32_t t = 0; t < kMaxThreads; ++t)
      if (t != thread_ && past_of_[t][t] != 0)
        add_candidate(past_of_[t][t] - 1, past_of_[t][t] - 1);
  }
  for (const Candidate& c : candidates_) {
    if (events_[c.reversed].only_waits || knows(past, c.reversed)) continue;
    const bool hidden =
        std::any_of(candidates_.begin(), candidates_.end(), [&](const Candidate& other) {
          return other.direct != c.direct && knows(events_[other.direct].past, c.reversed);
        });
    if (!hidden && std::find(with->begin(), with->end(), c.reversed) == with->end())
      with->push_back(c.reversed);
  }
  const bool only_waits = waits_only();
  if (!only_waits) {
    for (const Candidate& c : candidates_) join(past, events_[c.direct].past);
  }
  past[thread_] = segment + 1;
  events_.push_back({thread_, only_waits, past});
  past_of_[thread_] = past;
  if (!only_waits) update_objects(segment);
  for (uint32_t s = let_run_; s != 0; s &= s - 1)
    join(past_of_[static_cast<uint32_t>(std::countr_zero(s))], past);
  closed_.swap(open_);
}

uint32_t Trace::initials(uint32_t earlier, uint32_t later) const {
  std::array<uint32_t, kMaxThreads> first;
  first.fill(kNone);
  uint32_t initials = 0;
  for (uint32_t i = earlier + 1; i <= later; ++i) {
    const Event& e = events_[i];
    if (i != later && knows(e.past, earlier)) continue;
    if (first[e.thread] != kNone) continue;
    first[e.thread] = i;
    bool is_first = true;
    for (uint32_t t = 0; t < kMaxThreads; ++t)
      is_first &= t == e.thread || first[t] == kNone || e.past[t] <= first[t];
    if (is_first) initials |= 1u << e.thread;
  }
  return initials;
}

bool Trace::races_with_latest_store(Object object, bool writes, bool seq_cst, uint32_t* age) {
  const Known* known = objects_.find(object);
  if (known == nullptr || known->write == kNone) return false;
  const uint32_t store = known->write;
  if (thread_of(store) == thread_ || knows(past_of_[thread_], store)) return false;
  // A read of it lies in between, or a fence, or another seq_cst access.
  if (writes && known->readers != 0) return false;
  if (seq_cst) {
    for (const Object o : {kScOrder, sc_mark_of(object)}) {
      const Known* k = objects_.find(o);
      if (k == nullptr) continue;
      if (k->write != kNone && k->write != store && knows(events_[k->write].past, store))
        return false;
      if (o != kScOrder && k->readers != 0) return false;
    }
  }
  *age = known->age;
  return true;
}

}  // namespace sched

// SPDX-License-Identifier: Apache-2.0
// One execution as an exhaustive search sees it: its segments (exploration.h) in the order of their
// happening, which of them depend on which, and what of that could have been otherwise.
//
// Two segments are in order if they are of one thread, touch one object that one of them writes, or if one
// let the other's thread run; and so on transitively. A race is two in order with nothing in between.
#ifndef LASTPUT_SCHED_TRACE_H_
#define LASTPUT_SCHED_TRACE_H_

#include <array>
#include <cstdint>
#include <vector>

#include "sched/exploration.h"

namespace sched {

struct Access {
  Object object;
  bool writes;
};
using Footprint = std::vector<Access>;

void add_access(Footprint& to, Access access);
bool conflict(const Footprint& a, const Footprint& b);

// What is kept of each object in one execution; clear() is cheap, and keeps the memory.
// REQUIRES of T: reset().
template <class T>
class ObjectMap {
 public:
  ObjectMap() : slots_(1024) {}
  void clear() {
    ++stamp_;
    count_ = 0;
  }
  T* find(Object object) {
    Slot& slot = slot_of(object);
    return slot.stamp == stamp_ ? &slot.value : nullptr;
  }
  T& operator[](Object object) {
    if (count_ * 2 >= slots_.size()) grow();
    Slot& slot = slot_of(object);
    if (slot.stamp != stamp_) {
      slot.stamp = stamp_;
      slot.object = object;
      slot.value.reset();
      ++count_;
    }
    return slot.value;
  }
  template <class F>
  void for_each(F f) {
    for (Slot& slot : slots_)
      if (slot.stamp == stamp_) f(slot.object, slot.value);
  }

 private:
  struct Slot {
    uint64_t stamp = 0;
    Object object = 0;
    T value;
  };
  Slot& slot_of(Object object) {
    size_t i = object * 0x9E3779B97F4A7C15u >> 32;
    while (slots_[i & (slots_.size() - 1)].stamp == stamp_ &&
           slots_[i & (slots_.size() - 1)].object != object)
      ++i;
    return slots_[i & (slots_.size() - 1)];
  }
  void grow() {
    std::vector<Slot> old(slots_.size() * 2);
    old.swap(slots_);
    for (Slot& slot : old)
      if (slot.stamp == stamp_) slot_of(slot.object) = std::move(slot);
  }
  std::vector<Slot> slots_;
  uint64_t stamp_ = 1;
  size_t count_ = 0;
};

// Segments are numbered from 0; kNone is no segment.
inline constexpr uint32_t kNone = UINT32_MAX;

class Trace {
 public:
  void begin();

  // --- What the open segment does
  void open(uint32_t thread);
  void touch(Object object, bool writes) { add_access(open_, {object, writes}); }
  void lock(Object object, LockStep step);  // beside its touch
  void store(Object object, uint32_t age);
  void lets_run(uint32_t thread);
  void learns_of(uint32_t thread);  // all that it has done
  void exits() { exits_ = true; }
  void blocks(WaitFor what, const void* key, bool timed);

  // Ends the open segment, and finds its races: *with gets the earlier segments.
  void close(std::vector<uint32_t>* with);
  // What the segment that was closed last touched; of one that only waits, what it waits for.
  const Footprint& footprint() const { return closed_; }
  // It changed nothing: its thread waits for a lock, a thread's end or the like. It is in no order with
  // others, as if it had come when the wait was over.
  bool only_waited() const { return events_.back().only_waits; }
  bool exited() const { return exits_; }
  bool wrote() const;

  uint32_t size() const { return static_cast<uint32_t>(events_.size()); }
  uint32_t thread_of(uint32_t segment) const { return events_[segment].thread; }
  // The threads of which one must come first, where `earlier` comes after `later`: the first of what
  // is not in order after `earlier`, with `later` (Abdulla et al., POPL 2014: initials of v).
  uint32_t initials(uint32_t earlier, uint32_t later) const;

  // Whether the latest store of the object is in a race with an access of it by the open segment; then
  // *age is that store's.
  bool races_with_latest_store(Object object, bool writes, bool seq_cst, uint32_t* age);

 private:
  using Past = std::array<uint32_t, kMaxThreads>;  // 1 + the latest segment of each thread; 0: none
  struct Event {
    uint32_t thread;
    bool only_waits;
    Past past;
  };
  struct Known {                              // of an object
    uint32_t write;                           // the latest segment that wrote it
    uint32_t holder;                          // lock: the segment that took it last
    bool given_back;                          // by `write`
    uint32_t age;                             // of the store that was executed last
    std::array<uint32_t, kMaxThreads> reads;  // the latest of each reader since then
    uint32_t readers;                         // as bits
    void reset() {
      write = holder = kNone;
      given_back = false;
      age = 0;
      readers = 0;
    }
  };

  bool knows(const Past& past, uint32_t segment) const {
    return past[events_[segment].thread] > segment;
  }
  void collect(const Access& access);
  void add_candidate(uint32_t direct, uint32_t instead_of);
  bool waits_only() const;
  void update_objects(uint32_t segment);
  void join(Past& past, const Past& other) const {
    for (unsigned t = 0; t < kMaxThreads; ++t)
      if (other[t] > past[t]) past[t] = other[t];
  }

  std::vector<Event> events_;
  std::array<Past, kMaxThreads> past_of_;  // what each thread's next segment comes after
  ObjectMap<Known> objects_;

  uint32_t thread_ = 0;  // of the open segment
  Footprint open_, closed_;
  std::vector<std::pair<Object, LockStep>> locks_;
  std::vector<std::pair<Object, uint32_t>> stores_;  // age
  uint32_t let_run_ = 0;                             // threads, as bits
  bool exits_ = false, waits_ = false, wait_lock_ = false;
  Object waits_for_ = 0;

  struct Candidate {
    uint32_t direct;    // a segment that the open one directly comes after
    uint32_t reversed;  // the one to come before instead
  };
  std::vector<Candidate> candidates_;
};

}  // namespace sched

#endif  // LASTPUT_SCHED_TRACE_H_

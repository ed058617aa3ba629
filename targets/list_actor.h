// SPDX-License-Identifier: Apache-2.0
// The lists of one execution; what one thread does with them, and the references that it holds. Every call
// is legal at any time, but put and give, which need a reference that the thread holds.
//
// Checked, beside what free checks (element_list.cc):
//   synchronize    who was an RCU reader when it was called has left                          U1
//   rcu_call       the same when its callback runs, once and after the thread's earlier ones  U1, U4
//   barrier        the callbacks that the thread has queued have run                          U5
//   the end        every element was freed                                                    R3
#ifndef LASTPUT_TARGETS_LIST_ACTOR_H_
#define LASTPUT_TARGETS_LIST_ACTOR_H_

#include <array>
#include <atomic>
#include <memory>
#include <optional>

#include "targets/element_list.h"

namespace targets {

// Fails if somebody is a reader who was so at the marks.
void check_readers(const ReaderMarks& readers, const char* event);

// References that a thread holds; no operation takes more than one.
struct HeldElements {
  std::array<Element*, kMaxOperations> elements;
  unsigned count = 0;
};

// What the threads share, and main before and after them.
struct Lists {
  explicit Lists(const Program& p) : program(p) {}
  // REQUIRES: no threads yet.
  void make(percpu::Domain& domain);
  // main empties every list, and puts what threads have left.
  void end();

  const Program& program;
  std::optional<percpu::Rcu> rcu;  // none: no lists, or no memory for it
  std::array<std::unique_ptr<List>, kMaxLists> lists;
  std::array<std::array<std::atomic<Element*>, kMaxThreads>, kMaxLists> mailboxes = {};
  std::array<std::array<HeldElements, kMaxThreads>, kMaxLists> leftovers;  // read after join

 private:
  void put_leftovers(unsigned list);
  void barrier();
};

class ListActor {
 public:
  ListActor(Lists& lists, unsigned index) : shared_(lists), index_(index) {}

  // False: the thread may not make this call now. `operation`: the number of `op`, from 0.
  bool apply(const Operation& op, unsigned operation);
  void wind_down();

 private:
  bool apply_to(List& list, const Operation& op, unsigned operation);
  bool get(List& list, const Operation& op);
  bool put(unsigned list, unsigned operation);
  bool give(unsigned list, unsigned to);
  bool take(unsigned list);
  bool keep(unsigned list, Element* element);
  bool synchronize();
  bool call();
  bool barrier();

  Lists& shared_;
  const unsigned index_;
  std::array<HeldElements, kMaxLists> held_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_LIST_ACTOR_H_

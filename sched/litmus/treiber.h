// SPDX-License-Identifier: Apache-2.0
// A stack as a linked list; what is popped is freed when no hazard pointer names it.
// Source: R. K. Treiber, "Systems programming: coping with parallelism", IBM RJ 5118, 1986;
// M. M. Michael, "Hazard pointers: safe memory reclamation for lock-free objects", TPDS 15(6), 2004.
#ifndef LASTPUT_SCHED_LITMUS_TREIBER_H_
#define LASTPUT_SCHED_LITMUS_TREIBER_H_

#include <atomic>
#include <utility>

#include "sched/litmus/weaken.h"

namespace litmus {

enum class TreiberDefect {
  kNone,
  kFreesAtOnce,     // looks at no hazard pointer: use after free, and ABA where memory is reused
  kNoRecheck,       // the node may be freed before it is named
  kUnnamesEarly,    // takes the name away before the node is read
  kNoReaderFence,   // the recheck may be older than the naming looks to others
  kNoScanFence,     // the scan may be older than the removal looks to others
  kRelaxedHazard,   // what was read of a node is not ordered before its free
  kRelaxedScan,     // the same, by the scan's fault
  kRelaxedPush,     // a node may be seen before it is written
  kRelaxedRecheck,  // the same, by the reader's fault
};

template <TreiberDefect kDefect, unsigned kThreads>
class TreiberStack {
 public:
  TreiberStack() = default;
  TreiberStack(const TreiberStack&) = delete;
  TreiberStack& operator=(const TreiberStack&) = delete;
  // REQUIRES: ordered after all other calls.
  ~TreiberStack() {
    // relaxed: nobody else is here any more.
    for (Node* node = top_.load(kRlx); node != nullptr;)
      delete std::exchange(node, node->next.load(kRlx));
    for (Node* node : retired_)
      while (node != nullptr) delete std::exchange(node, node->below_retired);
  }

  void push(int value) {
    // relaxed: what is below the new node is not looked at.
    Node* below = top_.load(kRlx);
    Node* const node = new Node{value, below};
    // sync[treiber] release: who finds the node on top finds it written. Each later change of the
    // top is a read-modify-write, so that holds for the nodes below too.
    while (!top_.compare_exchange_weak(
        below, node, relaxed_if(kDefect == TreiberDefect::kRelaxedPush, kRel), kRlx))
      node->next.store(below, kRlx);
  }

  // Whether there was a value. `me` < kThreads: a number of the calling thread's own.
  bool pop(unsigned me, int* value) {
    for (;;) {
      Node* const node = protect_top(me);
      if (node == nullptr) return false;
      if (kDefect == TreiberDefect::kUnnamesEarly) name(me, nullptr);
      Node* top = node;
      // relaxed: the acquire that found the node covers its `next`, and this publishes nothing.
      if (!top_.compare_exchange_strong(top, node->next.load(kRlx), kRlx, kRlx)) continue;
      *value = node->value;
      name(me, nullptr);
      retire(me, node);
      return true;
    }
  }

 private:
  struct Node {
    int value;
    // Atomic for kRelaxedPush's sake: a compiler may move a plain store past a relaxed exchange
    // (clang takes it out of the loop), and then that defect is more than one of orders.
    std::atomic<Node*> next;
    Node* below_retired = nullptr;  // not `next`, which others may still read
  };

  void name(unsigned me, Node* node) {
    // sync[hazard] release: what was read of the node named before is read before its free. It is
    // needed when another node is named, too: a relaxed store would end the release sequence.
    hazards_[me].store(node, relaxed_if(kDefect == TreiberDefect::kRelaxedHazard, kRel));
  }

  // The top, named by this thread's hazard pointer while it was the top.
  Node* protect_top(unsigned me) {
    constexpr auto kOrder = relaxed_if(kDefect == TreiberDefect::kRelaxedRecheck, kAcq);
    // sync[treiber] acquire: the node is written.
    Node* node = top_.load(kAcq);
    for (;;) {
      name(me, node);
      if (kDefect == TreiberDefect::kNoRecheck) return node;
      // sync[hazard_fence] seq_cst: either the recheck sees that the node was removed, or the scan
      // after its removal sees its name; otherwise it is freed while it is read.
      fence_unless(kDefect == TreiberDefect::kNoReaderFence, kSc);
      // sync[treiber] acquire: the node is written; it may be another one at the same address.
      Node* const again = top_.load(kOrder);
      if (again == node) return node;
      node = again;
    }
  }

  bool is_named(const Node* node) const {
    for (const auto& hazard : hazards_)
      // sync[hazard] acquire: what others have read of the node is read before its free.
      if (hazard.load(relaxed_if(kDefect == TreiberDefect::kRelaxedScan, kAcq)) == node)
        return true;
    return false;
  }

  // Frees what this thread has retired and nobody names.
  void retire(unsigned me, Node* node) {
    node->below_retired = std::exchange(retired_[me], node);
    // sync[hazard_fence] seq_cst: see protect_top.
    fence_unless(kDefect == TreiberDefect::kNoScanFence, kSc);
    for (Node** link = &retired_[me]; *link != nullptr;) {
      if (kDefect != TreiberDefect::kFreesAtOnce && is_named(*link))
        link = &(*link)->below_retired;
      else
        delete std::exchange(*link, (*link)->below_retired);
    }
  }

  std::atomic<Node*> top_ = nullptr;
  std::atomic<Node*> hazards_[kThreads] = {};
  Node* retired_[kThreads] = {};
};

}  // namespace litmus

#endif  // LASTPUT_SCHED_LITMUS_TREIBER_H_

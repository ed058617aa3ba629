// SPDX-License-Identifier: Apache-2.0
// A list whose readers and writers share a lock, with references by rcuref form (1).
//
// Values are found by key; what find answers stays until put, also when it was removed meanwhile.
#ifndef PERCPU_CORE_EXAMPLES_LOCKED_LIST_H_
#define PERCPU_CORE_EXAMPLES_LOCKED_LIST_H_

#include <mutex>
#include <shared_mutex>

#include "core/domain.h"
#include "core/rcuref_locked.h"

namespace percpu_example {

template <typename Value>
class LockedList {
 public:
  struct Node : percpu::LockedRefs::Element {
    explicit Node(int k) : key(k), value(k) {}
    const int key;
    Value value;
    Node* next = nullptr;
  };

  explicit LockedList(percpu::Domain& domain) : refs_(domain, &free) {}
  // REQUIRES: nobody is in a call, and no reference is held.
  ~LockedList() {
    while (first_ != nullptr) remove(first_->key);
  }

  void add(int key) {
    Node* node = new Node(key);
    refs_.init(*node);
    std::unique_lock lock(lock_);
    node->next = first_;
    first_ = node;
  }

  Node* find(int key) {
    std::shared_lock lock(lock_);
    Node* node = first_;
    while (node != nullptr && node->key != key) node = node->next;
    // Listed, and the lock keeps it so: the initial reference is held.
    if (node != nullptr) refs_.get(*node);
    return node;
  }
  void put(Node* node) { refs_.put(*node); }

  bool remove(int key) {
    Node* const node = unlink(key);
    if (node != nullptr) refs_.drop_initial(*node);
    return node != nullptr;
  }

 private:
  static void free(percpu::LockedRefs::Element& element) { delete static_cast<Node*>(&element); }

  Node* unlink(int key) {
    std::unique_lock lock(lock_);
    Node** link = &first_;
    while (*link != nullptr && (*link)->key != key) link = &(*link)->next;
    Node* const node = *link;
    if (node != nullptr) *link = node->next;
    return node;
  }

  percpu::LockedRefs refs_;
  std::shared_mutex lock_;
  Node* first_ = nullptr;
};

}  // namespace percpu_example

#endif  // PERCPU_CORE_EXAMPLES_LOCKED_LIST_H_

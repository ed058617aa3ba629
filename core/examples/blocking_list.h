// SPDX-License-Identifier: Apache-2.0
// A list whose readers take no lock, with references by rcuref form (4): what a reader comes to, it
// can have, and whoever removes waits.
//
// Values are found by key; what find answers stays until put, also when it was removed meanwhile.
#ifndef PERCPU_CORE_EXAMPLES_BLOCKING_LIST_H_
#define PERCPU_CORE_EXAMPLES_BLOCKING_LIST_H_

#include <atomic>
#include <mutex>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/rcuref_blocking.h"

namespace percpu_example {

template <typename Value>
class BlockingList {
 public:
  struct Node : percpu::BlockingRefs::Element {
    explicit Node(int k) : key(k), value(k) {}
    const int key;
    Value value;
    std::atomic<Node*> next = nullptr;
  };

  explicit BlockingList(percpu::Domain& domain) : rcu_(domain), refs_(domain, &free) {}
  // REQUIRES: nobody is in a call, and no reference is held.
  ~BlockingList() {
    while (Node* node = load(first_)) remove(node->key);
  }

  void add(int key) {
    Node* node = new Node(key);
    refs_.init(*node);
    std::lock_guard lock(update_lock_);
    // relaxed: nobody else sees the node yet.
    node->next.store(load(first_), std::memory_order_relaxed);
    store(first_, node);
  }

  Node* find(int key) {
    percpu::RcuReader reader(rcu_);
    Node* const node = search(key);
    // Its initial reference stays for as long as this reader does.
    if (node != nullptr) refs_.get(*node);
    return node;
  }
  void put(Node* node) { refs_.put(*node); }

  // MAY BLOCK: not in a reader, nor in a callback.
  bool remove(int key) {
    Node* const node = unlink(key);
    if (node != nullptr) refs_.drop_initial(*node);
    return node != nullptr;
  }

 private:
  static void free(percpu::BlockingRefs::Element& element) { delete static_cast<Node*>(&element); }

  using Link = std::atomic<Node*>;
  // sync[list] acquire: whoever comes to a node sees it initialised.
  static Node* load(const Link& link) { return link.load(std::memory_order_acquire); }
  // sync[list] release: the node is initialised before anybody comes to it.
  static void store(Link& link, Node* node) { link.store(node, std::memory_order_release); }

  // In a reader, or under the update lock.
  Node* search(int key) const {
    Node* node = load(first_);
    while (node != nullptr && node->key != key) node = load(node->next);
    return node;
  }
  // What is taken off the list still leads on to the rest: readers may be at it.
  Node* unlink(int key) {
    std::lock_guard lock(update_lock_);
    Link* link = &first_;
    Node* node = load(*link);
    while (node != nullptr && node->key != key) {
      link = &node->next;
      node = load(*link);
    }
    if (node != nullptr) store(*link, load(node->next));
    return node;
  }

  percpu::Rcu rcu_;
  percpu::BlockingRefs refs_;
  std::mutex update_lock_;
  Link first_ = nullptr;
};

}  // namespace percpu_example

#endif  // PERCPU_CORE_EXAMPLES_BLOCKING_LIST_H_

// SPDX-License-Identifier: Apache-2.0
// Takes refs and RCU callbacks through all that they do, on real threads, without a test framework:
// for processors that have none installed. Prints what it checked; the first check that fails
// aborts. With an argument, that must be what why_no_sections says ("" for nothing).
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/ref.h"

#define CHECK(condition)                                                           \
  do {                                                                             \
    if (!(condition)) {                                                            \
      std::fprintf(stderr, "%s:%d: not so: %s\n", __FILE__, __LINE__, #condition); \
      std::abort();                                                                \
    }                                                                              \
  } while (false)

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Ref;
using percpu::Status;

constexpr unsigned kThreads = 3;

std::atomic<unsigned> misuses = 0;

percpu::DomainOptions counting_misuse() {
  percpu::DomainOptions options;
  options.misuse = [](const percpu::Misuse&, void*) { ++misuses; };
  return options;
}

struct Object : Ref {
  std::atomic<unsigned> releases = 0, confirms = 0;
  unsigned written[kThreads] = {};  // plain: what precedes a put is visible to release
  unsigned seen = 0;

  Object(Domain& domain, Flags flags) { CHECK(init(domain, released, flags) == Status::kOk); }
  static void released(Ref& ref) {
    auto& self = static_cast<Object&>(ref);
    self.seen = 0;
    for (const unsigned n : self.written) self.seen += n;
    ++self.releases;
  }
  static void confirmed(Ref& ref) { ++static_cast<Object&>(ref).confirms; }
};

template <typename Work>
void on_threads(Work work) {
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) threads.emplace_back([&work, i] { work(i); });
  for (std::thread& thread : threads) thread.join();
}

void one_life(Domain& domain) {
  Object object(domain, Flags::kNone);
  object.get();
  object.get_many(3);
  CHECK(object.tryget() && object.tryget_live());
  CHECK(!object.is_zero() && !object.is_dying());
  CHECK(object.kill_and_confirm(Object::confirmed));
  CHECK(!object.kill());
  domain.drain();
  CHECK(object.confirms == 1 && object.is_dying() && !object.tryget_live() && object.tryget());
  object.put_many(6);
  CHECK(object.releases == 0);
  object.put();
  CHECK(object.releases == 1 && object.is_zero() && !object.tryget());
  object.exit();
  object.put();
  CHECK(misuses.exchange(0) == 1);
}

void there_and_back(Domain& domain) {
  Object object(domain, Flags::kAllowReinit);
  object.get_many(4);
  CHECK(object.switch_to_atomic_sync());
  object.put();
  CHECK(object.switch_to_percpu());
  object.put();
  CHECK(object.kill() && object.resurrect());
  CHECK(!object.is_dying() && object.tryget_live());
  CHECK(object.kill());
  domain.drain();
  object.put_many(3);
  CHECK(object.releases == 1 && object.reinit());
  CHECK(object.switch_to_atomic(Object::confirmed));
  domain.drain();
  CHECK(object.confirms == 1 && object.kill() && object.releases == 2);
}

// Threads get and put while another switches; nothing is lost, and release sees all that they
// wrote.
void switches_meanwhile(Domain& domain) {
  constexpr unsigned kRounds = 20000, kSwitches = 30;
  Object object(domain, Flags::kAllowReinit);
  std::thread switching([&] {
    for (unsigned i = 0; i < kSwitches; ++i) {
      CHECK(object.switch_to_atomic_sync() && object.switch_to_percpu());
    }
  });
  on_threads([&](unsigned thread) {
    for (unsigned i = 0; i < kRounds; ++i) {
      object.get_many(3);
      object.put_many(2);
    }
    object.written[thread] = thread + 1;
    object.put_many(kRounds);
  });
  switching.join();
  CHECK(object.releases == 0 && object.kill());
  domain.drain();
  CHECK(object.releases == 1 && object.seen == 1 + 2 + 3 && object.is_zero());
}

// Readers follow a pointer that is replaced; what they find is freed only when they have left.
struct Node : percpu::RcuHead {
  explicit Node(std::atomic<unsigned>& counter) : freed(counter) {}
  std::atomic<unsigned>& freed;
  std::atomic<bool> alive = true;
  static void free(percpu::RcuHead& head) {
    auto* const node = static_cast<Node*>(&head);
    node->alive = false;
    ++node->freed;
    delete node;
  }
};

void readers(Domain& domain) {
  constexpr unsigned kNodes = 300;
  percpu::Rcu rcu(domain);
  std::atomic<unsigned> freed = 0;
  std::atomic<Node*> current = new Node(freed);
  std::atomic<bool> stop = false;
  std::thread updater([&] {
    for (unsigned i = 1; i < kNodes; ++i) {
      // sync[list] acq_rel: who comes to a node sees it made; so does who frees the old one.
      Node* const old = current.exchange(new Node(freed), std::memory_order_acq_rel);
      CHECK(rcu.call(*old, Node::free));
    }
    stop = true;
  });
  on_threads([&](unsigned) {
    while (!stop) {
      percpu::RcuReader reader(rcu);
      // sync[list] acquire: as above.
      Node* const node = current.load(std::memory_order_acquire);
      std::this_thread::yield();
      CHECK(node->alive);
    }
  });
  updater.join();
  CHECK(rcu.synchronize() && rcu.call(*current.load(), Node::free) && rcu.barrier());
  CHECK(freed == kNodes);
}

}  // namespace

int main(int argc, char** argv) {
  {
    Domain domain(counting_misuse());
    one_life(domain);
    there_and_back(domain);
    switches_meanwhile(domain);
    readers(domain);
  }
  CHECK(misuses == 0);
  const char* const obstacle = percpu::platform::why_no_sections();
  const char* const words = obstacle == nullptr ? "" : obstacle;
  std::printf("a life, switches, threads and RCU; no sections because: %s\n",
              obstacle == nullptr ? "there are some" : obstacle);
  CHECK(argc < 2 || std::strcmp(argv[1], words) == 0);
}

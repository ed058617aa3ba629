// SPDX-License-Identifier: Apache-2.0
// A table of sessions: threads look them up and use them without a lock, while one thread replaces
// them. A session is gone when it was replaced, nobody uses it, and nobody can still come to it.
//
//   g++ -std=c++20 -O2 sessions.cc $(pkg-config --cflags --libs percpu-linux) -o sessions
#include <percpu/domain.h>
#include <percpu/rcu.h>
#include <percpu/ref.h>
#include <percpu/version.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <thread>
#include <vector>

namespace {

class Table;

struct Session : percpu::Ref, percpu::RcuHead {
  explicit Session(Table& owner) : table(owner) {}
  Table& table;
  std::atomic<bool> ended = false;
};

class Table {
 public:
  static constexpr unsigned kSlots = 8;

  Table() : rcu_(domain_) {}
  ~Table() {
    for (unsigned slot = 0; slot < kSlots; ++slot) put_in(slot, nullptr);
    domain_.drain();  // the sessions still on their way out
    if (made_ != gone_) std::abort();
  }

  // A session to use until put; null if the slot is empty or its session is on its way out.
  Session* find(unsigned slot) {
    percpu::RcuReader reader(rcu_);  // the session's memory stays meanwhile
    // sync[list] acquire: the session is seen as it was made.
    Session* const session = slots_[slot].load(std::memory_order_acquire);
    return session != nullptr && session->tryget_live() ? session : nullptr;
  }

  bool replace(unsigned slot) {
    auto* const session = new Session(*this);
    if (session->init(domain_, &Table::release) != percpu::Status::kOk) {
      delete session;
      return false;
    }
    ++made_;
    put_in(slot, session);
    return true;
  }

  unsigned made() const { return made_; }

 private:
  void put_in(unsigned slot, Session* session) {
    // sync[list] acq_rel: who finds the session sees it as it was made; so does who kills the old.
    Session* const old = slots_[slot].exchange(session, std::memory_order_acq_rel);
    if (old != nullptr) old->kill();
  }
  // The last reference has gone; a reader that was in find may still look at the session.
  static void release(percpu::Ref& ref) {
    auto& session = static_cast<Session&>(ref);
    session.ended = true;
    session.table.rcu_.call(session, &Table::free);
  }
  static void free(percpu::RcuHead& head) {
    auto* const session = static_cast<Session*>(&head);
    ++session->table.gone_;
    delete session;
  }

  percpu::Domain domain_;
  percpu::Rcu rcu_;
  std::array<std::atomic<Session*>, kSlots> slots_ = {};
  std::atomic<unsigned> made_ = 0;
  std::atomic<unsigned> gone_ = 0;
};

// Uses sessions until told to stop, and at least once.
unsigned long use(Table& table, const std::atomic<bool>& stop) {
  unsigned long used = 0;
  for (unsigned turn = 0; used == 0 || !stop; ++turn) {
    Session* const session = table.find(turn % Table::kSlots);
    if (session == nullptr) continue;
    if (session->ended) std::abort();  // released while it is held
    session->put();
    ++used;
  }
  return used;
}

}  // namespace

int main() {
  constexpr unsigned kThreads = 3, kReplacements = 2000;
  Table table;
  for (unsigned slot = 0; slot < Table::kSlots; ++slot) {
    if (!table.replace(slot)) return EXIT_FAILURE;
  }
  std::atomic<bool> stop = false;
  std::atomic<unsigned long> used = 0;
  std::vector<std::thread> threads;
  for (unsigned i = 0; i < kThreads; ++i) {
    threads.emplace_back([&] { used += use(table, stop); });
  }
  for (unsigned i = 0; i < kReplacements; ++i) {
    if (!table.replace(i % Table::kSlots)) return EXIT_FAILURE;
  }
  stop = true;
  for (std::thread& thread : threads) thread.join();
  const char* const obstacle = percpu::platform::why_no_sections();
  std::printf("percpu %s: %u sessions, used %s; counted %s%s\n", percpu::kVersion, table.made(),
              used >= kThreads ? "by all threads" : "too little",
              obstacle == nullptr ? "percpu" : "shared: ", obstacle == nullptr ? "" : obstacle);
}

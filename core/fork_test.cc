// SPDX-License-Identifier: Apache-2.0
// The table of domain.h for the child of a fork, row by row, and forks in the middle of everything.
//
// A child does its checks, and leaves by _exit, so that nothing of the test framework and no leak
// checker runs in it; a hang ends by SIGALRM.
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/manager.h"
#include "core/pool.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Manager;
using percpu::Pool;
using percpu::Rcu;
using percpu::RcuHead;
using percpu::RcuReader;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::kAddressSanitizer;
using percpu_test::kThreadSanitizer;
using percpu_test::MisuseLog;
using percpu_test::Reports;

constexpr unsigned kChildSeconds = 60;  // far more than any child needs

// In a child: ends it, and so fails the test.
#define CHILD_CHECK(condition)                                                             \
  do {                                                                                     \
    if (!(condition)) {                                                                    \
      dprintf(STDERR_FILENO, "%s:%d: in the child: %s\n", __FILE__, __LINE__, #condition); \
      _exit(1);                                                                            \
    }                                                                                      \
  } while (false)

// Whether all other threads of the process sleep.
bool others_sleep() {
  const std::string me = std::to_string(gettid());
  for (const auto& task : std::filesystem::directory_iterator("/proc/self/task")) {
    if (task.path().filename() == me) continue;
    std::string stat;
    std::getline(std::ifstream(task.path() / "stat"), stat);
    const size_t name_end = stat.rfind(')');  // then a blank, and the state
    if (name_end != std::string::npos && stat.compare(name_end + 2, 1, "S") != 0) return false;
  }
  return true;
}

// The allocator of ASan (clang 14) is not made ready for a fork: a thread that is just starting may hold
// one of its locks, and then a child that allocates hangs. So they get the time to start.
void let_threads_start() {
  if (!kAddressSanitizer) return;
  for (int i = 0; i < 100 && !others_sleep(); ++i) usleep(1000);
}

// Runs `child` in a fork. Answers "" if it came to its end, else what became of it.
template <typename Child>
std::string in_child(Child child) {
  let_threads_start();
  const pid_t pid = fork();
  if (pid == 0) {
    alarm(kChildSeconds);
    child();
    _exit(0);
  }
  if (pid < 0) return "no fork";
  int status = 0;
  if (waitpid(pid, &status, 0) != pid) return "no such child";
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return WEXITSTATUS(status) == 0 ? "" : "exit code " + std::to_string(WEXITSTATUS(status));
}

#define SKIP_WHERE_CHILDREN_HAVE_NO_THREADS() \
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer ends a forked child that starts a thread"

// In the child of a fork in a reader: RCU of a new domain works, or is refused (domain.h).
void expect_rcu_or_refusal() {
  MisuseLog log;
  Domain domain(log.options());
  try {
    Rcu rcu(domain);
    CHILD_CHECK(rcu.synchronize());
  } catch (const std::system_error&) {
    CHILD_CHECK(log.take() == Reports{"Rcu: fork_child"});
  }
}

// A domain whose worker is inside a callback until `release_worker`.
class ForkTest : public testing::Test {
 protected:
  ForkTest() : domain_(new Domain(log_.options())) {}

  void occupy_worker() {
    ASSERT_EQ(blocker_.init(*domain_, &CountedRef::release), Status::kOk);
    ASSERT_TRUE(blocker_.kill_and_confirm([](Ref&) {
      held_ = true;
      while (held_) std::this_thread::yield();
    }));
    while (!held_) std::this_thread::yield();
  }
  void release_worker() {
    held_ = false;
    domain_->drain();
    blocker_.exit();
  }
  Status init(CountedRef& ref, Flags flags = Flags::kNone) {
    return ref.init(*domain_, &CountedRef::release, flags);
  }

  static inline std::atomic<bool> held_ = false;
  MisuseLog log_;
  std::unique_ptr<Domain> domain_;
  CountedRef blocker_;
};

// init, get, put, exit and the domain's end.
TEST_F(ForkTest, LivesBeginAndEndInTheChild) {
  CountedRef before;
  ASSERT_EQ(init(before), Status::kOk);
  before.get_many(3);
  EXPECT_EQ(in_child([&] {
              CountedRef after;
              CHILD_CHECK(init(after) == Status::kOk);
              for (CountedRef* ref : {&before, &after}) {
                ref->get();
                ref->put();
                CHILD_CHECK(ref->tryget() && ref->tryget_live());
                ref->put_many(2);
                CHILD_CHECK(!ref->is_zero() && !ref->is_dying());
                ref->exit();
              }
              CHILD_CHECK(init(after) == Status::kOk);
              after.cancel_init();
              domain_->drain();
              domain_.reset();
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
  // The parent has noticed nothing, and its worker works.
  before.put_many(3);
  EXPECT_TRUE(before.kill());
  domain_->drain();
  EXPECT_EQ(before.releases, 1);
  before.exit();
  EXPECT_EQ(log_.take(), Reports{});
}

TEST_F(ForkTest, AtomicRefDoesEverythingInTheChild) {
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kInitAtomic), Status::kOk);
  EXPECT_EQ(in_child([&] {
              ref.get();
              CHILD_CHECK(ref.kill_and_confirm(&CountedRef::confirm));
              CHILD_CHECK(ref.confirms == 1 && ref.is_dying() && !ref.tryget_live());
              CHILD_CHECK(ref.resurrect() && !ref.is_dying());
              CHILD_CHECK(ref.switch_to_atomic(&CountedRef::confirm) && ref.confirms == 2);
              CHILD_CHECK(ref.switch_to_atomic_sync());
              CHILD_CHECK(ref.kill() && !ref.kill());
              ref.put();
              CHILD_CHECK(ref.releases == 1 && ref.is_zero());
              CHILD_CHECK(ref.reinit());
              ref.put();
              CHILD_CHECK(ref.releases == 2);
              ref.exit();
              domain_.reset();
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
  ref.exit();
}

TEST_F(ForkTest, PercpuRefIsNotSwitchedInTheChild) {
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kAllowReinit), Status::kOk);
  EXPECT_EQ(
      in_child([&] {
        CHILD_CHECK(!ref.kill());
        CHILD_CHECK(!ref.kill_and_confirm(&CountedRef::confirm));
        CHILD_CHECK(!ref.switch_to_atomic(&CountedRef::confirm));
        CHILD_CHECK(!ref.switch_to_atomic_sync());
        CHILD_CHECK(log_.take() ==
                    (Reports{"kill: fork_child", "kill_and_confirm: fork_child",
                             "switch_to_atomic: fork_child", "switch_to_atomic_sync: fork_child"}));
        // Nothing has changed.
        CHILD_CHECK(!ref.is_dying() && ref.tryget_live() && ref.confirms == 0);
        CHILD_CHECK(ref.switch_to_percpu());
        ref.put();
        ref.exit();
        domain_.reset();
        CHILD_CHECK(log_.take() == Reports{});
      }),
      "");
  ref.exit();
}

// Visits need a grace period; refs are managed all the same.
TEST_F(ForkTest, NoManagerComesInTheChild) {
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kManaged), Status::kOk);
  Manager manager(*domain_);
  ASSERT_EQ(manager.start(), Status::kOk);
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(!manager.running() && manager.stop());
              CHILD_CHECK(manager.start() == Status::kRefused);
              CHILD_CHECK(manager.scan_once() == percpu::Scan{});
              CHILD_CHECK(log_.take() == (Reports{"Manager::start: fork_child",
                                                  "Manager::scan_once: fork_child"}));
              CountedRef fresh;
              CHILD_CHECK(init(fresh, Flags::kInitAtomic) == Status::kOk);
              CHILD_CHECK(fresh.switch_to_managed());
              for (CountedRef* managed : {&ref, &fresh}) {
                managed->get();
                managed->put();
                managed->exit();
              }
              domain_.reset();
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
  EXPECT_TRUE(manager.running());
  ref.put();
  EXPECT_EQ(manager.scan_once().released, 1u);
}

// A ref that the manager is releasing at the fork, and one whose turn is next.
TEST_F(ForkTest, VisitedRefsStayWithTheManagerOfTheParent) {
  Manager manager(*domain_);
  CountedRef first, second;
  for (CountedRef* ref : {&first, &second}) {
    ASSERT_EQ(init(*ref, Flags::kManaged), Status::kOk);
    ref->in_release = [](CountedRef&) {
      held_ = true;
      while (held_) std::this_thread::yield();
    };
    ref->put();
  }
  std::thread scanner([&] { EXPECT_EQ(manager.scan_once().released, 2u); });
  while (!held_) std::this_thread::yield();
  EXPECT_EQ(
      in_child([&] {
        CountedRef& next = first.releases == 0 ? first : second;
        next.exit();
        CHILD_CHECK(!next.reinit());
        CHILD_CHECK(log_.take() == (Reports{"exit: exit_during_switch", "reinit: fork_child"}));
        CHILD_CHECK(next.releases == 0 && next.is_dying());
      }),
      "");
  held_ = false;
  while (!held_) std::this_thread::yield();
  held_ = false;
  scanner.join();
  EXPECT_EQ(first.releases + second.releases, 2);
}

// A ref that goes to percpu mode in the child stays there.
TEST_F(ForkTest, AtomicRefMayGoPercpuInTheChild) {
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kInitAtomic), Status::kOk);
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(ref.switch_to_percpu());
              ref.get_many(5);
              ref.put_many(5);
              CHILD_CHECK(!ref.kill());
              CHILD_CHECK(log_.take() == Reports{"kill: fork_child"});
              ref.exit();
            }),
            "");
  ref.exit();
}

TEST_F(ForkTest, PendingSwitchStaysPendingInTheChild) {
  occupy_worker();
  CountedRef dying, switching;
  ASSERT_EQ(init(dying, Flags::kAllowReinit), Status::kOk);
  ASSERT_EQ(init(switching, Flags::kAllowReinit), Status::kOk);
  dying.get();
  ASSERT_TRUE(dying.kill_and_confirm(&CountedRef::confirm));
  ASSERT_TRUE(switching.switch_to_atomic(&CountedRef::confirm));
  EXPECT_EQ(
      in_child([&] {
        dying.get();
        CHILD_CHECK(dying.tryget() && !dying.tryget_live() && dying.is_dying());
        dying.put_many(3);
        CHILD_CHECK(!dying.is_zero() && dying.releases == 0);
        CHILD_CHECK(!dying.kill());
        CHILD_CHECK(log_.take() == Reports{});
        CHILD_CHECK(!dying.resurrect() && !dying.reinit());
        CHILD_CHECK(!switching.switch_to_percpu() && !switching.switch_to_atomic());
        CHILD_CHECK(!switching.kill() && !switching.is_dying());
        CHILD_CHECK(log_.take() == (Reports{"resurrect: fork_child", "reinit: fork_child",
                                            "switch_to_percpu: fork_child",
                                            "switch_to_atomic: fork_child", "kill: fork_child"}));
        dying.exit();
        switching.cancel_init();
        CHILD_CHECK(log_.take() ==
                    (Reports{"exit: exit_during_switch", "cancel_init: exit_during_switch"}));
        domain_->drain();
        CHILD_CHECK(log_.take() == Reports{"drain: fork_child"});
        dying.~CountedRef();  // does not wait
        CHILD_CHECK(log_.take() == Reports{"~Ref: exit_during_switch"});
        domain_.reset();
        CHILD_CHECK(log_.take() == (Reports{"~Domain: ref_not_exited", "~Domain: ref_not_exited",
                                            "~Domain: ref_not_exited"}));
        CHILD_CHECK(dying.confirms == 0 && switching.confirms == 0);
      }),
      "");
  release_worker();
  EXPECT_EQ(dying.confirms, 1);
  EXPECT_EQ(switching.confirms, 1);
  dying.put();
  EXPECT_EQ(dying.releases, 1);
  EXPECT_EQ(log_.take(), Reports{});
}

// A kill that waits for its turn belongs to its thread, not to a switch; and nobody is waiting in
// the child who could be told of what happens there.
TEST_F(ForkTest, WaitingKillIsNotWaitedForInTheChild) {
  CountedRef ref, atomic;
  ASSERT_EQ(init(ref, Flags::kAllowReinit), Status::kOk);
  ASSERT_EQ(init(atomic, Flags::kInitAtomic), Status::kOk);
  occupy_worker();
  ASSERT_TRUE(ref.switch_to_atomic());
  std::thread killer([&] { EXPECT_TRUE(ref.kill()); });
  while (!ref.is_dying()) std::this_thread::yield();
  ref.get();
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(!ref.resurrect());
              CHILD_CHECK(log_.take() == Reports{"resurrect: fork_child"});
              CHILD_CHECK(!ref.kill());
              ref.exit();
              CHILD_CHECK(log_.take() == Reports{"exit: exit_during_switch"});
              for (int life = 0; life < 5; ++life) {
                CHILD_CHECK(atomic.kill() && atomic.reinit());
              }
            }),
            "");
  release_worker();
  killer.join();
  ref.put();
  EXPECT_EQ(ref.releases, 1);
}

// Condition variables that threads of the parent wait on are none that the child can use.
TEST_F(ForkTest, SwitchesOfTheChildAreWaitedForInTheChild) {
  SKIP_WHERE_CHILDREN_HAVE_NO_THREADS();
  static std::atomic<int> inside;
  static std::atomic<bool> open;
  CountedRef ref, atomic;
  ASSERT_EQ(init(ref, Flags::kAllowReinit), Status::kOk);
  ASSERT_EQ(init(atomic, Flags::kInitAtomic), Status::kOk);
  occupy_worker();
  ASSERT_TRUE(ref.switch_to_atomic());
  std::thread waiter([&] { EXPECT_TRUE(ref.switch_to_atomic()); });
  usleep(10000);  // it waits
  EXPECT_EQ(in_child([&] {
              for (int round = 1; round <= 3; ++round) {
                open = false;
                std::thread switcher([&] {
                  CHILD_CHECK(atomic.switch_to_atomic([](Ref&) {
                    ++inside;
                    while (!open) std::this_thread::yield();
                  }));
                });
                while (inside != round) std::this_thread::yield();
                std::thread next([&] { CHILD_CHECK(atomic.switch_to_atomic()); });
                usleep(10000);  // it waits
                open = true;
                switcher.join();
                next.join();
              }
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
  release_worker();
  waiter.join();
}

// What the forking thread itself was in the middle of goes on: here a callback inside its put.
TEST_F(ForkTest, CallbackInThePutOfTheForkingThreadGoesOn) {
  static pid_t child;
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kInitAtomic), Status::kOk);
  ref.in_confirm = [](CountedRef&) { child = fork(); };
  ref.in_release = [](CountedRef& self) { self.exit(); };
  EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
  if (child == 0) {
    alarm(kChildSeconds);
    CHILD_CHECK(ref.confirms == 1 && ref.releases == 1);
    domain_.reset();
    CHILD_CHECK(log_.take() == Reports{});
    _exit(0);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_EQ(ref.releases, 1);
}

TEST_F(ForkTest, WorkersCallbackMayForkAndExit) {
  static int status;
  CountedRef ref;
  ASSERT_EQ(init(ref), Status::kOk);
  ref.in_release = [](CountedRef&) {
    const pid_t pid = fork();
    if (pid == 0) _exit(7);
    waitpid(pid, &status, 0);
  };
  EXPECT_TRUE(ref.kill());
  domain_->drain();
  EXPECT_EQ(WEXITSTATUS(status), 7);
}

struct CountedHead : RcuHead {
  std::atomic<int> calls = 0;
  static void callback(RcuHead& head) { ++static_cast<CountedHead&>(head).calls; }
};

TEST_F(ForkTest, RcuOfTheParentIsForReadersOnly) {
  Rcu rcu(*domain_);
  EXPECT_EQ(in_child([&] {
              Rcu same(*domain_);
              { RcuReader reader(same); }
              CHILD_CHECK(rcu.barrier());  // nothing to wait for
              domain_->drain();
              CHILD_CHECK(log_.take() == Reports{});
              CountedHead head;
              CHILD_CHECK(!rcu.call(head, &CountedHead::callback));
              CHILD_CHECK(!rcu.synchronize());
              CHILD_CHECK(log_.take() == (Reports{"call: fork_child", "synchronize: fork_child"}));
              domain_.reset();
              CHILD_CHECK(head.calls == 0 && log_.take() == Reports{});
            }),
            "");
  EXPECT_TRUE(rcu.synchronize());
}

TEST_F(ForkTest, RcuCallbacksThatWereQueuedDoNotRunInTheChild) {
  Rcu rcu(*domain_);
  std::atomic<bool> inside = false, leave = false;
  std::thread reader_thread([&] {
    RcuReader reader(rcu);
    inside = true;
    while (!leave) std::this_thread::yield();
  });
  while (!inside) std::this_thread::yield();
  CountedHead head;
  // Forks while the worker may be waiting for the reader, which must not wait for the fork.
  ASSERT_TRUE(rcu.call(head, &CountedHead::callback));
  std::thread opener([&] {
    usleep(20000);
    leave = true;
  });
  const std::string end = in_child([&] {
    if (head.calls != 0) _exit(0);  // liburcu made the fork wait for the reader
    CHILD_CHECK(!rcu.barrier());
    CHILD_CHECK(!rcu.call(head, &CountedHead::callback));
    domain_->drain();
    CHILD_CHECK(log_.take() ==
                (Reports{"barrier: fork_child", "call: fork_child", "drain: fork_child"}));
    domain_.reset();
    CHILD_CHECK(head.calls == 0 && log_.take() == Reports{});
  });
  EXPECT_EQ(end, "");
  opener.join();
  reader_thread.join();
  EXPECT_TRUE(rcu.barrier());
  EXPECT_EQ(head.calls, 1);
}

TEST_F(ForkTest, FirstRcuOfAnInheritedDomainIsRefused) {
  EXPECT_EQ(in_child([&] {
              bool refused = false;
              try {
                Rcu rcu(*domain_);
              } catch (const std::system_error& error) {
                refused = error.code() == std::errc::operation_not_permitted;
              }
              CHILD_CHECK(refused);
              CHILD_CHECK(log_.take() == Reports{"Rcu: fork_child"});
              domain_.reset();
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
}

// A grace period waits for the forking thread, which must not wait for the grace period.
TEST_F(ForkTest, ReaderMayFork) {
  Rcu rcu(*domain_);
  CountedRef ref;
  ASSERT_EQ(init(ref), Status::kOk);
  const Rcu::Token token = rcu.read_lock();
  std::thread writer([&] { EXPECT_TRUE(rcu.synchronize()); });
  for (int i = 0; i < 4; ++i) {
    usleep(5000);  // the writer comes to wait
    EXPECT_EQ(in_child([&] {
                {
                  RcuReader nested(rcu);
                  ref.get();
                }
                CHILD_CHECK(!rcu.synchronize());
                CHILD_CHECK(log_.take() == Reports{"synchronize: wait_in_reader"});
                rcu.read_unlock(token);
                CHILD_CHECK(!rcu.synchronize());
                CHILD_CHECK(log_.take() == Reports{"synchronize: fork_child"});
                ref.put();
                ref.exit();
                domain_.reset();
                CHILD_CHECK(log_.take() == Reports{});
                if (!kThreadSanitizer) expect_rcu_or_refusal();
              }),
              "");
  }
  rcu.read_unlock(token);
  writer.join();
  ref.exit();
}

TEST_F(ForkTest, PoolsGoOnInTheChildWithoutRefills) {
  Pool pool(*domain_, 32, 8, {2, 4});
  ASSERT_EQ(pool.fill(), Status::kOk);
  void* const before = pool.alloc();
  EXPECT_EQ(in_child([&] {
              CHILD_CHECK(pool.cached() == 3);
              domain_->free_percpu(before);
              for (int i = 0; i < 3; ++i) {
                void* const area = pool.alloc();
                CHILD_CHECK(area != nullptr && area != before);
                domain_->free_percpu(area);
              }
              CHILD_CHECK(pool.alloc() == nullptr && pool.alloc() == nullptr);
              CHILD_CHECK(pool.fill(2) == Status::kOk && pool.cached() == 2);
              CHILD_CHECK(pool.empty() && pool.cached() == 0);
              {
                Pool fresh(*domain_, 8, 8, {0, 0});
                CHILD_CHECK(fresh.fill(1) == Status::kOk && fresh.alloc() != nullptr);
              }
              domain_->drain();
              CHILD_CHECK(log_.take() == Reports{});
            }),
            "");
  EXPECT_EQ(pool.cached(), 3u);
  domain_->free_percpu(before);
}

// Whole lives, with every kind of worker, and counts that are exact.
void use_new_domain(unsigned rounds) {
  MisuseLog log;
  {
    Domain domain(log.options());
    Rcu rcu(domain);
    for (unsigned round = 0; round < rounds; ++round) {
      CountedRef ref;
      CHILD_CHECK(ref.init(domain, &CountedRef::release, Flags::kAllowReinit) == Status::kOk);
      constexpr uint64_t kThreads = 3, kGets = 3000;
      std::vector<std::thread> threads;
      for (uint64_t i = 0; i < kThreads; ++i) {
        threads.emplace_back([&] {
          for (uint64_t n = 0; n < kGets; ++n) {
            RcuReader reader(rcu);
            ref.get_many(3);
            ref.put_many(2);
          }
        });
      }
      for (int i = 0; i < 5; ++i) {
        CHILD_CHECK(ref.switch_to_atomic_sync() && ref.switch_to_percpu());
        CHILD_CHECK(rcu.synchronize());
      }
      for (auto& thread : threads) thread.join();
      CHILD_CHECK(ref.kill());
      domain.drain();
      ref.put_many(kThreads * kGets - 1);
      CHILD_CHECK(ref.releases == 0);
      ref.put();
      CHILD_CHECK(ref.releases == 1);
      CountedHead head;
      CHILD_CHECK(rcu.call(head, &CountedHead::callback) && rcu.barrier() && head.calls == 1);
      ref.exit();
    }
  }
  CHILD_CHECK(log.take() == Reports{});
}

TEST_F(ForkTest, NewDomainInTheChildWorksFully) {
  SKIP_WHERE_CHILDREN_HAVE_NO_THREADS();
  Rcu rcu(*domain_);
  EXPECT_EQ(in_child([] { use_new_domain(5); }), "");
  EXPECT_TRUE(rcu.synchronize());
}

TEST_F(ForkTest, ChildMayForkAgain) {
  CountedRef ref;
  ASSERT_EQ(init(ref, Flags::kInitAtomic), Status::kOk);
  Rcu rcu(*domain_);
  EXPECT_EQ(in_child([&] {
              if (!kThreadSanitizer) use_new_domain(1);
              ref.get();
              CHILD_CHECK(in_child([&] {
                            if (!kThreadSanitizer) use_new_domain(1);
                            CHILD_CHECK(ref.kill());
                            ref.put();
                            CHILD_CHECK(ref.releases == 1);
                            ref.exit();
                            domain_.reset();
                            CHILD_CHECK(log_.take() == Reports{});
                          }) == "");
              CHILD_CHECK(ref.releases == 0);
              ref.put_many(2);
              CHILD_CHECK(ref.releases == 1);
            }),
            "");
  EXPECT_EQ(ref.releases, 0);
  ref.exit();
}

// A domain of the child loses its workers to a fork of the child.
TEST_F(ForkTest, GrandchildHasNoWorkersOfTheChild) {
  SKIP_WHERE_CHILDREN_HAVE_NO_THREADS();
  EXPECT_EQ(in_child([] {
              MisuseLog log;
              Domain domain(log.options());
              CountedRef ref;
              CHILD_CHECK(ref.init(domain, &CountedRef::release) == Status::kOk);
              CHILD_CHECK(in_child([&] {
                            CHILD_CHECK(!ref.kill());
                            CHILD_CHECK(log.take() == Reports{"kill: fork_child"});
                          }) == "");
              CHILD_CHECK(ref.kill());
              domain.drain();
              CHILD_CHECK(ref.releases == 1);
            }),
            "");
}

TEST_F(ForkTest, ChildMayExec) {
  CountedRef ref;
  ASSERT_EQ(init(ref), Status::kOk);
  EXPECT_EQ(in_child([] {
              execl("/bin/true", "true", nullptr);
              _exit(1);
            }),
            "");
  ref.exit();
}

// Threads that are in every call all the time, while the process forks.
class Hammer {
 public:
  explicit Hammer(Domain& domain) : domain_(domain), rcu_(domain) {
    EXPECT_EQ(held_.init(domain, &CountedRef::release), Status::kOk);
    EXPECT_EQ(switching_.init(domain, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
    threads_.emplace_back([this] { repeat(&Hammer::count); });
    threads_.emplace_back([this] { repeat(&Hammer::change_modes); });
    threads_.emplace_back([this] { repeat(&Hammer::live_and_die); });
    threads_.emplace_back([this] { repeat(&Hammer::make_domains); });
    threads_.emplace_back([this] { repeat(&Hammer::use_pool); });
  }
  ~Hammer() {
    stop_ = true;
    for (auto& thread : threads_) thread.join();
    domain_.drain();
    held_.exit();
    switching_.exit();
  }

  // In a child: what does not need a worker, with counts as they were at the fork.
  void use() {
    for (CountedRef* ref : {&held_, &switching_}) {
      ref->get();
      CHILD_CHECK(ref->tryget() && ref->tryget_live());
      ref->put_many(3);
      CHILD_CHECK(!ref->is_dying());
    }
    { RcuReader reader(rcu_); }
    // How many there are depends on the moment; that they are right does not.
    const size_t cached = pool_.cached();
    CHILD_CHECK(cached <= 8);
    for (size_t i = 0; i < cached; ++i) CHILD_CHECK(pool_.alloc() != nullptr);
    CHILD_CHECK(pool_.alloc() == nullptr);
    CHILD_CHECK(pool_.fill() == Status::kOk && pool_.cached() == 8 && pool_.empty());
  }

 private:
  void repeat(void (Hammer::*step)()) {
    while (!stop_) (this->*step)();
  }
  void count() {
    RcuReader reader(rcu_);
    held_.get();
    if (switching_.tryget_live()) switching_.put();
    held_.put();
  }
  void change_modes() {
    EXPECT_TRUE(switching_.switch_to_atomic());
    EXPECT_TRUE(switching_.switch_to_percpu());
  }
  void live_and_die() {
    CountedRef percpu, atomic;
    EXPECT_EQ(percpu.init(domain_, &CountedRef::release), Status::kOk);
    EXPECT_EQ(atomic.init(domain_, &CountedRef::release, Flags::kInitAtomic), Status::kOk);
    EXPECT_TRUE(percpu.kill());
    EXPECT_TRUE(atomic.kill());
    CountedHead head;
    EXPECT_TRUE(rcu_.call(head, &CountedHead::callback));
    EXPECT_TRUE(rcu_.barrier());
    domain_.drain();
    EXPECT_EQ(percpu.releases + atomic.releases, 2);
  }
  void make_domains() {
    Domain domain;
    Rcu rcu(domain);
    Pool pool(domain, 16, 16, {1, 2});
    EXPECT_EQ(pool.fill(), Status::kOk);
  }
  void use_pool() {
    if (void* const area = pool_.alloc(); area != nullptr) domain_.free_percpu(area);
    ++steps_;
    EXPECT_TRUE(steps_ % 16 != 0 || pool_.fill() == Status::kOk);
    EXPECT_TRUE(steps_ % 64 != 0 || pool_.empty());
  }

  Domain& domain_;
  Rcu rcu_;
  CountedRef held_, switching_;
  Pool pool_{domain_, 24, 8, {4, 8}};
  unsigned steps_ = 0;  // of use_pool
  std::atomic<bool> stop_ = false;
  std::vector<std::thread> threads_;
};

TEST_F(ForkTest, ForksWhileOtherThreadsAreInEveryCall) {
  if (kAddressSanitizer) {
    GTEST_SKIP() << "AddressSanitizer's allocator (clang 14) does not survive a fork while another "
                    "thread is in it";
  }
  CountedRef percpu, atomic;
  ASSERT_EQ(init(percpu), Status::kOk);
  ASSERT_EQ(init(atomic, Flags::kInitAtomic), Status::kOk);
  {
    Hammer hammer(*domain_);
    constexpr int kForks = 40;
    for (int i = 0; i < kForks && !HasFailure(); ++i) {
      EXPECT_EQ(in_child([&] {
                  hammer.use();
                  percpu.get();
                  percpu.put();
                  percpu.exit();
                  CHILD_CHECK(atomic.kill() && atomic.releases == 1);
                  atomic.exit();
                  CountedRef fresh;
                  CHILD_CHECK(init(fresh) == Status::kOk);
                  fresh.exit();
                  CHILD_CHECK(log_.take() == Reports{});
                  domain_->drain();  // says so, if something was queued at the fork
                  log_.take();
                  if (!kThreadSanitizer && i % 8 == 0) use_new_domain(1);
                  domain_.reset();
                }),
                "");
    }
  }
  percpu.exit();
  atomic.exit();
  domain_.reset();
  EXPECT_EQ(log_.take(), Reports{});
}

}  // namespace

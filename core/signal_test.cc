// SPDX-License-Identifier: Apache-2.0
// Signal handlers that take and drop references, in the middle of every call of the threads that
// they interrupt; no count is lost, errno stays.
#include <gtest/gtest.h>
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>

#include <atomic>
#include <cerrno>
#include <thread>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

// What the handler works on. Each run of it leaves one reference of both.
CountedRef* shared_percpu;
CountedRef* shared_switching;
std::atomic<uint64_t> handled;
std::atomic<uint64_t> errnos_changed;
std::atomic<uint64_t> off_the_alternate_stack;
static_assert(std::atomic<uint64_t>::is_always_lock_free);

// Of the interrupted thread: a ref that it is busy with, where one is held.
thread_local constinit CountedRef* volatile own = nullptr;
// Where its handlers have to run, if it says.
constexpr size_t kStackSize = 64 * 1024;
thread_local constinit const char* volatile alternate_stack = nullptr;

void take_and_drop(CountedRef& ref) {
  ref.get_many(2);
  const bool taken = ref.tryget();
  const bool taken_live = ref.tryget_live();
  if (taken && taken_live) {
    ref.put_many(2);
  } else if (taken || taken_live) {
    ref.put();
  }
  ref.put();
}

void on_signal(int) {
  constexpr int kMark = 12345;
  const int interrupted = errno;
  errno = kMark;
  take_and_drop(*shared_percpu);
  take_and_drop(*shared_switching);
  if (CountedRef* const ref = own; ref != nullptr) {
    take_and_drop(*ref);
    ref->put();
  }
  // relaxed (all of these): tallies, read after the threads were joined.
  if (errno != kMark) errnos_changed.fetch_add(1, std::memory_order_relaxed);
  const char here = 0;
  if (const char* const stack = alternate_stack;
      stack != nullptr && (&here < stack || &here >= stack + kStackSize)) {
    off_the_alternate_stack.fetch_add(1, std::memory_order_relaxed);
  }
  handled.fetch_add(1, std::memory_order_relaxed);
  errno = interrupted;
}

class SignalTest : public testing::Test {
 protected:
  void SetUp() override {
    handled = errnos_changed = off_the_alternate_stack = 0;
    ASSERT_EQ(percpu_.init(domain_, &CountedRef::release), Status::kOk);
    ASSERT_EQ(switching_.init(domain_, &CountedRef::release, Flags::kAllowReinit), Status::kOk);
    shared_percpu = &percpu_;
    shared_switching = &switching_;
    struct sigaction action = {};
    action.sa_handler = on_signal;
    action.sa_flags = SA_RESTART | SA_ONSTACK;
    sigaction(SIGUSR1, &action, &before_usr1_);
    sigaction(SIGALRM, &action, &before_alrm_);
  }
  // Counts are exact.
  void TearDown() override {
    sigaction(SIGUSR1, &before_usr1_, nullptr);
    sigaction(SIGALRM, &before_alrm_, nullptr);
    EXPECT_EQ(errnos_changed, 0u);
    EXPECT_EQ(off_the_alternate_stack, 0u);
    for (CountedRef* ref : {&percpu_, &switching_}) {
      EXPECT_TRUE(ref->kill());
      domain_.drain();
      ref->put_many(handled - 1);
      EXPECT_EQ(ref->releases, 0) << handled << " signals";
      ref->put();
      EXPECT_EQ(ref->releases, 1) << handled << " signals";
      ref->exit();
    }
    EXPECT_EQ(log_.take(), Reports{});
  }

  // One round of every call, on the calling thread. The two loops are for signals that come in
  // percpu sections, restart them, and find the counter of a section's CPU half way.
  void call_everything() {
    for (int i = 0; i < 200; ++i) {
      percpu_.get_many(3);
      switching_.get();
      EXPECT_TRUE(percpu_.tryget_live());
      switching_.put();
      percpu_.put_many(4);
    }
    EXPECT_TRUE(switching_.switch_to_atomic());
    EXPECT_TRUE(switching_.switch_to_percpu());
    for (const Flags flags : {Flags::kNone, Flags::kAllowReinit, Flags::kInitAtomic}) {
      CountedRef ref;
      EXPECT_EQ(ref.init(domain_, &CountedRef::release, flags), Status::kOk);
      ref.get();
      own = &ref;
      for (int i = 0; i < 50; ++i) {
        ref.get();
        ref.put();
      }
      EXPECT_TRUE(ref.kill_and_confirm(&CountedRef::confirm));
      domain_.drain();
      own = nullptr;
      EXPECT_EQ(ref.confirms, 1);
      EXPECT_EQ(ref.releases, 0);
      ref.put();
      EXPECT_EQ(ref.releases, 1);
      ref.exit();
    }
  }

  MisuseLog log_;
  Domain domain_{log_.options()};
  CountedRef percpu_, switching_;
  struct sigaction before_usr1_ = {}, before_alrm_ = {};
};

class AlternateStack {
 public:
  AlternateStack() : memory_(kStackSize) {
    stack_t stack = {};
    stack.ss_sp = memory_.data();
    stack.ss_size = memory_.size();
    EXPECT_EQ(sigaltstack(&stack, &before_), 0);
    // ThreadSanitizer keeps a signal back, and calls the handler itself, on the thread's own stack.
    if (!percpu_test::kThreadSanitizer) alternate_stack = memory_.data();
  }
  ~AlternateStack() {
    alternate_stack = nullptr;
    EXPECT_EQ(sigaltstack(&before_, nullptr), 0);
  }

 private:
  std::vector<char> memory_;
  stack_t before_ = {};
};

constexpr uint64_t kSignals = 3000;

TEST_F(SignalTest, StormInEveryCall) {
  constexpr int kThreads = 3;
  std::atomic<int> running = kThreads;
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      if (i == 0) {
        AlternateStack stack;
        while (handled < kSignals) call_everything();
      } else {
        while (handled < kSignals) call_everything();
      }
      --running;
      while (running >= 0) std::this_thread::yield();  // joinable, so that it can be signalled
    });
  }
  while (handled < kSignals) {
    for (auto& thread : threads) pthread_kill(thread.native_handle(), SIGUSR1);
    std::this_thread::yield();
  }
  while (running > 0) std::this_thread::yield();
  running = -1;
  for (auto& thread : threads) thread.join();
}

TEST_F(SignalTest, TimerInEveryCall) {
  const itimerval often = {.it_interval = {0, 100}, .it_value = {0, 100}};
  itimerval before = {};
  ASSERT_EQ(setitimer(ITIMER_REAL, &often, &before), 0);
  while (handled < kSignals / 4) call_everything();
  ASSERT_EQ(setitimer(ITIMER_REAL, &before, nullptr), 0);
}

// The thread's first call of the library is the handler's.
TEST_F(SignalTest, FirstCallOfAThreadIsInAHandler) {
  constexpr int kThreads = 200;
  for (int i = 0; i < kThreads; ++i) {
    std::thread([&] {
      raise(SIGUSR1);
      percpu_.get();
      percpu_.put();
    }).join();
  }
  EXPECT_EQ(handled, static_cast<uint64_t>(kThreads));
}

}  // namespace

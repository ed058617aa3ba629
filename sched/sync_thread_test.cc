// SPDX-License-Identifier: Apache-2.0
// Threads: begin, end, join; what runs once; keys; the machine they see; what is refused. This file is
// code under test.
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <new>
#include <stop_token>
#include <thread>

#include "sched/sync_testing.h"

namespace {

using namespace sched_testing;

void* nothing(void*) {
  return nullptr;
}
pthread_t start(void* (*function)(void*), void* argument = nullptr) {
  pthread_t t;
  require(pthread_create(&t, nullptr, function, argument) == 0, "create");
  return t;
}

// --- Join, detach
// ---------------------------------------------------------------------------------------

TEST(Join, ReturnsTheResultAndOrders) {
  expect_clean([] {
    static int data;
    data = 0;
    void* result = nullptr;
    pthread_join(start(
                     [](void* p) {
                       data = 1;
                       return p;
                     },
                     &data),
                 &result);
    require(result == &data && data == 1, "result");
  });
}
TEST(Join, TryAndTimedForms) {
  static bool busy, done, late, in_time;
  expect_clean([] {
    std::atomic<bool> go{false};
    const pthread_t t = start(
        [](void* p) -> void* {
          while (!static_cast<std::atomic<bool>*>(p)->load()) sched_yield();
          return p;
        },
        &go);
    require(pthread_tryjoin_np(t, nullptr) == EBUSY, "it waits");
    timespec until = in_seconds(CLOCK_REALTIME, 1);
    require(pthread_timedjoin_np(t, nullptr, &until) == ETIMEDOUT, "it waits");
    go.store(true);
    const int tried = pthread_tryjoin_np(t, nullptr);
    note(tried == 0 ? done : busy);
    if (tried == 0) return;
    until = in_seconds(CLOCK_MONOTONIC, 1);
    const int rc = pthread_clockjoin_np(t, nullptr, CLOCK_MONOTONIC, &until);
    note(rc == 0 ? in_time : late);
    if (rc != 0) pthread_join(t, nullptr);
  });
  EXPECT_TRUE(busy && done && late && in_time);
}
TEST(Join, MisuseIsFound) {
  expect_found(FailureKind::kThreadMisuse, "join of the thread itself: main",
               [] { pthread_join(pthread_self(), nullptr); });
  expect_found(FailureKind::kThreadMisuse, "join of a thread that was joined: main.1", [] {
    const pthread_t t = start(nothing);
    pthread_join(t, nullptr);
    pthread_join(t, nullptr);
  });
  expect_found(FailureKind::kThreadMisuse, "join of a thread that was detached: main.1", [] {
    const pthread_t t = start(nothing);
    pthread_detach(t);
    pthread_join(t, nullptr);
  });
  expect_found(FailureKind::kThreadMisuse, "join of a thread that was detached: main.1", [] {
    pthread_attr_t attr;
    pthread_attr_init(&attr);
    pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_t t;
    pthread_create(&t, &attr, nothing, nullptr);
    pthread_join(t, nullptr);
  });
  expect_found(FailureKind::kThreadMisuse, "detach of a thread that was joined", [] {
    const pthread_t t = start(nothing);
    pthread_join(t, nullptr);
    pthread_detach(t);
  });
  expect_found(FailureKind::kThreadMisuse, "join of a thread that another one joins", [] {
    static pthread_t t;
    t = start([](void*) -> void* {
      for (int i = 0; i < 4; ++i) sched_yield();
      return nullptr;
    });
    auto join = [] { pthread_join(t, nullptr); };
    parallel(join, join);
  });
}
TEST(Join, ThreadsThatJoinEachOtherDeadlock) {
  expect_found(FailureKind::kDeadlock, "main.1 waits for main.2 to end", [] {
    static pthread_t threads[2];
    static pthread_barrier_t both;
    pthread_barrier_init(&both, nullptr, 3);
    for (int i = 0; i < 2; ++i)
      threads[i] = start(
          [](void* other) -> void* {
            pthread_barrier_wait(&both);
            pthread_join(*static_cast<pthread_t*>(other), nullptr);
            return nullptr;
          },
          &threads[1 - i]);
    pthread_barrier_wait(&both);
  });
}
TEST(Join, JthreadStopsAndJoins) {
  expect_clean(
      [] {
        int turns = 0;
        {
          std::jthread thread([&](std::stop_token stop) {
            while (!stop.stop_requested()) sched_yield();
            ++turns;
          });
        }
        require(turns == 1, "joined");
      },
      500);
}

// --- The end of a thread
// --------------------------------------------------------------------------------

struct Noted {
  std::atomic<int>* n;
  ~Noted() { n->fetch_add(1); }
};
[[noreturn]] void leave(std::atomic<int>* n) {
  Noted noted{n};
  try {
    pthread_exit(n);
  } catch (...) {
    n->fetch_add(10);
    throw;
  }
}
TEST(Exit, UnwindsTheStack) {
  expect_clean([] {
    std::atomic<int> n{0};
    void* result = nullptr;
    pthread_join(start(
                     [](void* p) -> void* {
                       auto* noted = static_cast<std::atomic<int>*>(p);
                       Noted outer{noted};
                       leave(noted);
                     },
                     &n),
                 &result);
    require(result == &n && n.load() == 12, "destructors");
  });
}
TEST(Exit, OfMainLetsTheOthersRun) {
  static bool ran;
  expect_clean([] {
    pthread_detach(start([](void*) -> void* {
      sched_yield();
      note(ran);
      return nullptr;
    }));
    pthread_exit(nullptr);
  });
  EXPECT_TRUE(ran);
}
TEST(Exit, RunsCleanupHandlersOfCpp) {
  expect_clean([] {
    static int order;
    order = 0;
    pthread_join(start([](void*) -> void* {
                   pthread_cleanup_push([](void*) { order = order * 10 + 1; }, nullptr);
                   pthread_cleanup_push([](void*) { order = order * 10 + 2; }, nullptr);
                   pthread_exit(nullptr);
                   pthread_cleanup_pop(0);
                   pthread_cleanup_pop(0);
                 }),
                 nullptr);
    require(order == 21, "order");
  });
}
TEST(Exit, MustNotBeCaughtForGood) {
  expect_found(FailureKind::kThreadMisuse, "it must throw it on", [] {
    pthread_join(start([](void*) -> void* {
                   try {
                     pthread_exit(nullptr);
                   } catch (...) {
                   }
                   return nullptr;
                 }),
                 nullptr);
  });
}

// --- Once
// -----------------------------------------------------------------------------------------------

TEST(Once, RunsOnceAndOrders) {
  expect_clean([] {
    static pthread_once_t once;
    static int value;
    once = PTHREAD_ONCE_INIT;
    value = 0;
    auto get = [] {
      pthread_once(&once, [] {
        sched_yield();
        ++value;
      });
      require(value == 1, "once");
    };
    parallel(get, get, get);
  });
}
TEST(Once, WhoTriesAgainLearnsWhatTheOneDidWhoThrew) {
  expect_clean([] {
    static std::once_flag once;
    static int tries;
    new (&once) std::once_flag;
    tries = 0;
    auto get = [] {
      try {
        std::call_once(once, [] {
          if (++tries == 1) throw 1;
        });
      } catch (int) {
      }
    };
    parallel(get, get);
    require(tries == 2, "tries");
  });
}
TEST(Once, TwoControlsDoNotOrder) {
  expect_found(FailureKind::kDataRace, "is not ordered after", [] {
    static pthread_once_t once[2];
    static int value;
    memset(once, 0, sizeof once);
    auto get = [](int i) { pthread_once(&once[i], [] { ++value; }); };
    parallel([=] { get(0); }, [=] { get(1); });
    require(value != 0, "nobody ran");
  });
}
TEST(Once, FromItselfIsMisuse) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  expect_found(FailureKind::kSyncMisuse, "an initialiser that runs once waits for itself",
               [] { pthread_once(&once, [] { pthread_once(&once, [] {}); }); });
}
TEST(Once, OneThatNeverEndsIsNamed) {
  expect_found(FailureKind::kDeadlock, "which is run by main.1", [] {
    static pthread_once_t once;
    static pthread_mutex_t m = PTHREAD_MUTEX_INITIALIZER;
    once = PTHREAD_ONCE_INIT;
    auto get = [] {
      pthread_once(&once, [] {
        pthread_mutex_lock(&m);
        pthread_mutex_unlock(&m);
      });
    };
    pthread_mutex_lock(&m);
    parallel(get, get);
  });
}

// --- Keys
// -----------------------------------------------------------------------------------------------

TEST(Keys, AreEachThreadsOwn) {
  expect_clean([] {
    pthread_key_t key;
    require(pthread_key_create(&key, nullptr) == 0, "create");
    auto use = [=] {
      require(pthread_getspecific(key) == nullptr, "fresh");
      int mine = 0;
      pthread_setspecific(key, &mine);
      sched_yield();
      require(pthread_getspecific(key) == &mine, "mine");
    };
    use();
    parallel(use, use);
    require(pthread_key_delete(key) == 0, "delete");
    require(pthread_key_delete(key) == EINVAL, "deleted");
  });
}
// As libraries that are linked statically have them: made when they are first needed, which a global remembers.
pthread_key_t use_key_of_once(pthread_once_t* once) {
  static pthread_key_t key;
  pthread_once(once, [] { require(pthread_key_create(&key, nullptr) == 0, "create"); });
  require(pthread_getspecific(key) == nullptr, "fresh");
  int mine = 0;
  require(pthread_setspecific(key, &mine) == 0, "set");
  require(pthread_getspecific(key) == &mine, "mine");
  return key;
}
bool is_clean(Body body, uint64_t seed) {
  const Result result = run(body, seeded(seed));
  EXPECT_EQ(result.verdict, Verdict::kClean) << "seed " << seed << ": " << result.failure.message;
  return result.verdict == Verdict::kClean;
}
TEST(Keys, MadeOnceStay) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  const Body both = [] {
    auto use = [] { use_key_of_once(&once); };
    parallel(use, use);
  };
  for (uint64_t seed = 1; seed <= 20; ++seed) ASSERT_TRUE(is_clean(both, seed));
}
TEST(Keys, MadeOnceAreMadeAnewAfterAnAbandonedExecution) {
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  expect_found(FailureKind::kOracle, "after it", [] {
    use_key_of_once(&once);
    sched::fail("T", "after it");
  });
  ASSERT_TRUE(is_clean([] { use_key_of_once(&once); }, 1));
}
// Else there would be none left after PTHREAD_KEYS_MAX executions.
TEST(Keys, MadeOnceAgainTakeThePlaceOfTheOld) {
  static pthread_once_t once;
  auto use = [] {
    once = PTHREAD_ONCE_INIT;
    use_key_of_once(&once);
  };
  for (uint64_t seed = 1; seed <= 2 * PTHREAD_KEYS_MAX; ++seed) ASSERT_TRUE(is_clean(use, seed));
}
// By ascending key; what destructors set again gets further rounds, four in all.
TEST(Keys, DestructorsRunInOrderAndRounds) {
  expect_clean([] {
    static int order, rounds;
    static pthread_key_t first, second;
    order = rounds = 0;
    pthread_key_create(&first, [](void*) { order = order * 10 + 1; });
    pthread_key_create(&second, [](void* value) {
      order = order * 10 + 2;
      ++rounds;
      pthread_setspecific(second, value);
    });
    require(first < second, "ascending");
    parallel([] {
      pthread_setspecific(second, &order);
      pthread_setspecific(first, &order);
    });
    require(order == 12222 && rounds == PTHREAD_DESTRUCTOR_ITERATIONS, "rounds");
    parallel([] { pthread_setspecific(first, nullptr); });
    require(order == 12222, "nothing to destroy");
  });
}
TEST(Keys, DestructorsRunAtPthreadExitToo) {
  expect_clean([] {
    pthread_key_t key;
    pthread_key_create(&key, free);
    const pthread_t t = start(
        [](void* p) -> void* {
          pthread_setspecific(*static_cast<pthread_key_t*>(p), malloc(8));
          pthread_exit(nullptr);
        },
        &key);
    pthread_join(t, nullptr);
    pthread_setspecific(key, malloc(8));  // main's value goes with main
  });
}
TEST(Keys, WithoutADestructorAValueLeaks) {
  expect_found(FailureKind::kLeak, "1 heap blocks are live", [] {
    pthread_key_t key;
    pthread_key_create(&key, nullptr);
    parallel([=] { pthread_setspecific(key, malloc(8)); });
  });
}
// A key of before the execution: its values are those of logical threads, anew in each execution.
pthread_key_t early_key = [] {
  pthread_key_t key;
  pthread_key_create(&key, free);
  return key;
}();
TEST(Keys, MadeByConstructorsBeginAnew) {
  int host = 0;
  pthread_setspecific(early_key, &host);
  expect_clean([] {
    auto use = [] {
      require(pthread_getspecific(early_key) == nullptr, "fresh");
      pthread_setspecific(early_key, malloc(8));
    };
    use();
    parallel(use, use);
  });
  EXPECT_EQ(pthread_getspecific(early_key), &host);
  pthread_setspecific(early_key, nullptr);
}

// --- The machine
// ----------------------------------------------------------------------------------------

TEST(Machine, IsTheSameEverywhere) {
  expect_clean([] {
    require(std::thread::hardware_concurrency() == 4 && get_nprocs() == 4, "CPUs");
    require(sysconf(_SC_NPROCESSORS_ONLN) == 4, "CPUs");
    cpu_set_t set;
    require(pthread_getaffinity_np(pthread_self(), sizeof set, &set) == 0 && CPU_COUNT(&set) == 4,
            "set");
    require(sched_getcpu() >= 0 && sched_getcpu() < 4, "CPU");
    require(pthread_setaffinity_np(pthread_self(), sizeof set, &set) == 0, "pinned");
    char name[16];
    require(pthread_setname_np(pthread_self(), "worker") == 0, "name");
    require(pthread_getname_np(pthread_self(), name, sizeof name) == 0, "name");
    require(strcmp(name, "worker") == 0, "name");
    require(pthread_setname_np(pthread_self(), "far too long a name") == ERANGE, "length");
    int old = -1;
    require(pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &old) == 0, "state");
    require(old == PTHREAD_CANCEL_ENABLE, "fresh in each thread");
  });
}

// --- Refused
// --------------------------------------------------------------------------------------------

TEST(Refused, CallsAreNamedAndSayWhatToDo) {
  const char* const is_not = "() is not controlled by the engine: ";
  expect_found(FailureKind::kLimit, std::string("pthread_cancel") + is_not,
               [] { pthread_cancel(pthread_self()); });
  expect_found(FailureKind::kLimit, std::string("pthread_kill") + is_not,
               [] { pthread_kill(pthread_self(), SIGTERM); });
  expect_found(FailureKind::kLimit, std::string("fork") + is_not, [] { (void)fork(); });
  expect_found(FailureKind::kLimit, std::string("vfork") + is_not, [] { (void)vfork(); });
  expect_found(FailureKind::kLimit, std::string("popen") + is_not, [] { popen("true", "r"); });
  expect_found(FailureKind::kLimit, std::string("execl") + is_not,
               [] { execl("/bin/true", "true", nullptr); });
  expect_found(FailureKind::kLimit, std::string("pause") + is_not, [] { pause(); });
  expect_found(FailureKind::kLimit, std::string("sigwait") + is_not, [] {
    sigset_t set;
    sigemptyset(&set);
    int signal;
    sigwait(&set, &signal);
  });
  expect_found(FailureKind::kLimit, std::string("accept") + is_not,
               [] { accept(0, nullptr, nullptr); });
  expect_found(FailureKind::kLimit, "poll() that may wait is not controlled", [] {
    pollfd fd = {0, POLLIN, 0};
    poll(&fd, 1, -1);
  });
}

}  // namespace

// SPDX-License-Identifier: Apache-2.0
// Runs the programs of sync_c11_test.c.
#include "sched/sync_testing.h"

extern "C" {
void c11_mutex_and_condition();
void c11_exit_and_detach();
void c11_kinds_of_mutex();
void c11_once();
void c11_keys_and_sleep();
void c11_race();
void c11_relock();
void c11_lost_wakeup();
void c11_joined_twice();
void c_cleanup_handlers();
}

namespace {

using namespace sched_testing;

TEST(C11, WhatIsRightIsClean) {
  for (Body body : {c11_mutex_and_condition, c11_exit_and_detach, c11_kinds_of_mutex, c11_once,
                    c11_keys_and_sleep})
    expect_clean(body);
}
TEST(C11, WhatIsWrongIsFound) {
  expect_found(FailureKind::kDataRace, "of count by main", c11_race);
  expect_found(FailureKind::kLockMisuse,
               "locks a mutex that it already holds: mutex mutex, held by main", c11_relock);
  expect_found(FailureKind::kLostWakeup, "main waits for condition variable changed",
               c11_lost_wakeup);
  expect_found(FailureKind::kThreadMisuse, "join of a thread that was joined", c11_joined_twice);
}
TEST(Exit, RunsCleanupHandlersOfC) {
  expect_clean(c_cleanup_handlers);
}

}  // namespace

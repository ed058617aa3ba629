// SPDX-License-Identifier: Apache-2.0
// A token goes round a ring of threads, each of which has its turn.
//   BROKEN=0  everybody is told when the token moves
//   BROKEN=1  one is told, who need not be the one whose turn it is
//   BROKEN=2  the token moves outside of the lock, between a look at it and the wait
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kThreads = 4, kRounds = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t moved = PTHREAD_COND_INITIALIZER;
static atomic_int token;
static int turns;

static void pass_on(int who) {
  if (BROKEN == 2) pthread_mutex_unlock(&mutex);
  atomic_store(&token, (who + 1) % kThreads);
  if (BROKEN == 1)
    pthread_cond_signal(&moved);
  else
    pthread_cond_broadcast(&moved);
  if (BROKEN != 2) pthread_mutex_unlock(&mutex);
}

static void* member(void* argument) {
  const int who = (int)(long)argument;
  for (int round = 0; round < kRounds; ++round) {
    pthread_mutex_lock(&mutex);
    while (atomic_load(&token) != who) pthread_cond_wait(&moved, &mutex);
    ++turns;
    pass_on(who);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  atomic_store(&token, 0);
  turns = 0;
  for (long i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, member, (void*)i);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  assert(turns == kThreads * kRounds);
  return 0;
}

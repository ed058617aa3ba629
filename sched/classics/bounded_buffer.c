// SPDX-License-Identifier: Apache-2.0
// A bounded buffer between producers and consumers, as a monitor (Hoare, CACM 1974).
//   BROKEN=0  two conditions, each waited for in a loop
//   BROKEN=1  waits only once: somebody else may have come first
//   BROKEN=2  one condition variable for both, signalled: the signal may reach the wrong side
//   BROKEN=3  looks whether there is room before it takes the lock
#include <assert.h>
#include <pthread.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kRoom = 1, kEach = 2, kSides = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_full = PTHREAD_COND_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static int buffer[kRoom];
static int count, sum;

static pthread_cond_t* emptied(void) {
  return BROKEN == 2 ? &not_empty : &not_full;
}

static void put(int value) {
#if BROKEN == 3
  while (count == kRoom) sched_yield();
  pthread_mutex_lock(&mutex);
#else
  pthread_mutex_lock(&mutex);
#if BROKEN == 1
  if (count == kRoom) pthread_cond_wait(emptied(), &mutex);
#else
  while (count == kRoom) pthread_cond_wait(emptied(), &mutex);
#endif
#endif
  assert(count < kRoom);
  buffer[count++] = value;
  pthread_cond_signal(&not_empty);
  pthread_mutex_unlock(&mutex);
}

static int take(void) {
  pthread_mutex_lock(&mutex);
  while (count == 0) pthread_cond_wait(&not_empty, &mutex);
  const int value = buffer[--count];
  pthread_cond_signal(emptied());
  pthread_mutex_unlock(&mutex);
  return value;
}

static void* producer(void* unused) {
  (void)unused;
  for (int i = 1; i <= kEach; ++i) put(i);
  return NULL;
}

static void* consumer(void* unused) {
  (void)unused;
  for (int i = 0; i < kEach; ++i) {
    const int value = take();
    pthread_mutex_lock(&mutex);
    sum += value;
    pthread_mutex_unlock(&mutex);
  }
  return NULL;
}

int main(void) {
  pthread_t threads[2 * kSides];
  count = sum = 0;
  for (int i = 0; i < kSides; ++i) {
    pthread_create(&threads[2 * i], NULL, producer, NULL);
    pthread_create(&threads[2 * i + 1], NULL, consumer, NULL);
  }
  for (int i = 0; i < 2 * kSides; ++i) pthread_join(threads[i], NULL);
  assert(sum == kSides * kEach * (kEach + 1) / 2);
  return 0;
}

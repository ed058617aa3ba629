// SPDX-License-Identifier: Apache-2.0
// Setters that change two variables together, and one who checks that they do: the more setters, the
// rarer the schedule in which he comes between (known from SCTBench as reorder_N).
//   BROKEN=0  both change under a lock
//   BROKEN=1  nothing keeps them together; each alone is atomic
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#ifndef BROKEN
#define BROKEN 0
#endif
#ifndef SETTERS
#define SETTERS 10
#endif

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int a, b;

static void lock(void) {
  if (BROKEN == 0) pthread_mutex_lock(&mutex);
}
static void unlock(void) {
  if (BROKEN == 0) pthread_mutex_unlock(&mutex);
}

static void* set(void* unused) {
  (void)unused;
  lock();
  atomic_store(&a, 1);
  atomic_store(&b, -1);
  unlock();
  return NULL;
}

static void* check(void* unused) {
  (void)unused;
  lock();
  const int seen_a = atomic_load(&a), seen_b = atomic_load(&b);
  unlock();
  assert((seen_a == 0 && seen_b == 0) || (seen_a == 1 && seen_b == -1));
  return NULL;
}

int main(void) {
  pthread_t threads[SETTERS + 1];
  atomic_store(&a, 0);
  atomic_store(&b, 0);
  for (int i = 0; i <= SETTERS; ++i)
    pthread_create(&threads[i], NULL, i < SETTERS ? set : check, NULL);
  for (int i = 0; i <= SETTERS; ++i) pthread_join(threads[i], NULL);
  return 0;
}

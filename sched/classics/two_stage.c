// SPDX-License-Identifier: Apache-2.0
// Two values, each under a lock of its own, of which the second follows from the first (known from
// SCTBench as twostage): every access is under a lock, and yet a reader comes between the stages.
//   BROKEN=0  the second lock is taken before the first is given back, by writers and readers
//   BROKEN=1  one lock after the other
#include <assert.h>
#include <pthread.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kWriters = 4, kReaders = 4 };

static pthread_mutex_t first_mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_mutex_t second_mutex = PTHREAD_MUTEX_INITIALIZER;
static int first, second;

static void go_to_second_stage(void) {
  if (BROKEN == 1) pthread_mutex_unlock(&first_mutex);
  pthread_mutex_lock(&second_mutex);
  if (BROKEN == 0) pthread_mutex_unlock(&first_mutex);
}

static void* write_both(void* unused) {
  (void)unused;
  pthread_mutex_lock(&first_mutex);
  const int mine = ++first;
  go_to_second_stage();
  second = mine + 1;
  pthread_mutex_unlock(&second_mutex);
  return NULL;
}

static void* read_both(void* unused) {
  (void)unused;
  pthread_mutex_lock(&first_mutex);
  const int seen = first;
  go_to_second_stage();
  assert(seen == 0 || second == seen + 1);
  pthread_mutex_unlock(&second_mutex);
  return NULL;
}

int main(void) {
  pthread_t threads[kWriters + kReaders];
  first = second = 0;
  for (int i = 0; i < kWriters + kReaders; ++i)
    pthread_create(&threads[i], NULL, i < kWriters ? write_both : read_both, NULL);
  for (int i = 0; i < kWriters + kReaders; ++i) pthread_join(threads[i], NULL);
  return 0;
}

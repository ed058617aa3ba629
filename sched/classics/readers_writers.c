// SPDX-License-Identifier: Apache-2.0
// Readers and writers by semaphores (Courtois, Heymans, Parnas, CACM 1971, problem 1): the first reader
// takes the data for all readers, the last one gives them back.
//   BROKEN=0  the count of readers has a lock of its own
//   BROKEN=1  a reader leaves without that lock
//   BROKEN=2  the first reader does not wait for writers
#include <assert.h>
#include <pthread.h>
#include <semaphore.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kReaders = 3, kWriters = 2 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static sem_t data_free;
static int readers;
static int first_half, second_half;

static void* read_it(void* unused) {
  (void)unused;
  pthread_mutex_lock(&mutex);
  if (++readers == 1 && BROKEN != 2) sem_wait(&data_free);
  pthread_mutex_unlock(&mutex);
  assert(first_half == second_half);
  if (BROKEN != 1) pthread_mutex_lock(&mutex);
  if (--readers == 0 && BROKEN != 2) sem_post(&data_free);
  if (BROKEN != 1) pthread_mutex_unlock(&mutex);
  return NULL;
}

static void* write_it(void* unused) {
  (void)unused;
  sem_wait(&data_free);
  ++first_half;
  ++second_half;
  sem_post(&data_free);
  return NULL;
}

int main(void) {
  pthread_t threads[kReaders + kWriters];
  sem_init(&data_free, 0, 1);
  readers = first_half = second_half = 0;
  for (int i = 0; i < kReaders + kWriters; ++i)
    pthread_create(&threads[i], NULL, i < kReaders ? read_it : write_it, NULL);
  for (int i = 0; i < kReaders + kWriters; ++i) pthread_join(threads[i], NULL);
  assert(second_half == kWriters);
  sem_destroy(&data_free);
  return 0;
}

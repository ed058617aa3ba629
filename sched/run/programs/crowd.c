// SPDX-License-Identifier: Apache-2.0
// As many threads at once as its first argument says, all of which count. With a second argument the last of
// them takes no lock.
#include <pthread.h>
#include <stdlib.h>

static int counter, threads;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_barrier_t all_are_here;

static void* count(void* locked) {
  pthread_barrier_wait(&all_are_here);
  if (locked) pthread_mutex_lock(&lock);
  counter++;
  if (locked) pthread_mutex_unlock(&lock);
  return NULL;
}

int main(int argc, char** argv) {
  threads = argc > 1 ? atoi(argv[1]) : 1;
  pthread_t* thread = malloc(sizeof *thread * (size_t)threads);
  pthread_barrier_init(&all_are_here, NULL, (unsigned)threads);
  for (int i = 0; i < threads; ++i)
    pthread_create(&thread[i], NULL, count, argc > 2 && i == threads - 1 ? NULL : &lock);
  for (int i = 0; i < threads; ++i) pthread_join(thread[i], NULL);
  pthread_barrier_destroy(&all_are_here);
  free(thread);
  return counter == threads ? 0 : 3;
}

// SPDX-License-Identifier: Apache-2.0
// Two threads count. Right with a lock; with the argument "racy" they take none.
#include <pthread.h>
#include <stdio.h>
#include <string.h>

static int counter;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void* count(void* racy) {
  for (int i = 0; i < 2; ++i) {
    if (!racy) pthread_mutex_lock(&lock);
    counter++;
    if (!racy) pthread_mutex_unlock(&lock);
  }
  return NULL;
}

int main(int argc, char** argv) {
  char racy = argc > 1 && strcmp(argv[1], "racy") == 0;
  pthread_t threads[2];
  for (int i = 0; i < 2; ++i) pthread_create(&threads[i], NULL, count, racy ? &counter : NULL);
  for (int i = 0; i < 2; ++i) pthread_join(threads[i], NULL);
  printf("counted to %d\n", counter);
  return counter == 4 ? 0 : 3;
}

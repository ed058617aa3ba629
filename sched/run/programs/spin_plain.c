// SPDX-License-Identifier: Apache-2.0
// Waits for a flag that is not atomic.
#include <pthread.h>
#include <stddef.h>

static volatile int ready;

static void* set(void* unused) {
  ready = 1;
  return unused;
}

int main(void) {
  pthread_t t;
  pthread_create(&t, NULL, set, NULL);
  while (!ready) {
  }
  pthread_join(t, NULL);
  return 0;
}

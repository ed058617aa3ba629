// SPDX-License-Identifier: Apache-2.0
// Waits for what nobody does.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

atomic_int ready;

void* wait_for_ever(void* unused) {
  while (!atomic_load(&ready)) {
  }
  return unused;
}

int main(void) {
  pthread_t t;
  pthread_create(&t, NULL, wait_for_ever, NULL);
  pthread_join(t, NULL);
  return 0;
}

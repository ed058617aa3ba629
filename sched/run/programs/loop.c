// SPDX-License-Identifier: Apache-2.0
// Loops for ever, and nothing of it can be seen.
#include <pthread.h>
#include <stddef.h>

static void* loop(void* unused) {
  (void)unused;
  for (;;) {
  }
}

int main(void) {
  pthread_t t;
  pthread_create(&t, NULL, loop, NULL);
  pthread_join(t, NULL);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Sequentially consistent memory lets one of the threads see the other's store; weaker memory does not.
// Nothing of it is a data race.
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>

static atomic_int x, y;
static int seen_x, seen_y;

static void* first(void* unused) {
  atomic_store_explicit(&x, 1, memory_order_release);
  seen_y = atomic_load_explicit(&y, memory_order_acquire);
  return unused;
}
static void* second(void* unused) {
  atomic_store_explicit(&y, 1, memory_order_release);
  seen_x = atomic_load_explicit(&x, memory_order_acquire);
  return unused;
}

int main(void) {
  pthread_t a, b;
  pthread_create(&a, NULL, first, NULL);
  pthread_create(&b, NULL, second, NULL);
  pthread_join(a, NULL);
  pthread_join(b, NULL);
  return seen_x == 0 && seen_y == 0 ? 9 : 0;
}

// SPDX-License-Identifier: Apache-2.0
// Double-checked locking: who comes first makes the object, the others find it without a lock.
//   BROKEN=0  the pointer is published with release, and read with acquire
//   BROKEN=1  relaxed: a reader may find the object, and not what is in it
//   BROKEN=2  does not look again under the lock: two may make one each
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kThreads = 4 };

struct object {
  int value;
};

static const memory_order publish = BROKEN == 1 ? memory_order_relaxed : memory_order_release;
static const memory_order find = BROKEN == 1 ? memory_order_relaxed : memory_order_acquire;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct object*) instance;
static int made;

static struct object* make(void) {
  struct object* o = malloc(sizeof *o);
  o->value = 42;
  ++made;
  return o;
}

static struct object* get(void) {
  struct object* o = atomic_load_explicit(&instance, find);
  if (o != NULL) return o;
  pthread_mutex_lock(&mutex);
  o = BROKEN == 2 ? NULL : atomic_load_explicit(&instance, memory_order_relaxed);
  if (o == NULL) {
    o = make();
    atomic_store_explicit(&instance, o, publish);
  }
  pthread_mutex_unlock(&mutex);
  return o;
}

static void* use(void* unused) {
  (void)unused;
  assert(get()->value == 42);
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  atomic_store(&instance, NULL);
  made = 0;
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, use, NULL);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  assert(made == 1);
  free(atomic_load(&instance));
  return 0;
}

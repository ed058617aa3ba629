// SPDX-License-Identifier: Apache-2.0
// Work stealing by the THE protocol of Cilk 5 (Frigo, Leiserson, Randall, PLDI 1998): the owner takes from
// the tail, and needs the lock only where a thief may be at the same item; thieves take from the head.
//   BROKEN=0  both announce what they take before they look at what the other has announced
//   BROKEN=1  relaxed: the announcement may be seen too late
//   BROKEN=2  the owner looks first, and then announces
//   BROKEN=3  a thief takes no lock
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kItems = 4, kThieves = 2 };

static const memory_order announce = BROKEN == 1 ? memory_order_relaxed : memory_order_seq_cst;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static atomic_int head, tail;
static int items[kItems];
static atomic_int taken[kItems];

static void use(int item) {
  assert(atomic_fetch_add(&taken[item], 1) == 0);
}

static void push(int item) {
  const int t = atomic_load(&tail);
  items[t] = item;
  atomic_store(&tail, t + 1);
}

static int take_in_peace(int t) {
  pthread_mutex_lock(&mutex);
  const int mine = atomic_load(&head) <= t;
  atomic_store(&tail, mine ? t : t + 1);
  pthread_mutex_unlock(&mutex);
  return mine;
}

static int take(void) {
  const int t = atomic_load(&tail) - 1;
  if (BROKEN == 2 && atomic_load(&head) > t) return -1;
  atomic_store_explicit(&tail, t, announce);
  if (BROKEN != 2 && atomic_load_explicit(&head, announce) > t && !take_in_peace(t)) return -1;
  return items[t];
}

static int steal(void) {
  if (BROKEN != 3) pthread_mutex_lock(&mutex);
  const int h = atomic_load(&head);
  atomic_store_explicit(&head, h + 1, announce);
  int item = -1;
  if (h + 1 > atomic_load_explicit(&tail, announce))
    atomic_store(&head, h);
  else
    item = items[h];
  if (BROKEN != 3) pthread_mutex_unlock(&mutex);
  return item;
}

static void* thief(void* unused) {
  (void)unused;
  for (int i = 0; i < 2; ++i) {
    const int item = steal();
    if (item >= 0) use(item);
  }
  return NULL;
}

int main(void) {
  pthread_t thieves[kThieves];
  atomic_store(&head, 0);
  atomic_store(&tail, 0);
  for (int i = 0; i < kItems; ++i) atomic_store(&taken[i], 0);
  for (int i = 0; i < kThieves; ++i) pthread_create(&thieves[i], NULL, thief, NULL);
  for (int i = 0; i < kItems; ++i) push(i);
  for (int item = take(); item >= 0; item = take()) use(item);
  for (int i = 0; i < kThieves; ++i) pthread_join(thieves[i], NULL);
  int sum = 0;
  for (int i = 0; i < kItems; ++i) sum += atomic_load(&taken[i]);
  assert(sum == kItems);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Treiber's stack (IBM RJ 5118, 1986) of nodes that are used again: between a look at the top and the
// exchange, the same node may have come back with another one below it (ABA).
//   BROKEN=0  a count beside the top changes with each exchange
//   BROKEN=1  no count
#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>

#ifndef BROKEN
#define BROKEN 0
#endif

enum { kNodes = 3, kThreads = 3, kTurns = 2, kNone = 0xffff };

// The top: a node's index, and the count above it.
static _Atomic(unsigned) top;
static _Atomic(unsigned) next[kNodes];
static atomic_int users[kNodes];

static unsigned changed(unsigned old, unsigned node) {
  const unsigned count = BROKEN == 1 ? 0 : (old >> 16) + 1;
  return count << 16 | node;
}

static void push(unsigned node) {
  unsigned old = atomic_load(&top);
  do {
    atomic_store(&next[node], old & kNone);
  } while (!atomic_compare_exchange_weak(&top, &old, changed(old, node)));
}

static unsigned pop(void) {
  unsigned old = atomic_load(&top), node;
  do {
    node = old & kNone;
    if (node == kNone) return kNone;
  } while (!atomic_compare_exchange_weak(&top, &old, changed(old, atomic_load(&next[node]))));
  return node;
}

static void* borrow(void* unused) {
  (void)unused;
  for (int turn = 0; turn < kTurns; ++turn) {
    unsigned mine[2] = {pop(), pop()};
    for (int i = 0; i < 2; ++i)
      if (mine[i] != kNone) assert(atomic_fetch_add(&users[mine[i]], 1) == 0);
    for (int i = 0; i < 2; ++i) {
      if (mine[i] == kNone) continue;
      atomic_fetch_sub(&users[mine[i]], 1);
      push(mine[i]);
    }
  }
  return NULL;
}

int main(void) {
  pthread_t threads[kThreads];
  atomic_store(&top, kNone);
  for (unsigned i = 0; i < kNodes; ++i) {
    atomic_store(&users[i], 0);
    push(i);
  }
  for (int i = 0; i < kThreads; ++i) pthread_create(&threads[i], NULL, borrow, NULL);
  for (int i = 0; i < kThreads; ++i) pthread_join(threads[i], NULL);
  int left = 0;
  while (pop() != kNone) ++left;
  assert(left == kNodes);
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Threads of C11, in C: bodies that sync_c11_test.cc runs under the engine. What is not as the standard
// says is an assertion that fails.
#include <assert.h>
#include <stdlib.h>
#include <threads.h>
#include <time.h>

static mtx_t mutex;
static cnd_t changed;
static once_flag once = ONCE_FLAG_INIT;
static tss_t key;
static int count, destroyed;

static struct timespec in_one_second(void) {
  struct timespec t;
  timespec_get(&t, TIME_UTC);
  ++t.tv_sec;
  return t;
}

// --- What is right
// --------------------------------------------------------------------------------------

static int add(void* unused) {
  (void)unused;
  assert(mtx_lock(&mutex) == thrd_success);
  ++count;
  assert(cnd_broadcast(&changed) == thrd_success);
  assert(mtx_unlock(&mutex) == thrd_success);
  return -7;
}

void c11_mutex_and_condition(void) {
  thrd_t threads[2];
  count = 0;
  assert(mtx_init(&mutex, mtx_plain) == thrd_success && cnd_init(&changed) == thrd_success);
  for (int i = 0; i < 2; ++i) assert(thrd_create(&threads[i], add, NULL) == thrd_success);
  mtx_lock(&mutex);
  while (count != 2) assert(cnd_wait(&changed, &mutex) == thrd_success);
  const struct timespec t = in_one_second();
  assert(cnd_timedwait(&changed, &mutex, &t) == thrd_timedout);
  mtx_unlock(&mutex);
  for (int i = 0; i < 2; ++i) {
    int result = 0;
    assert(thrd_join(threads[i], &result) == thrd_success && result == -7);
  }
  mtx_destroy(&mutex);
  cnd_destroy(&changed);
}

static int leave(void* unused) {
  (void)unused;
  assert(!thrd_equal(thrd_current(), (thrd_t)0));
  thrd_exit(3);
}

void c11_exit_and_detach(void) {
  thrd_t thread;
  int result = 0;
  thrd_create(&thread, leave, NULL);
  assert(thrd_join(thread, &result) == thrd_success && result == 3);
  thrd_create(&thread, leave, NULL);
  assert(thrd_detach(thread) == thrd_success);
  thrd_yield();
}

static int locks_in_time(void* argument) {
  const struct timespec t = in_one_second();
  assert(mtx_trylock(argument) == thrd_busy);
  assert(mtx_timedlock(argument, &t) == thrd_timedout);
  return 0;
}

void c11_kinds_of_mutex(void) {
  thrd_t thread;
  assert(mtx_init(&mutex, mtx_timed | mtx_recursive) == thrd_success);
  mtx_lock(&mutex);
  assert(mtx_lock(&mutex) == thrd_success && mtx_trylock(&mutex) == thrd_success);
  thrd_create(&thread, locks_in_time, &mutex);
  thrd_join(thread, NULL);
  for (int i = 0; i < 3; ++i) assert(mtx_unlock(&mutex) == thrd_success);
  mtx_destroy(&mutex);
}

static void initialise(void) {
  thrd_yield();
  ++count;
}
static int call(void* unused) {
  (void)unused;
  call_once(&once, initialise);
  assert(count == 1);
  return 0;
}

void c11_once(void) {
  thrd_t threads[2];
  once = (once_flag)ONCE_FLAG_INIT;
  count = 0;
  for (int i = 0; i < 2; ++i) thrd_create(&threads[i], call, NULL);
  for (int i = 0; i < 2; ++i) thrd_join(threads[i], NULL);
}

static void destroy(void* value) {
  free(value);
  ++destroyed;
}
static int keep(void* unused) {
  (void)unused;
  assert(tss_get(key) == NULL);
  assert(tss_set(key, malloc(4)) == thrd_success);
  const struct timespec second = {1, 0};
  assert(thrd_sleep(&second, NULL) == 0);
  return tss_get(key) != NULL;
}

void c11_keys_and_sleep(void) {
  thrd_t thread;
  int kept = 0;
  destroyed = 0;
  assert(tss_create(&key, destroy) == thrd_success);
  thrd_create(&thread, keep, NULL);
  thrd_join(thread, &kept);
  assert(kept == 1 && destroyed == 1);
  tss_delete(key);
}

// --- What is wrong
// --------------------------------------------------------------------------------------

static int forget_to_lock(void* unused) {
  (void)unused;
  ++count;
  return 0;
}

void c11_race(void) {
  thrd_t thread;
  thrd_create(&thread, forget_to_lock, NULL);
  ++count;
  thrd_join(thread, NULL);
}

void c11_relock(void) {
  mtx_init(&mutex, mtx_plain);
  mtx_lock(&mutex);
  mtx_lock(&mutex);
}

void c11_lost_wakeup(void) {
  mtx_init(&mutex, mtx_plain);
  cnd_init(&changed);
  mtx_lock(&mutex);
  cnd_wait(&changed, &mutex);
}

void c11_joined_twice(void) {
  thrd_t thread;
  thrd_create(&thread, forget_to_lock, NULL);
  thrd_join(thread, NULL);
  thrd_join(thread, NULL);
}

// --- pthread_cleanup_push of C code, which has no destructors
// ------------------------------------------------------------

#include <pthread.h>

static void clean_up(void* digit) {
  count = count * 10 + (int)(long)digit;
}
static void leave_deeply(int depth) {
  pthread_cleanup_push(clean_up, (void*)(long)depth);
  if (depth == 3) pthread_exit(&count);
  leave_deeply(depth + 1);
  pthread_cleanup_pop(1);
}
static void* clean(void* unused) {
  pthread_cleanup_push(clean_up, (void*)9L);
  pthread_cleanup_pop(1);
  pthread_cleanup_push(clean_up, (void*)8L);
  pthread_cleanup_pop(0);
  leave_deeply(1);
  return unused;
}

void c_cleanup_handlers(void) {
  pthread_t thread;
  void* result = NULL;
  count = 0;
  pthread_create(&thread, NULL, clean, NULL);
  pthread_join(thread, &result);
  assert(result == &count && count == 9321);
}

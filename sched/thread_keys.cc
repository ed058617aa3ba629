// SPDX-License-Identifier: Apache-2.0
// pthread keys. A key is the C library's own, so that threads outside executions share it; what a
// logical thread keeps under it is here.
#include "sched/thread_keys.h"

#include <errno.h>
#include <limits.h>
#include <pthread.h>

#include "sched/engine.h"
#include "sched/real.h"

namespace sched {
namespace {

constexpr uint32_t kMaxValues = 32;  // of one thread

struct Key {
  bool made;
  bool temporary;  // made by the code under test in an execution, and gone with it
  void (*destructor)(void*);
};
struct Value {
  pthread_key_t key;
  void* value;
};
struct Values {
  uint32_t count;
  Value at[kMaxValues];
};

Key keys[PTHREAD_KEYS_MAX];
bool any_temporary;
Values values[kMaxThreads];

Value* find(Values& of, pthread_key_t key) {
  for (uint32_t i = 0; i < of.count; ++i)
    if (of.at[i].key == key) return &of.at[i];
  return nullptr;
}

void forget_value(Values& of, pthread_key_t key) {
  if (Value* v = find(of, key)) *v = of.at[--of.count];
}

void forget_key(pthread_key_t key) {
  for (Values& of : values) forget_value(of, key);
  keys[key] = {};
}

int set_value(pthread_key_t key, const void* value) {
  if (key >= PTHREAD_KEYS_MAX || !keys[key].made) return EINVAL;
  Values& mine = values[g.current];
  Value* v = find(mine, key);
  if (v == nullptr && value == nullptr) return 0;
  if (v == nullptr) {
    if (mine.count == kMaxValues)
      fail_execution(FailureKind::kLimit, "", "more than 32 thread-specific values in one thread");
    v = &mine.at[mine.count++];
  }
  *v = {key, const_cast<void*>(value)};
  return 0;
}

// The value with the smallest key that has a destructor; null if there is none.
Value* next_to_destroy(Values& of, pthread_key_t from) {
  Value* next = nullptr;
  for (uint32_t i = 0; i < of.count; ++i) {
    Value& v = of.at[i];
    if (v.key >= from && v.value != nullptr && keys[v.key].destructor != nullptr &&
        (next == nullptr || v.key < next->key))
      next = &v;
  }
  return next;
}

}  // namespace

void keys_reset() {
  if (!any_temporary) return;
  any_temporary = false;
  for (pthread_key_t key = 0; key < PTHREAD_KEYS_MAX; ++key) {
    if (!keys[key].temporary) continue;
    real().pthread_key_delete(key);
    forget_key(key);
  }
}

void keys_begin_thread(uint32_t index) {
  values[index].count = 0;
}

void keys_end_thread() {
  Values& mine = values[g.current];
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS; ++round) {
    bool any = false;
    for (pthread_key_t from = 0; Value* v = next_to_destroy(mine, from); any = true) {
      from = v->key + 1;
      void* value = v->value;
      v->value = nullptr;
      keys[v->key].destructor(value);
    }
    if (!any) return;
  }
}

}  // namespace sched

using namespace sched;

// The link asks for this name, so that these definitions are taken before a sanitizer's weak ones.
extern "C" const char sched_interpose_thread_keys;
const char sched_interpose_thread_keys = 1;

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))

SCHED_EXPORT int pthread_key_create(pthread_key_t* key, void (*destructor)(void*)) {
  const int rc = real().pthread_key_create(key, destructor);
  if (rc != 0 || *key >= PTHREAD_KEYS_MAX) return rc;
  // A library makes its keys once, whoever comes first, and keeps them.
  const bool temporary =
      here() && in_image(reinterpret_cast<uintptr_t>(__builtin_return_address(0)));
  keys[*key] = {true, temporary, destructor};
  any_temporary |= temporary;
  return 0;
}

SCHED_EXPORT int pthread_key_delete(pthread_key_t key) {
  if (key < PTHREAD_KEYS_MAX && keys[key].made) forget_key(key);
  return real().pthread_key_delete(key);
}

SCHED_EXPORT int pthread_setspecific(pthread_key_t key, const void* value) {
  return here() ? set_value(key, value) : real().pthread_setspecific(key, value);
}

SCHED_EXPORT void* pthread_getspecific(pthread_key_t key) {
  if (!here()) return real().pthread_getspecific(key);
  const Value* v = find(values[g.current], key);
  return v == nullptr ? nullptr : v->value;
}

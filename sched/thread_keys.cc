// SPDX-License-Identifier: Apache-2.0
#include "sched/thread_keys.h"

#include <errno.h>
#include <limits.h>

#include <cstring>

#include "sched/engine.h"
#include "sched/interpose.h"
#include "sched/real.h"
#include "sched/sync.h"

namespace sched {
namespace {

enum class Owner : uint8_t { kOther, kProgram, kExecution, kOnce };
struct Key {
  Owner owner;
  void (*destructor)(void*);
  const void* once;  // of kOnce, and when it has stayed: global_once_of
};
constexpr pthread_key_t kKeys = PTHREAD_KEYS_MAX;
Key keys[kKeys];
pthread_key_t top;           // all keys of ours are below
uint32_t made_in_execution;  // how many such keys there are
void* values[kMaxThreads][kKeys];

// From here on constructors run: keys made earlier belong to a sanitizer's runtime.
bool program_begins;
[[gnu::constructor(101)]] void note_begin() {
  program_begins = true;
}

bool is_of_execution(pthread_key_t key) {
  return keys[key].owner == Owner::kExecution || keys[key].owner == Owner::kOnce;
}

void forget(pthread_key_t key) {
  made_in_execution -= is_of_execution(key);
  keys[key] = Key{};
}

void end_keys(auto which) {
  for (pthread_key_t key = 0; key < top; ++key) {
    if (!which(keys[key])) continue;
    real().pthread_key_delete(key);
    forget(key);
  }
}

bool ours(pthread_key_t key) {
  return key < kKeys && keys[key].owner != Owner::kOther;
}

// True if a destructor ran.
bool destroy_values() {
  bool any = false;
  for (pthread_key_t key = 0; key < top; ++key) {
    void* value = values[g.current][key];
    if (value == nullptr || !ours(key) || keys[key].destructor == nullptr) continue;
    values[g.current][key] = nullptr;
    keys[key].destructor(value);
    any = true;
  }
  return any;
}

}  // namespace

void keys_reset() {
  if (made_in_execution != 0) {
    end_keys([](const Key& key) { return key.owner == Owner::kExecution; });
    for (pthread_key_t key = 0; key < top; ++key)
      if (keys[key].owner == Owner::kOnce) keys[key].owner = Owner::kProgram;
    made_in_execution = 0;
  }
  while (top != 0 && !ours(top - 1)) --top;
}

void keys_begin_thread(uint32_t thread) {
  memset(values[thread], 0, top * sizeof(void*));
}

void keys_end_thread() {
  for (int round = 0; round < PTHREAD_DESTRUCTOR_ITERATIONS && destroy_values(); ++round) {
  }
}

int key_create(pthread_key_t* key, void (*destructor)(void*), uintptr_t pc) {
  // A library makes its keys once, whoever comes first, and keeps them.
  const bool inside = here() && in_image(pc);
  const void* const once = inside ? global_once_of(g.current) : nullptr;
  if (once != nullptr)
    end_keys([=](const Key& old) { return old.owner == Owner::kProgram && old.once == once; });
  // For donors no destructor ever runs, since they do not end.
  const int rc = real().pthread_key_create(key, inside ? nullptr : destructor);
  if (rc != 0 || !program_begins || *key >= kKeys) return rc;
  const Owner owner = !inside           ? Owner::kProgram
                      : once == nullptr ? Owner::kExecution
                                        : Owner::kOnce;
  keys[*key] = {owner, destructor, once};
  made_in_execution += inside;
  if (*key >= top) {
    for (auto& of_thread : values) memset(of_thread + top, 0, (*key + 1 - top) * sizeof(void*));
    top = *key + 1;
  }
  for (auto& of_thread : values) of_thread[*key] = nullptr;
  return 0;
}

int key_delete(pthread_key_t key) {
  if (!here()) {
    if (ours(key)) forget(key);
    return real().pthread_key_delete(key);
  }
  if (!ours(key)) return EINVAL;
  // A key of the program lives in the next execution as well: its values go, the number stays.
  if (keys[key].owner == Owner::kExecution) {
    real().pthread_key_delete(key);
    forget(key);
  }
  for (auto& of_thread : values) of_thread[key] = nullptr;
  return 0;
}

void* key_get(pthread_key_t key) {
  if (!here() || !ours(key)) return real().pthread_getspecific(key);
  return values[g.current][key];
}

int key_set(pthread_key_t key, const void* value) {
  if (!here() || !ours(key)) return real().pthread_setspecific(key, value);
  values[g.current][key] = const_cast<void*>(value);
  return 0;
}

}  // namespace sched

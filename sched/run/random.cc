// SPDX-License-Identifier: Apache-2.0
// Random numbers, the same in every execution. What the C library promises for a seed stays true: its own
// generators run here, on a state of ours.
#include <stdlib.h>
#include <sys/random.h>
#include <sys/types.h>

#include <cerrno>
#include <cstdint>
#include <cstring>

#include "sched/engine.h"
#include "sched/run/process.h"
#include "sched/run/real_function.h"

namespace sched::program {
namespace {

random_data generator;
char generator_state[128];
bool seeded;
drand48_data generator48;
uint64_t entropy;

void seed(unsigned value) {
  if (!seeded) {
    generator = {};
    initstate_r(value, generator_state, sizeof generator_state, &generator);
  } else {
    srandom_r(value, &generator);
  }
  seeded = true;
}

int32_t next_number() {
  if (!seeded) seed(1);
  int32_t value;
  random_r(&generator, &value);
  return value;
}

uint32_t next_entropy() {  // splitmix64 (Steele, Lea, Flood, OOPSLA 2014)
  uint64_t z = (entropy += 0x9E3779B97F4A7C15u);
  z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
  z = (z ^ z >> 27) * 0x94D049BB133111EBu;
  return static_cast<uint32_t>(z >> 32);
}

void fill(void* to, size_t size) {
  auto* bytes = static_cast<unsigned char*>(to);
  for (size_t i = 0; i < size; ++i) bytes[i] = static_cast<unsigned char>(next_entropy());
}

}  // namespace

void random_restore() {
  seeded = false;
  generator48 = {};
  entropy = 0;
}

}  // namespace sched::program

using namespace sched::program;

SCHED_RUN_EXPORT void srandom(unsigned value) {
  seed(value);
}
SCHED_RUN_EXPORT void srand(unsigned value) {
  seed(value);
}
SCHED_RUN_EXPORT long random() {
  return next_number();
}
SCHED_RUN_EXPORT int rand() {
  return next_number();
}

SCHED_RUN_EXPORT void srand48(long value) {
  srand48_r(value, &generator48);
}
SCHED_RUN_EXPORT double drand48() {
  double value;
  drand48_r(&generator48, &value);
  return value;
}
SCHED_RUN_EXPORT long lrand48() {
  long value;
  lrand48_r(&generator48, &value);
  return value;
}
SCHED_RUN_EXPORT long mrand48() {
  long value;
  mrand48_r(&generator48, &value);
  return value;
}

SCHED_RUN_EXPORT ssize_t getrandom(void* to, size_t size, unsigned) {
  fill(to, size);
  return static_cast<ssize_t>(size);
}
SCHED_RUN_EXPORT int getentropy(void* to, size_t size) {
  if (size > 256) {
    errno = EIO;
    return -1;
  }
  fill(to, size);
  return 0;
}
SCHED_RUN_EXPORT uint32_t arc4random() {
  return next_entropy();
}
SCHED_RUN_EXPORT void arc4random_buf(void* to, size_t size) {
  fill(to, size);
}
SCHED_RUN_EXPORT uint32_t arc4random_uniform(uint32_t bound) {
  return bound == 0 ? 0 : static_cast<uint32_t>(uint64_t{next_entropy()} * bound >> 32);
}
// std::random_device asks the processor, which cannot be interposed on.
SCHED_RUN_EXPORT unsigned sched_random_device(void*) __asm__("_ZNSt13random_device9_M_getvalEv");
unsigned sched_random_device(void*) {
  return next_entropy();
}

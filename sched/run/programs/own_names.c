// SPDX-License-Identifier: Apache-2.0
// Has functions and variables of its own by names that the library and the engine have, too.
#include <pthread.h>
#include <stddef.h>

int g, shadow, fibers, search, say;

long random(void) {
  return 4;
}
int raise(int signal) {
  return signal + 1;
}
void* strdup(const char* text) {
  return (void*)text;
}
int fail(void) {
  return 7;
}
int run(void) {
  return 8;
}

static void* thread(void* unused) {
  return unused;
}

int main(void) {
  pthread_t t;
  pthread_create(&t, NULL, thread, NULL);
  pthread_join(t, NULL);
  return random() == 4 && raise(9) == 10 && strdup("") != NULL && fail() == 7 && run() == 8 ? g : 1;
}

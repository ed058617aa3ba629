// SPDX-License-Identifier: Apache-2.0
// Everything that an execution may leave to the next one: each must find it as a new process does.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include <cassert>
#include <cstdio>
#include <cstring>
#include <iostream>
#include <random>
#include <string>
#include <thread>
#include <vector>

namespace {

int zero;
int one = 1;
int table[1 << 20] = {7};
char large[100 << 20];
std::vector<int> made = {1, 2, 3};
thread_local int own = 5;
int marked;
int* heap_kept;

[[gnu::constructor(200)]] void early() {
  assert(marked++ == 0);
}
[[gnu::destructor]] void late() {
  assert(marked++ >= 1);
}

struct Local {
  std::string text = "a text that is too long for a small string";
  ~Local() { assert(text.size() > 30); }
};

Local& local() {
  static Local it;
  static int calls;
  assert(++calls <= 2);
  return it;
}

void globals() {
  assert(zero++ == 0);
  assert(one++ == 1);
  assert(table[0] == 7 && table[1 << 19] == 0);
  table[0] = table[1 << 19] = 8;
  assert(large[0] == 0 && large[50 << 20] == 0 && large[sizeof large - 1] == 0);
  large[0] = large[50 << 20] = large[sizeof large - 1] = 1;
  memset(large + (10 << 20) - 100, 1, 200);
  assert(made.size() == 3 && made[0] == 1);
  made[0] = 9;
  for (int i = 0; i < 100; ++i) made.push_back(i);
  assert(own++ == 5);
  assert(marked == 1);
  assert(heap_kept == nullptr);
  heap_kept = new int(1);
}

void library() {
  assert(rand() == 1804289383 && rand() == 846930886);  // glibc's numbers for seed 1
  srand(42);
  assert(rand() == 71876166);
  assert(drand48() < 1e-9);
  static unsigned long first[2];
  unsigned long number[2];
  assert(getrandom(number, sizeof number, 0) == sizeof number);
  (void)first;
  assert(number[0] != number[1]);
  assert(time(nullptr) == 1700000000);
  assert(getenv("LASTPUT_STATE") == nullptr);
  setenv("LASTPUT_STATE", "set", 1);
  assert(strcmp(getenv("HOME"), "changed") != 0);
  setenv("HOME", "changed", 1);
  std::cout << std::hex << 255;
  assert((std::cout.flags() & std::ios::hex) != 0);
}

void streams() {
  assert((std::cerr.flags() & std::ios::hex) == 0);
  std::cerr << std::hex;
  int fd = open("/dev/null", O_RDONLY);
  assert(fd == 3);
  FILE* file = fopen("/dev/null", "r");
  assert(file != nullptr && fileno(file) == 4);
  fclose(stdout);
  char* line = nullptr;
  size_t room = 0;
  FILE* own_name = fopen("/proc/self/comm", "r");
  assert(getline(&line, &room, own_name) == 6 && strcmp(line, "state\n") == 0);
  free(line);
  char* text = nullptr;
  assert(asprintf(&text, "%d %s", 12, "twelve") == 9 && strcmp(text, "12 twelve") == 0);
  free(text);
}

}  // namespace

int main(int argc, char** argv) {
  assert(argc == 2 && strcmp(argv[1], "argument") == 0);
  argv[1][0] = 'A';
  globals();
  library();
  streams();
  local();
  std::thread([] { assert(own++ == 5); }).join();
  atexit([] { assert(marked == 1); });
  return 0;
}

// SPDX-License-Identifier: Apache-2.0
// Crashes before main.
#include <cstdio>

struct Global {
  Global() { *pointer = 1; }
  int* volatile pointer = nullptr;
};
Global global;

int main() {
  std::puts("not reached");
  return 0;
}

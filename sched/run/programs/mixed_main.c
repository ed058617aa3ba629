// SPDX-License-Identifier: Apache-2.0
// C that calls C++ (mixed_part.cc), and the mathematical library.
#include <math.h>

int part(double value);

int main(int argc, char** argv) {
  (void)argv;
  return part(sqrt(argc * 4.0)) == 2 ? 0 : 1;
}

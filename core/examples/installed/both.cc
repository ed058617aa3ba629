// SPDX-License-Identifier: Apache-2.0
// Both platforms in one program: everything that depends on the platform lies in its own inline
// namespace.
#include <cstdio>

namespace linux_rseq {
unsigned count_to_release();
}
namespace portable {
unsigned count_to_release();
}

int main() {
  std::printf("released after %u and %u puts\n", linux_rseq::count_to_release(),
              portable::count_to_release());
}

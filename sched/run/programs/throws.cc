// SPDX-License-Identifier: Apache-2.0
// An exception leaves a thread.
#include <stdexcept>
#include <thread>

static void body() {
  throw std::runtime_error("out of the thread");
}

int main() {
  std::thread(body).join();
  return 0;
}

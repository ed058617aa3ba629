// SPDX-License-Identifier: Apache-2.0
// Compiled once for each platform.
#include <percpu/domain.h>
#include <percpu/ref.h>

namespace PERCPU_PLATFORM {

struct Counted : percpu::Ref {
  bool released = false;
};

// How many puts it takes until a ref with three references is released.
unsigned count_to_release() {
  percpu::Domain domain;
  Counted counted;
  const auto release = [](percpu::Ref& ref) { static_cast<Counted&>(ref).released = true; };
  if (counted.init(domain, release) != percpu::Status::kOk) return 0;
  counted.get_many(3);
  counted.kill();
  domain.drain();
  unsigned puts = 0;
  while (!counted.released && puts < 9) {
    counted.put();
    ++puts;
  }
  return puts;
}

}  // namespace PERCPU_PLATFORM

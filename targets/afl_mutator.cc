// SPDX-License-Identifier: Apache-2.0
// mutate.h for AFL++ (its docs/custom_mutators.md), which ignores the mutators of a target: lastput_mutator.so, named by
// AFL_CUSTOM_MUTATOR_LIBRARY. The kind of programs is that of $LASTPUT_TARGET ("managed"), else of the first
// THING_fuzzer on the command line of the process that loads it. Where it cannot tell, it says so and exits with 1.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

#include "targets/mutate.h"
#include "targets/random.h"

namespace targets {
namespace {

struct AflMutator {
  Random random;
  Kind kind;
  Mix mix;
  std::vector<uint8_t> out;  // until the next call
};

// "bin/managed_fuzzer" -> "managed"
std::string thing_of(const std::string& path) {
  constexpr std::string_view kEnd = "_fuzzer";
  const std::string name = path.substr(path.rfind('/') + 1);
  return name.ends_with(kEnd) ? name.substr(0, name.size() - kEnd.size()) : "";
}

const KindInfo* kind_of_process() {
  if (const char* target = std::getenv("LASTPUT_TARGET")) return find_kind(target);
  std::ifstream words("/proc/self/cmdline");
  for (std::string word; std::getline(words, word, '\0');)
    if (const KindInfo* info = find_kind(thing_of(word))) return info;
  return nullptr;
}

}  // namespace
}  // namespace targets

extern "C" {

void* afl_custom_init(void*, unsigned seed) {
  const targets::KindInfo* info = targets::kind_of_process();
  if (info == nullptr) {
    std::fputs("lastput: lastput_mutator.so: no target is named: set LASTPUT_TARGET to one of",
               stderr);
    for (const targets::KindInfo& kind : targets::kKinds) std::fprintf(stderr, " %s", kind.name);
    std::fputs("\n", stderr);
    std::exit(1);
  }
  return new targets::AflMutator{targets::Random(seed),
                                 info->kind,
                                 targets::mix_of_run(info->kind, targets::Engine::kAfl),
                                 {}};
}

// `other` is an input to splice, or null. Returns the size of *out; what does not fit leaves the input as it is.
size_t afl_custom_fuzz(void* mutator, uint8_t* data, size_t size, uint8_t** out, uint8_t* other,
                       size_t other_size, size_t max_size) {
  auto& self = *static_cast<targets::AflMutator*>(mutator);
  if (other == nullptr) other_size = 0;
  self.out = targets::mutate_input(self.random, self.kind, self.mix,
                                   {{data, size}, {other, other_size}, max_size});
  if (self.out.empty()) self.out.assign(data, data + size);
  *out = self.out.data();
  return self.out.size();
}

void afl_custom_deinit(void* mutator) {
  delete static_cast<targets::AflMutator*>(mutator);
}

}  // extern "C"

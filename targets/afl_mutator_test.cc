// SPDX-License-Identifier: Apache-2.0
// lastput_mutator.so as AFL++ uses it: loaded, asked, unloaded.
#include <dlfcn.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "targets/codec.h"
#include "targets/generate.h"

namespace targets {
namespace {

class AflMutator : public testing::Test {
 protected:
  void SetUp() override {
    unsetenv("LASTPUT_TARGET");
    unsetenv("LASTPUT_MUTATIONS");
    library = dlopen(LASTPUT_MUTATOR, RTLD_NOW);
    ASSERT_NE(library, nullptr) << dlerror();
    find("afl_custom_init", &init);
    find("afl_custom_fuzz", &fuzz);
    find("afl_custom_deinit", &deinit);
  }
  void TearDown() override {
    if (library != nullptr) dlclose(library);
  }

  template <typename Function>
  void find(const char* name, Function** function) {
    *function = reinterpret_cast<Function*>(dlsym(library, name));
    ASSERT_NE(*function, nullptr) << name;
  }

  // What `count` calls in a row make of one input.
  std::vector<std::vector<uint8_t>> mutate(Kind kind, unsigned seed, int count, bool with_other,
                                           size_t max_size) {
    Random random(5);
    std::vector<uint8_t> one = encode(generate_program(random, kind));
    std::vector<uint8_t> other = encode(generate_program(random, kind));
    void* mutator = init(nullptr, seed);
    std::vector<std::vector<uint8_t>> all;
    for (int i = 0; i < count; ++i) {
      uint8_t* out = nullptr;
      const size_t size =
          fuzz(mutator, one.data(), one.size(), &out, with_other ? other.data() : nullptr,
               with_other ? other.size() : 0, max_size);
      all.emplace_back(out, out + size);
    }
    deinit(mutator);
    return all;
  }

  void* library = nullptr;
  void* (*init)(void*, unsigned) = nullptr;
  size_t (*fuzz)(void*, uint8_t*, size_t, uint8_t**, uint8_t*, size_t, size_t) = nullptr;
  void (*deinit)(void*) = nullptr;
};

TEST_F(AflMutator, MutatesProgramsOfEachTarget) {
  for (const KindInfo& info : kKinds) {
    setenv("LASTPUT_TARGET", info.name, 1);
    const auto all = mutate(info.kind, 1, 1000, true, kMaxEncodedBytes);
    EXPECT_EQ(all, mutate(info.kind, 1, 1000, true, kMaxEncodedBytes)) << "not by the seed alone";
    EXPECT_NE(all, mutate(info.kind, 2, 1000, true, kMaxEncodedBytes));
    EXPECT_NE(all, mutate(info.kind, 1, 1000, false, kMaxEncodedBytes)) << "nothing is spliced";
    for (const auto& bytes : all) {
      const Program program = decode(bytes, info.kind).program;
      ASSERT_EQ(encode(program), bytes) << "these bytes are no program that was encoded";
      ASSERT_FALSE(check(program, info.kind));
    }
  }
}

TEST_F(AflMutator, KeepsWhatHasNoRoom) {
  setenv("LASTPUT_TARGET", "percpu_ref", 1);
  Random random(5);
  const std::vector<uint8_t> one = encode(generate_program(random, Kind::kPercpuRef));
  for (const auto& bytes : mutate(Kind::kPercpuRef, 1, 100, false, 8)) EXPECT_EQ(bytes, one);
}

TEST_F(AflMutator, RefusesATargetThatItCannotTell) {
  EXPECT_EXIT(init(nullptr, 1), testing::ExitedWithCode(1),
              "set LASTPUT_TARGET to one of percpu_ref ");
  setenv("LASTPUT_TARGET", "nothing", 1);
  EXPECT_EXIT(init(nullptr, 1), testing::ExitedWithCode(1), "no target is named");
  setenv("LASTPUT_TARGET", "managed", 1);
  setenv("LASTPUT_MUTATIONS", "new=many", 1);
  EXPECT_EXIT(init(nullptr, 1), testing::ExitedWithCode(1), "'new=many': a weight is a number");
}

}  // namespace
}  // namespace targets

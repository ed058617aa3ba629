// SPDX-License-Identifier: Apache-2.0
#include "targets/mutate.h"

#include <gtest/gtest.h>

#include <array>

#include "targets/codec.h"
#include "targets/generate.h"

namespace targets {
namespace {

// Every mutation gets its turn.
Mix even_mix() {
  Mix mix;
  mix.fill(1);
  return mix;
}

class MutateKind : public testing::TestWithParam<KindInfo> {
 protected:
  const Kind kind = GetParam().kind;
};

// Whether a kind of programs can have this change at all.
bool applies(Mutation mutation, Kind kind) {
  return mutation != Mutation::kMove || is_concurrent(kind);
}

TEST_P(MutateKind, EachMutationOccursAndLeavesAProgramThatDecodesAgain) {
  std::array<unsigned, kMutationKinds> made = {};
  Random random(1);
  Program program, other;
  for (int i = 0; i < 50000; ++i) {
    if (i % 100 == 0) program = smallest_program(kind), other = generate_program(random, kind);
    if (const uint32_t changes = mutate_program(random, kind, even_mix(), &other, program))
      for (size_t m = 0; m < made.size(); ++m) made[m] += changes >> m & 1;
    const auto problem = check(program, kind);
    ASSERT_FALSE(problem) << problem->text;
    ASSERT_EQ(decode(encode(program), kind).program, program);
  }
  for (const auto& [mutation, word, weight] : kMutations) {
    if (mutation == Mutation::kNew || mutation == Mutation::kBytes) continue;
    EXPECT_EQ(made[static_cast<size_t>(mutation)] > 2000, applies(mutation, kind))
        << word << ": " << made[static_cast<size_t>(mutation)];
  }
}

TEST_P(MutateKind, AMutationThatSaysSoHasChangedTheProgram) {
  Random random(2);
  std::array<unsigned, kMutationKinds> made = {};
  for (int i = 0; i < 10000; ++i) {
    Program before = generate_program(random, kind);
    before.preemptions.assign(random.below(5), {3, 1});
    const Program other = generate_program(random, kind);
    const Mutation mutation = kMutations[static_cast<size_t>(i) % kMutationKinds].mutation;
    Program after = before;
    if (!mutate_once(mutation, random, kind, &other, after)) continue;
    ASSERT_NE(after, before) << kMutations[static_cast<size_t>(mutation)].word;
    ++made[static_cast<size_t>(mutation)];
  }
  for (const auto& [mutation, word, weight] : kMutations)
    EXPECT_EQ(made[static_cast<size_t>(mutation)] > 100,
              applies(mutation, kind) && mutation != Mutation::kBytes)
        << word;
}

TEST_P(MutateKind, TheSameSeedMakesTheSameInput) {
  const Mix mix = default_mix(kind, Engine::kAfl);
  std::array<unsigned, kMutationKinds> made = {};
  size_t different = 0;
  for (uint64_t seed = 0; seed < 5000; ++seed) {
    Random material(seed), random(seed + 1), again(seed + 1), another(seed + 2);
    const std::vector<uint8_t> one = encode(generate_program(material, kind));
    const std::vector<uint8_t> other = encode(generate_program(material, kind));
    const MutationInput input{one, other, kMaxEncodedBytes};
    uint32_t changes = 0;
    const std::vector<uint8_t> bytes = mutate_input(random, kind, mix, input, &changes);
    for (size_t m = 0; m < made.size(); ++m) made[m] += changes >> m & 1;
    ASSERT_EQ(bytes.empty(), changes == 1u << static_cast<unsigned>(Mutation::kBytes));
    ASSERT_EQ(bytes, mutate_input(again, kind, mix, input));
    different += bytes != mutate_input(another, kind, mix, input);
    Random splicing(seed), once_more(seed);
    ASSERT_EQ(splice_inputs(splicing, kind, input), splice_inputs(once_more, kind, input));
  }
  EXPECT_GT(different, 4000u);
  for (const auto& [mutation, word, weight] : kMutations)
    EXPECT_EQ(made[static_cast<size_t>(mutation)] > 0, weight[1] > 0 && applies(mutation, kind))
        << word;
}

TEST_P(MutateKind, WhatDoesNotFitIsNotMade) {
  Random random(3);
  const std::vector<uint8_t> one = encode(generate_program(random, kind));
  size_t fits = 0;
  for (int i = 0; i < 2000; ++i) {
    const size_t max_size = kSetupBytes + random.below(60);
    const MutationInput input{one, one, max_size};
    const std::vector<uint8_t> bytes = mutate_input(random, kind, even_mix(), input);
    ASSERT_LE(bytes.size(), max_size);
    ASSERT_LE(splice_inputs(random, kind, input).size(), max_size);
    fits += !bytes.empty();
  }
  EXPECT_GT(fits, 200u);
  EXPECT_LT(fits, 1800u);
}

// Only what the second program has can come from there.
TEST_P(MutateKind, SplicingBringsOperationsOfTheOther) {
  Random random(4);
  Program one = smallest_program(kind), other = smallest_program(kind);
  other.threads[0] = {{OpCode::kMigrate}, {OpCode::kYield}};
  size_t both = 0;
  for (int i = 0; i < 200; ++i) {
    const std::vector<uint8_t> bytes =
        splice_inputs(random, kind, {encode(one), encode(other), kMaxEncodedBytes});
    const Program spliced = decode(bytes, kind).program;
    ASSERT_GT(operation_count(spliced), 0u);
    both += operation_count(spliced) == 2;
  }
  EXPECT_GT(both, 30u);
}

INSTANTIATE_TEST_SUITE_P(All, MutateKind, testing::ValuesIn(kKinds),
                         [](const auto& info) { return std::string(info.param.name); });

TEST(Mix, TextChangesWhatItNames) {
  Mix mix = default_mix(Kind::kPercpuRef, Engine::kLibFuzzer);
  EXPECT_EQ(parse_mix(" new=0  splice=7", &mix), "");
  EXPECT_EQ(mix[static_cast<size_t>(Mutation::kNew)], 0u);
  EXPECT_EQ(mix[static_cast<size_t>(Mutation::kSplice)], 7u);
  EXPECT_EQ(
      mix[static_cast<size_t>(Mutation::kErase)],
      default_mix(Kind::kPercpuRef, Engine::kLibFuzzer)[static_cast<size_t>(Mutation::kErase)]);
  EXPECT_NE(parse_mix("new", &mix), "");
  EXPECT_NE(parse_mix("renew=1", &mix), "");
  EXPECT_NE(parse_mix("new=x", &mix), "");
  EXPECT_NE(parse_mix("new=1001", &mix), "");
  std::string none;
  for (const MutationInfo& info : kMutations) none += std::string(info.word) + "=0 ";
  EXPECT_EQ(parse_mix(none, &mix), "no mutation is left");
}

}  // namespace
}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "targets/codec.h"

#include <gtest/gtest.h>

#include "targets/count.h"
#include "targets/generate.h"

namespace targets {
namespace {

std::vector<uint8_t> random_bytes(Random& random, unsigned longest) {
  std::vector<uint8_t> bytes(random.below(longest + 1));
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random.next());
  if (!bytes.empty() && !random.one_in(16)) bytes[0] = kCodecVersion;
  return bytes;
}

TEST(Codec, AnyBytesDecodeToAValidProgramThatSurvivesTheRoundTrip) {
  Random random(1);
  size_t operations = 0, dropped = 0;
  for (int i = 0; i < 100000; ++i) {
    const std::vector<uint8_t> bytes = random_bytes(random, 300);
    const Kind kind = generate_kind(random);
    const Decoded decoded = decode(bytes, kind);
    const auto problem = check(decoded.program, kind);
    ASSERT_FALSE(problem) << problem->text;
    ASSERT_EQ(decode(encode(decoded.program), kind).program, decoded.program);
    operations += operation_count(decoded.program);
    dropped += decoded.dropped;
  }
  EXPECT_GT(operations, 600000u);  // 614,843: six in a program
  EXPECT_GT(dropped, 500000u);
}

TEST(Codec, GeneratedProgramsSurviveTheRoundTrip) {
  Random random(2);
  for (int i = 0; i < 20000; ++i) {
    const Kind kind = generate_kind(random);
    const Program program = generate_program(random, kind);
    ASSERT_FALSE(check(program, kind));
    const Decoded decoded = decode(encode(program), kind);
    ASSERT_EQ(decoded.program, program);
    ASSERT_EQ(decoded.dropped, 0u);
  }
}

TEST(Codec, EmptyAndZeroBytesAreTheSmallestProgram) {
  EXPECT_EQ(decode({}, Kind::kPercpuRef).program, Program{});
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  bytes[0] = kCodecVersion;
  for (const KindInfo& info : kKinds) {
    const Program smallest = decode({}, info.kind).program;
    EXPECT_EQ(decode(bytes, info.kind).program, smallest);
    EXPECT_FALSE(check(smallest, info.kind)) << info.name;
  }
}

TEST(Codec, AnotherVersionIsSaidAndNotRead) {
  const std::vector<uint8_t> bytes = {kCodecVersion + 1, 0, 2, 3, 4};
  const Decoded decoded = decode(bytes, Kind::kPercpuRef);
  EXPECT_TRUE(decoded.unknown_version);
  EXPECT_EQ(decoded.program, Program{});
  EXPECT_EQ(decode(bytes, Kind::kPercpuPool).program, decode({}, Kind::kPercpuPool).program);
}

TEST(Codec, Version1IsReadAsItWas) {
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  bytes[0] = 1;
  bytes.insert(bytes.end(), {2 * 32 + 1, 0, 0});  // operation 1; in version 2 there is a 65
  const Decoded decoded = decode(bytes, Kind::kPercpuRef);
  ASSERT_FALSE(decoded.unknown_version);
  EXPECT_EQ(decoded.program.threads[0], std::vector{Operation{OpCode::kGet}});
  bytes[0] = 2;
  bytes[kSetupBytes] = 128 + 1;
  EXPECT_EQ(decode(bytes, Kind::kPercpuRef).program, decoded.program);
}

TEST(Codec, WhatJoinsPartsIsDroppedElsewhereAndTakesNoRoom) {
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  bytes[0] = kCodecVersion;
  for (int i = 0; i < 3; ++i)
    bytes.insert(bytes.end(), {static_cast<uint8_t>(OpCode::kListInsertRef), 0, 5});
  for (unsigned i = 0; i < kMaxOperations; ++i) bytes.insert(bytes.end(), {0, 0, 0});
  for (const KindInfo& info : kKinds) {
    const Decoded decoded = decode(bytes, info.kind);
    const bool joined = info.kind == Kind::kMixed;
    EXPECT_EQ(decoded.dropped, 3u) << info.name;
    EXPECT_EQ(decoded.program.threads[0].size(), kMaxOperations) << info.name;
    EXPECT_EQ(decoded.program.threads[0][0].code, joined ? OpCode::kListInsertRef : OpCode::kYield);
  }
}

TEST(Codec, NumbersOfAllocationsBeginAt1) {
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  bytes[0] = kCodecVersion;
  for (const uint8_t number : std::initializer_list<uint8_t>{0, 63, 64})
    bytes.insert(bytes.end(), {static_cast<uint8_t>(OpCode::kFailAllocation), 0, number});
  const Program program = decode(bytes, Kind::kPercpuPool).program;
  const std::vector<Operation> expected = {{OpCode::kFailAllocation, 0, 1},
                                           {OpCode::kFailAllocation, 0, kMaxFailAllocation},
                                           {OpCode::kFailAllocation, 0, 1}};
  EXPECT_EQ(program.threads[0], expected);
  EXPECT_TRUE(decode(bytes, Kind::kPercpuRef).program.threads[0].empty());
  EXPECT_EQ(decode(bytes, Kind::kSequential).program.threads[0], expected);
}

TEST(Codec, CountsWhatItDrops) {
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  bytes[0] = kCodecVersion;
  const auto add = [&](uint8_t a, uint8_t b, uint8_t c) { bytes.insert(bytes.end(), {a, b, c}); };
  add(127, 0, 0);                             // no such operation
  add(14, 0, 0);                              // switch_to_percpu of a ref without a flag for it
  for (int i = 0; i < 33; ++i) add(1, 0, 0);  // two more than fit beside it
  bytes.push_back(1);                         // an incomplete record is not even counted
  const Decoded decoded = decode(bytes, Kind::kPercpuRef);
  EXPECT_EQ(decoded.dropped, 4u);
  EXPECT_EQ(decoded.program.threads[0].size(), kMaxOperations - 1);
}

TEST(Codec, AnEditOfOneRecordLeavesTheOthersAlone) {
  Random random(3);
  for (int i = 0; i < 1000; ++i) {
    Program program = generate_program(random, Kind::kSequential);
    std::vector<uint8_t> bytes = encode(program);
    const size_t records = (bytes.size() - kSetupBytes) / kRecordBytes;
    const size_t edited = random.below(static_cast<unsigned>(records));
    bytes[kSetupBytes + edited * kRecordBytes + 2] = static_cast<uint8_t>(random.next());
    Program after = decode(bytes, Kind::kSequential).program;
    ASSERT_EQ(after.threads[0].size(), program.threads[0].size());
    after.threads[0][edited] = program.threads[0][edited];
    ASSERT_EQ(after, program);
  }
}

TEST(Count, EveryByteIsACountAndCountsComeBack) {
  for (unsigned byte = 0; byte < 256; ++byte) {
    const uint64_t count = count_from_byte(static_cast<uint8_t>(byte));
    ASSERT_GE(count, 1u);
    ASSERT_LE(count, uint64_t{1} << 56);
    ASSERT_EQ(count_from_byte(count_to_byte(count).value()), count);
  }
  EXPECT_EQ(count_to_byte(0), std::nullopt);
  EXPECT_EQ(count_to_byte(66), std::nullopt);
}

}  // namespace
}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "stress/recorder.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "stress/ring_program.h"
#include "targets/text.h"

namespace stress {
namespace {

using targets::OpCode;

TEST(RecorderTest, KeepsTheLastOperationsInOrder) {
  Recorder recorder(2, "");
  Ring& ring = recorder.ring(1);
  for (unsigned i = 0; i < Ring::kEntries + 10; ++i) ring.begin(OpCode::kPutMany, i, i + 1);
  ring.answer(true);
  const std::vector<Recorded> last = ring.last(3);
  ASSERT_EQ(last.size(), 3u);
  EXPECT_EQ(last[0].object, Ring::kEntries + 7);
  EXPECT_EQ(last[2].object, Ring::kEntries + 9);
  EXPECT_EQ(last[2].argument, Ring::kEntries + 10);
  EXPECT_EQ(last[2].code, OpCode::kPutMany);
  EXPECT_TRUE(last[2].answered && last[2].answer);
  EXPECT_FALSE(last[1].answered);
  EXPECT_LE(last[0].at, last[2].at);
  EXPECT_EQ(recorder.ring(0).last(3).size(), 0u);
  EXPECT_EQ(ring.last(1U << 30).size(), Ring::kEntries - 1) << "the oldest may be torn";
}

TEST(RecorderTest, TextNamesOperationsAndAnswers) {
  Recorder recorder(1, "");
  recorder.ring(0).begin(OpCode::kTryget, 3);
  recorder.ring(0).answer(false);
  const std::string text = recorded_text(recorder.ring(0), 5, 0, 1000);
  EXPECT_NE(text.find("tryget 3: no\n"), std::string::npos) << text;
}

TEST(RecorderTest, AFileOutlivesTheRecorder) {
  const std::string path = testing::TempDir() + "recorder_test_rings_" + std::to_string(getpid());
  {
    Recorder recorder(1, path);
    ASSERT_EQ(recorder.obstacle(), "");
    recorder.ring(0).begin(OpCode::kKill, 1);
  }
  EXPECT_EQ(std::filesystem::file_size(path), sizeof(Ring));
  std::filesystem::remove(path);
}

TEST(RecorderTest, WithoutAFileMemoryDoesAndTheReasonIsKept) {
  Recorder recorder(1, "/proc/no such folder/rings");
  EXPECT_NE(recorder.obstacle().find("No such file"), std::string::npos) << recorder.obstacle();
  recorder.ring(0).begin(OpCode::kGet, 0);
  EXPECT_EQ(recorder.ring(0).recorded(), 1u);
  // No regular file; and it is still there afterwards.
  EXPECT_NE(Recorder(1, "/dev/null").obstacle(), "");
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(RingProgramTest, TheLastOperationsAreAProgramThatTheEngineTakes) {
  Recorder recorder(2, "");
  for (unsigned i = 0; i < 40; ++i) {
    recorder.ring(0).begin(OpCode::kGetMany, 3, i * 1000);
    recorder.ring(1).begin(i % 2 == 0 ? OpCode::kTryget : OpCode::kPut, 3);
    recorder.ring(1).begin(OpCode::kKillAndConfirm, 3);
    recorder.ring(1).begin(OpCode::kFindTrygetLive, 3);
  }
  const targets::Program program = program_of({&recorder.ring(0), &recorder.ring(1)}, 7);
  EXPECT_FALSE(targets::check(program, targets::Kind::kPercpuRef).has_value());
  EXPECT_EQ(targets::operation_count(program), 2 * kProgramOperations);
  const std::string text = program_text(program, "G2", "released while held");
  targets::Artifact artifact;
  targets::ParseError error;
  EXPECT_TRUE(targets::parse(text, &artifact, &error)) << error.to_string() << "\n" << text;
  EXPECT_EQ(artifact.program, program);
  EXPECT_EQ(program_text(program_of({&Recorder(1, "").ring(0)}, 7), "G2", ""), "")
      << "nothing was done";
}

}  // namespace
}  // namespace stress

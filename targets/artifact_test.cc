// SPDX-License-Identifier: Apache-2.0
#include "targets/artifact.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <vector>

#include "targets/sha1.h"

namespace targets {
namespace {

std::string sha1_of(std::string_view text) {
  return sha1_hex({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
}

TEST(Sha1, VectorsOfFips180) {
  EXPECT_EQ(sha1_of(""), "da39a3ee5e6b4b0d3255bfef95601890afd80709");
  EXPECT_EQ(sha1_of("abc"), "a9993e364706816aba3e25717850c26c9cd0d89d");
  EXPECT_EQ(sha1_of("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
  EXPECT_EQ(sha1_of(std::string(1000000, 'a')), "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
}

class Files : public testing::Test {
 protected:
  void SetUp() override {
    folder_ =
        std::filesystem::temp_directory_path() / ("artifact_test." + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }
  std::string path(const char* name) { return (folder_ / name).string(); }
  std::filesystem::path folder_;
};

TEST_F(Files, AnArtifactIsWrittenWholeAndReadsBack) {
  Artifact artifact;
  artifact.guarantee = "G2";
  artifact.message = "released while held";
  const std::string written = write_artifact(path("deep/er/"), artifact);
  ASSERT_NE(written, "");
  std::string text, error;
  ASSERT_TRUE(read_file(written, &text, &error)) << error;
  EXPECT_EQ(text, print(artifact));
  // No temporary is left beside it.
  const auto entries = std::filesystem::directory_iterator(path("deep/er"));
  EXPECT_EQ(std::distance(begin(entries), end(entries)), 1);
}

TEST_F(Files, ErrorsSayWhatAndWhere) {
  std::string text, error;
  EXPECT_FALSE(read_file(path("none"), &text, &error));
  EXPECT_EQ(error, path("none") + ": No such file or directory");
  ASSERT_TRUE(write_file(path("file"), "x", &error)) << error;
  EXPECT_FALSE(write_file(path("file/below"), "x", &error));
  EXPECT_NE(error.find(path("file")), std::string::npos);
}

TEST_F(Files, WhatCannotBeWrittenIsPrinted) {
  std::string error;
  ASSERT_TRUE(write_file(path("file"), "x", &error));
  testing::internal::CaptureStderr();
  Artifact artifact;
  EXPECT_EQ(write_artifact(path("file/"), artifact), "");
  const std::string printed = testing::internal::GetCapturedStderr();
  EXPECT_NE(printed.find(print(artifact)), std::string::npos);
}

TEST_F(Files, ALinkIsWrittenThrough) {
  std::string error;
  ASSERT_TRUE(write_file(path("real"), "old", &error)) << error;
  std::filesystem::create_symlink(path("real"), path("link"));
  ASSERT_TRUE(write_file(path("link"), "new", &error)) << error;
  EXPECT_TRUE(std::filesystem::is_symlink(path("link")));
  std::string contents;
  ASSERT_TRUE(read_file(path("real"), &contents, &error));
  EXPECT_EQ(contents, "new");
  EXPECT_TRUE(write_file("/dev/null", "x", &error)) << error;
  EXPECT_TRUE(std::filesystem::is_character_file("/dev/null"));
}

TEST(Json, StringsAreEscaped) {
  EXPECT_EQ(json_string("a\"b\\\n"), "\"a\\\"b\\\\\\u000a\"");
}

}  // namespace
}  // namespace targets

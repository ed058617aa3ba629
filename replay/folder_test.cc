// SPDX-License-Identifier: Apache-2.0
#include "replay/folder.h"

#include <gtest/gtest.h>

#include "replay/page.h"

namespace replay {
namespace {

Member failed(const std::string& path, const Group& group, size_t operations = 1) {
  return {path, Member::End::kFailed, group, "released twice", operations, 2, 3};
}

TEST(Folder, LinesSurviveWhateverNamesSay) {
  for (const std::string path : {"a", "a\nb", "\x1b[31m", "{\"end\": 3}", ""}) {
    Member read;
    const Member written = failed(path, {"G1", "guarantee", "", "put", "f(\"x\")"});
    const std::string line = to_line(written);
    EXPECT_EQ(line.find('\n'), std::string::npos);
    ASSERT_TRUE(from_line(line, &read)) << line;
    EXPECT_EQ(read.path, path);
    EXPECT_EQ(read.group, written.group);
    EXPECT_EQ(read.end, Member::End::kFailed);
    EXPECT_EQ(read.operations, 1U);
    EXPECT_EQ(read.executions, 3U);
  }
}

TEST(Folder, OtherLinesAreNone) {
  Member member;
  for (const char* line :
       {"", "[]", "{}", "{\"end\": \"failed\"}", "{\"end\": \"odd\", \"group\": {}}",
        "{\"end\": \"failed\", \"group\": 3}", "{\"end\": \"failed\""})
    EXPECT_FALSE(from_line(line, &member)) << line;
}

TEST(Folder, ExitCodesAreThoseOfAll) {
  Folder folder;
  EXPECT_EQ(exit_code(folder), 1);
  folder.members.emplace_back();
  folder.members.back().end = Member::End::kNoArtifact;
  EXPECT_EQ(exit_code(folder), 1);
  folder.members.emplace_back();
  EXPECT_EQ(exit_code(folder), 0);
  folder.members.emplace_back();
  folder.members.back().end = Member::End::kNotReplayed;
  EXPECT_EQ(exit_code(folder), 3);
  folder.members.push_back(failed("x", {}));
  EXPECT_EQ(exit_code(folder), 77);
}

TEST(Group, OfAProgramIsInItsLastWords) {
  Group group;
  ASSERT_TRUE(group_of_summary("x\nSUMMARY: lastput: data-race in f(int) a b.c:3\nexecutions: 1\n",
                               &group));
  EXPECT_EQ(group, (Group{"", "data-race", "", "", "f(int) a"})) << "a place has no spaces";
  ASSERT_TRUE(group_of_summary("SUMMARY: lastput: deadlock in main a.c:21\n", &group));
  EXPECT_EQ(group, (Group{"", "deadlock", "", "", "main"}));
  ASSERT_TRUE(group_of_summary("SUMMARY: lastput: leak\n", &group));
  EXPECT_EQ(group, (Group{"", "leak", "", "", ""}));
  EXPECT_FALSE(group_of_summary("does not fail\n", &group));
}

TEST(Group, InWords) {
  EXPECT_EQ(in_words({"G2", "guarantee", "", "put", "f"}),
            "G2 (release while held), guarantee, in put: f");
  EXPECT_EQ(in_words({"", "deadlock", "", "", "main"}), "deadlock: main");
}

TEST(Page, KnowsTheWordsOfARef) {
  EXPECT_EQ(ref_label("ref0"), "ref0 mode");
  EXPECT_EQ(ref_label("ref2+8"), "ref2 count");
  EXPECT_EQ(ref_label("ref2+16"), "");
  EXPECT_EQ(ref_label("heap#3+8"), "");
  EXPECT_EQ(ref_label("ref"), "");
  EXPECT_EQ(ref_meaning("ref0", "0x200000000e83"), "dead, atomic");
  EXPECT_EQ(ref_meaning("ref0", "0x200000000e80"), "live, percpu");
  EXPECT_EQ(ref_meaning("ref0", "5"), "not initialised");
  EXPECT_EQ(ref_meaning("ref0", "held by T1"), "");
  EXPECT_EQ(ref_meaning("ref0+8", "1"), "");
}

}  // namespace
}  // namespace replay

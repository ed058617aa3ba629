// SPDX-License-Identifier: Apache-2.0
#include "targets/text.h"

#include <gtest/gtest.h>

#include "targets/generate.h"

namespace targets {
namespace {

Artifact random_artifact(Random& random) {
  Artifact artifact;
  const Kind kind = generate_kind(random);
  artifact.target = kind_info(kind).name;
  artifact.program = generate_program(random, kind);
  if (random.one_in(2)) artifact.bug = "no-bias";
  if (random.one_in(2)) artifact.memory = Memory::kSequential;
  if (random.one_in(2)) {
    artifact.guarantee = "G2";
    artifact.message = random.one_in(2) ? "" : "release of ref0 ran # with 3 held";
  }
  if (random.one_in(2)) artifact.build = "clang 14, explore";
  if (random.one_in(2)) artifact.steps = random.next();
  if (random.one_in(2)) artifact.hash = random.next();
  artifact.has_schedule = random.one_in(2);
  for (unsigned n = artifact.has_schedule ? random.below(5) : 0; n > 0; --n)
    artifact.schedule.push_back(
        {thread_name(random.below(4)), random.below(9), random.below(99), "main.1"});
  for (unsigned n = random.below(3); n > 0; --n)
    artifact.program.preemptions.push_back({static_cast<uint8_t>(random.below(256)), 3});
  return artifact;
}

TEST(Text, PrintedArtifactsParseToThemselves) {
  Random random(1);
  for (int i = 0; i < 20000; ++i) {
    const Artifact artifact = random_artifact(random);
    const std::string text = print(artifact);
    Artifact parsed;
    ParseError error;
    ASSERT_TRUE(parse(text, &parsed, &error)) << error.to_string() << "\n" << text;
    ASSERT_EQ(parsed, artifact) << text;
    ASSERT_TRUE(looks_like_text(text));
  }
}

TEST(Text, WhatAPersonWrites) {
  const char text[] =
      "# a comment first\n"
      "\n"
      "lastput 1   # version\r\n"
      "setup ref tokens 1,2 release free\n"
      "thread T1\n get ref0\n\tput_many ref0 64\nthread T2\n  give ref0 T1 # hands it on\n"
      "schedule\n T1 op 2 point 3 -> T2\nend\n";
  Artifact artifact;
  ParseError error;
  ASSERT_TRUE(parse(text, &artifact, &error)) << error.to_string();
  EXPECT_EQ(artifact.program.threads.size(), 2u);
  EXPECT_EQ(artifact.program.refs[0].tokens[1], 2);
  EXPECT_EQ(artifact.program.refs[0].release, ReleaseAction::kFree);
  EXPECT_EQ(artifact.program.threads[0][1], (Operation{OpCode::kPutMany, 0, 64}));
  ASSERT_EQ(artifact.schedule.size(), 1u);
  EXPECT_EQ(artifact.schedule[0], (sched::Choice{"T1", 2, 3, "T2"}));
}

std::string error_of(const std::string& text) {
  Artifact artifact;
  ParseError error;
  return parse(text, &artifact, &error) ? "parsed" : error.to_string();
}

TEST(Text, ErrorsNamePlaceAndWhatWasExpected) {
  const std::string head = "lastput 1\nsetup ref flags reinit\n";
  EXPECT_EQ(error_of(""),
            "line 1, column 1: expected `lastput 1` as the first line, found the end of the line");
  EXPECT_EQ(
      error_of("lastput 2\n"),
      "line 1, column 9: format version 2 is not known here: only version 1 is; it may come from a "
      "newer lastput");
  EXPECT_EQ(error_of(head + "thread T1\n get ref0\n"),
            "line 5, column 1: the text is cut off: no `end`");
  EXPECT_EQ(error_of(head + "thread T1\n  get ref7\nend\n"),
            "line 4, column 7: expected a ref (ref0..ref2), found `ref7`");
  EXPECT_EQ(error_of(head + "thread T1\n  get ref1\nend\n"), "line 4, column 1: get: no such ref");
  EXPECT_EQ(error_of(head + "thread T2\nend\n"), "line 3, column 8: expected `T1`, found `T2`");
  EXPECT_EQ(
      error_of(head + "thread T1\n  grab ref0\nend\n"),
      "line 4, column 3: expected an operation (get, put, tryget, kill, ...), thread, schedule or "
      "end, found `grab`");
  EXPECT_EQ(error_of(head + "thread T1\n  get ref0 5\nend\n"),
            "line 4, column 12: expected the end of the line, found `5`");
  EXPECT_EQ(error_of("lastput 1\nthread T1\n  resurrect ref0\nend\n"),
            "line 3, column 1: resurrect: needs one of the flags atomic, dead, reinit, managed");
  EXPECT_EQ(error_of(head + "end\n"), "line 3, column 1: a program needs a thread: `thread T1`");
  EXPECT_EQ(error_of("lastput 1\ntarget percpu_pool\nsetup pool low 2 high 1\nthread T1\nend\n"),
            "line 3, column 1: pool: low 0..3, high low..low+7");
  const std::string mixed = "lastput 1\ntarget mixed\nthread T1\n";
  EXPECT_EQ(error_of(mixed + "  list_insert_ref list0 ref0\n  list_insert_area list0 pool0\nend\n"),
            "parsed");
  EXPECT_EQ(error_of(mixed + "  list_insert_ref list0 ref1\nend\n"),
            "line 4, column 1: list_insert_ref: no such ref");
  EXPECT_EQ(error_of(mixed + "  list_insert_area list0 ref0\nend\n"),
            "line 4, column 26: expected a pool (pool0..pool1), found `ref0`");
  EXPECT_EQ(error_of(mixed + "  fail_allocation 65\nend\n"),
            "line 4, column 19: expected the number of an allocation (1..64), found `65`");
  EXPECT_EQ(error_of("lastput 1\nthread T1\n  fail_allocation 1\nend\n"),
            "line 3, column 1: fail_allocation: no thread of this target allocates");
  EXPECT_EQ(error_of("lastput 1\nthread T1\n  find_tryget ref0\nend\n"),
            "line 3, column 1: find_tryget: only in target mixed");
  EXPECT_EQ(error_of("lastput 1\nsetup list form loose\n"),
            "line 2, column 17: expected one of locked tryget deferred blocking, found `loose`");
  EXPECT_EQ(error_of("lastput 1\nsetup cpus 9\n"),
            "line 2, column 12: expected a number of CPUs (1..4), found `9`");
}

TEST(Text, NoTextMakesTheParserCrash) {
  Random random(4);
  for (int i = 0; i < 20000; ++i) {
    std::string text = print(random_artifact(random));
    for (unsigned n = 1 + random.below(3); n > 0; --n) {
      const size_t at = random.below(static_cast<unsigned>(text.size()));
      if (random.one_in(2)) {
        text[at] = static_cast<char>(random.below(128));
      } else {
        text.erase(at, random.below(8));
      }
    }
    Artifact artifact;
    ParseError error;
    if (parse(text, &artifact, &error)) {
      ASSERT_FALSE(check(artifact.program, artifact.kind()));
    }
  }
}

}  // namespace
}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "audit/core_tree.h"
#include "audit/journal.h"
#include "audit/kept.h"
#include "audit/report.h"
#include "audit/search.h"
#include "audit/site.h"
#include "bugs/process.h"

namespace audit {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> keys(const std::string& source) {
  std::vector<std::string> keys;
  for (const Site& site : find_sites("f.cc", source))
    for (const Mutant& mutant : site.mutants) keys.push_back(mutant.key);
  return keys;
}
using Keys = std::vector<std::string>;

TEST(Sites, HaveEachWeakerOrderOnce) {
  EXPECT_EQ(keys("void f() { a.load(std::memory_order_acquire); }"),
            Keys({"f.cc f load acquire to relaxed"}));
  EXPECT_EQ(keys("void f() { a->store(1, std::memory_order::seq_cst); }"),
            (Keys{"f.cc f store seq_cst to release", "f.cc f store seq_cst to relaxed"}));
  EXPECT_EQ(
      keys("int A::g() { return a.fetch_sub(n, memory_order_acq_rel); }"),
      (Keys{"f.cc A::g fetch_sub acq_rel to acquire", "f.cc A::g fetch_sub acq_rel to release",
            "f.cc A::g fetch_sub acq_rel to relaxed"}));
  EXPECT_EQ(keys("void f() { std::atomic_thread_fence(std::memory_order_acq_rel); }"),
            (Keys{"f.cc f fence acq_rel to acquire", "f.cc f fence acq_rel to release",
                  "f.cc f fence acq_rel to nothing"}));
  EXPECT_EQ(keys("void f() { a.load(std::memory_order_relaxed); }"), Keys());
}

TEST(Sites, AreAlsoWhereTheOrderIsLeftOut) {
  const std::string source = "void f() { a.exchange(g(1, 2)); b.load(); s.wait(lock); v.clear(); }";
  const std::vector<Site> sites = find_sites("f.cc", source);
  ASSERT_EQ(sites.size(), 2U);
  EXPECT_EQ(sites[0].order, "seq_cst");
  EXPECT_EQ(mutated(sites[0].mutants[3], source),
            "void f() { a.exchange(g(1, 2), std::memory_order_relaxed); b.load(); s.wait(lock); "
            "v.clear(); }");
  EXPECT_EQ(mutated(sites[1].mutants[0], source),
            "void f() { a.exchange(g(1, 2)); b.load(std::memory_order_acquire); s.wait(lock); "
            "v.clear(); }");
}

TEST(Sites, TellTheOrderOfAFailureApart) {
  const std::string source =
      "void f() {\n  while (!a.compare_exchange_weak(b, c.load(std::memory_order_acquire),\n"
      "      std::memory_order_acq_rel, std::memory_order_acquire)) {}\n}";
  EXPECT_EQ(keys(source), (Keys{"f.cc f compare_exchange_weak acq_rel to acquire",
                                "f.cc f compare_exchange_weak acq_rel to release",
                                "f.cc f compare_exchange_weak acq_rel to relaxed",
                                "f.cc f compare_exchange_weak failure acquire to relaxed",
                                "f.cc f load acquire to relaxed"}));
  const std::vector<Site> sites = find_sites("f.cc", source);
  EXPECT_EQ(sites[0].line, 3U);
  EXPECT_EQ(sites[0].column, 7U);
}

TEST(Sites, AreNotInCommentsOrLiterals) {
  EXPECT_EQ(keys("void f() {} // a.load();\n/* a.load() */ char c = '\"'; auto s = \"a.load()\";"),
            Keys());
  EXPECT_EQ(keys("void f() { load(); operator_load(1); x.reload(); a.store(1'000); }").size(), 2U);
}

TEST(Sites, AreNamedByTheirFunction) {
  EXPECT_EQ(keys("struct E { E(int a) : b_(a), c_(d.load(std::memory_order_acquire)) { } };")[0],
            "f.cc E load acquire to relaxed");
  const Keys two = keys(
      "void A::f() const { if (x) { a.load(std::memory_order_acquire); }\n"
      "  b.load(std::memory_order_acquire); }");
  EXPECT_EQ(two,
            (Keys{"f.cc A::f load acquire to relaxed", "f.cc A::f load acquire to relaxed #2"}));
}

TEST(Sites, DropAFenceAsAWhole) {
  const std::string source = "void f() { std::atomic_thread_fence(std::memory_order_release); }";
  EXPECT_EQ(mutated(find_sites("f.cc", source)[0].mutants.back(), source),
            "void f() { static_cast<void>(0); }");
}

TEST(Sites, CodeIsTheSameWithOtherComments) {
  EXPECT_EQ(code_of("int a;  // one\n\n  // two\nint b;\n"),
            code_of("int a;\nint b; /* three */\n"));
  EXPECT_NE(code_of("int a;"), code_of("int b;"));
  EXPECT_NE(code_of("char a = '1';"), code_of("char a = '2';"));
}

// --- Explanations

std::string problem(const std::string& source) {
  std::vector<Site> sites = find_sites("f.cc", source);
  std::string error;
  return read_kept(source, &sites, &error) ? "" : error;
}
constexpr char kCall[] = "  a.fetch_sub(1,\n              std::memory_order_acq_rel);\n";

TEST(Kept, IsReadAboveTheStatement) {
  const std::string source = std::string("void f() {\n") +
                             "  // sync[put] acq_rel: whatever.\n"
                             "  // audit[acq_rel to acquire, relaxed] kept: hardware\n"
                             "  // that does more. sync[other] release: no.\n" +
                             kCall + "}";
  std::vector<Site> sites = find_sites("f.cc", source);
  std::string error;
  ASSERT_TRUE(read_kept(source, &sites, &error)) << error;
  ASSERT_EQ(sites[0].mutants.size(), 3U);
  EXPECT_EQ(sites[0].mutants[0].kept, "hardware that does more.");
  EXPECT_EQ(sites[0].mutants[1].kept, "");
  EXPECT_EQ(sites[0].mutants[2].kept, "hardware that does more.");
}

TEST(Kept, WantsAReason) {
  const auto with = [](const std::string& comment) {
    return problem("void f() {\n  // " + comment + "\n" + kCall + "}");
  };
  EXPECT_EQ(with("audit[acq_rel to acquire] kept: a reason."), "");
  const std::string form = "2: wants the form audit[ORDER to WEAKER, ...] kept: REASON";
  EXPECT_EQ(with("audit[acq_rel to acquire] kept:"), form);
  EXPECT_EQ(with("audit[acq_rel to acquire] kept: sync[put]"), form);
  EXPECT_EQ(with("audit[acq_rel to acquire]"), form);
  EXPECT_EQ(with("audit[acq_rel] kept: a reason."), form);
  EXPECT_EQ(with("audit[acq_rel to acquire kept: a reason."), form);
}

TEST(Kept, IsOfAnOrderThatIsThere) {
  EXPECT_EQ(problem("// audit[seq_cst to acq_rel] kept: a reason.\n" + std::string(kCall)),
            "1: below audit[seq_cst to acq_rel] is no such order");
  EXPECT_EQ(problem("// audit[acq_rel to nothing] kept: a reason.\n" + std::string(kCall)),
            "1: below audit[acq_rel to nothing] is no such order");
  EXPECT_NE(problem("// audit[acq_rel to acquire] kept: a reason.\n\n" + std::string(kCall)), "")
      << "an empty line between";
}

// --- Files

class Files : public testing::Test {
 protected:
  Files() {
    std::string name = testing::TempDir() + "audit_XXXXXX";
    folder_ = mkdtemp(name.data());
  }
  ~Files() override { fs::remove_all(folder_); }
  fs::path write(const std::string& file, const std::string& text) {
    fs::create_directories((folder_ / file).parent_path());
    std::ofstream(folder_ / file) << text;
    return folder_ / file;
  }
  // A program of that name, which is a shell script.
  fs::path program(const std::string& name, const std::string& script) {
    const fs::path path = write(name, "#!/bin/sh\n" + script + "\n");
    fs::permissions(path, fs::perms::owner_all);
    return path;
  }
  SearchOptions options() { return {1, 1, 2, folder_ / "seeds", folder_ / "work"}; }
  fs::path folder_;
};
using Journals = Files;
using Trees = Files;
using Searches = Files;

TEST_F(Journals, KeepWhatHolds) {
  const fs::path path = folder_ / "journal";
  {
    Journal journal(path);
    journal.add({"a", true, "G7", "verify", 1, {"core1", "search1"}});
    journal.add({"b", false, "", "", 1, {"core1", "search1"}});
  }
  write("more", bugs::contents(path) + R"({"mutant": "c", "found": tr)");  // cut off
  fs::rename(folder_ / "more", path);
  { Journal(path).add({"d", false, "", "", 1, {"core1", "search1"}}); }
  const Journal journal(path);
  ASSERT_NE(journal.find("a", {"core1", "search1"}), nullptr);
  EXPECT_EQ(journal.find("a", {"core1", "search1"})->guarantee, "G7");
  EXPECT_NE(journal.find("a", {"core1", "search2"}), nullptr) << "what was found holds";
  EXPECT_EQ(journal.find("a", {"core2", "search1"}), nullptr);
  EXPECT_NE(journal.find("b", {"core1", "search1"}), nullptr);
  EXPECT_EQ(journal.find("b", {"core1", "search2"}), nullptr) << "another search may find it";
  EXPECT_EQ(journal.find("c", {"core1", "search1"}), nullptr);
  EXPECT_NE(journal.find("d", {"core1", "search1"}), nullptr) << "the line after the cut off one";
}

TEST_F(Journals, SayWhereTheyCannotBeWritten) {
  EXPECT_THROW((void)Journal(folder_ / "none" / "journal"), std::runtime_error);
}

TEST_F(Trees, HaveOneMutantAtATime) {
  write("core/a.cc", "void f() { a.load(std::memory_order_acquire); }");
  write("core/platform/b.h", "void g() { a.load(std::memory_order_acquire); }");
  write("core/a_test.cc", "void h() { a.load(); }");
  write("core/examples/c.cc", "void h() { a.load(); }");
  const Sources sources = read_sources(folder_ / "core");
  ASSERT_EQ(sources.size(), 2U);
  std::vector<Site> sites;
  std::string error;
  ASSERT_TRUE(sites_of(sources, &sites, &error));
  ASSERT_EQ(sites.size(), 2U);
  { const CoreTree first(folder_ / "tree", sources); }
  const fs::file_time_type long_ago{};
  fs::last_write_time(folder_ / "tree/platform/b.h", long_ago);
  CoreTree tree(folder_ / "tree", sources);
  const auto differs = [&](const char* file) {
    return bugs::contents(folder_ / "tree" / file) != sources.at(file);
  };
  tree.set(&sites[0], &sites[0].mutants[0]);
  EXPECT_TRUE(differs("a.cc"));
  EXPECT_EQ(fs::last_write_time(folder_ / "tree/platform/b.h"), long_ago);
  tree.set(&sites[1], &sites[1].mutants[0]);
  EXPECT_FALSE(differs("a.cc"));
  EXPECT_TRUE(differs("platform/b.h"));
  tree.set(nullptr, nullptr);
  EXPECT_FALSE(differs("platform/b.h"));
}

TEST_F(Trees, SayWhichCommentIsWrong) {
  const Sources sources = {{"a.cc", "\n// audit[acquire to relaxed] kept:\na.load();"}};
  std::vector<Site> sites;
  std::string error;
  EXPECT_FALSE(sites_of(sources, &sites, &error));
  EXPECT_TRUE(error.starts_with("core/a.cc:2: ")) << error;
  EXPECT_THROW(read_sources(folder_ / "nothing"), std::runtime_error);
}

TEST_F(Searches, TellTheFirstProgramThatFinds) {
  const fs::path slow = program("bin/a_test", "sleep 0.3; echo 'seed 1: G7 data-race: x'; exit 1");
  program("bin/b_fuzzer", "echo 'SUMMARY: lastput: G2 (x) in b'; exit 77");
  program("bin/verify", "sleep 100");
  program("bin/other", "exit 2");
  const std::vector<fs::path> programs = programs_in(folder_ / "bin");
  ASSERT_EQ(programs.size(), 3U);
  EXPECT_EQ(programs[0], slow);
  for (const unsigned jobs : {1U, 2U, 3U}) {
    SearchOptions some = options();
    some.jobs = jobs;
    const Finding finding = search(programs, some);
    EXPECT_TRUE(finding.found);
    EXPECT_EQ(finding.guarantee, "G7");
    EXPECT_EQ(finding.program, "a_test");
  }
}

TEST_F(Searches, SayNothingWhereAProgramCannotTell) {
  EXPECT_FALSE(search({program("a_test", "exit 0")}, options()).found);
  EXPECT_EQ(search({program("b_test", "exit 0")}, options()).problem, "");
  EXPECT_NE(search({program("c_test", "echo no disk; exit 1")}, options()).problem, "");
  EXPECT_NE(search({folder_ / "none_test"}, options()).problem, "");
  EXPECT_EQ(search({program("d_test", "kill -SEGV $$")}, options()).guarantee, "crash");
}

TEST(WhatBroke, IsReadFromEachKindOfProgram) {
  EXPECT_EQ(what_broke("x\nSUMMARY: lastput: G7 (writes not ordered) in percpu_ref\n"), "G7");
  EXPECT_EQ(what_broke("SUMMARY: lastput: data-race in verify"), "data-race");
  EXPECT_EQ(what_broke("seed 12: M2 oracle: a ref was not released"), "M2");
  EXPECT_EQ(what_broke("execution 3:  deadlock: everybody waits"), "deadlock");
  EXPECT_EQ(what_broke("SUMMARY: libFuzzer: timeout"), "timeout");
  EXPECT_EQ(what_broke("nothing"), "");
}

// --- Outcomes

TEST_F(Journals, DecideTheOutcomes) {
  const std::string source =
      "void f() {\n  // audit[acquire to relaxed] kept: a reason.\n"
      "  b.load(std::memory_order_acquire);\n  a.fetch_sub(1, std::memory_order_acq_rel); }";
  std::vector<Site> sites = find_sites("f.cc", source);
  const std::vector<Site> linux = find_sites("platform/linux/f.cc", source);
  std::string error;
  ASSERT_TRUE(read_kept(source, &sites, &error)) << error;
  sites.insert(sites.end(), linux.begin(), linux.begin() + 1);
  Journal journal(folder_ / "journal");
  const Validity now = {"core", "search"};
  journal.add({sites[0].mutants[0].key, false, "", "", 1, now});
  journal.add({sites[1].mutants[0].key, false, "", "", 1, now});
  journal.add({sites[1].mutants[1].key, true, "G7", "verify", 1, now});
  const std::vector<Outcome> all = outcomes(sites, journal, now);
  ASSERT_EQ(all.size(), 5U);
  EXPECT_EQ(all[0].verdict, Verdict::kKept);
  EXPECT_EQ(all[1].verdict, Verdict::kSurvives);
  EXPECT_EQ(all[2].verdict, Verdict::kFound);
  EXPECT_EQ(all[3].verdict, Verdict::kFoundMilder);
  EXPECT_EQ(all[4].verdict, Verdict::kNotSearched);
  EXPECT_EQ(sentence(all[2]), "found: G7 by verify");
  sites[1].mutants[1].kept = "a reason";
  EXPECT_EQ(sentence(all[2]), "found: G7 by verify; its comment says kept");
  EXPECT_EQ(summary(all),
            "5 mutants: 2 found, 1 kept with a reason, 1 survive without one, 1 not searched");
}

}  // namespace
}  // namespace audit

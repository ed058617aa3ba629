// SPDX-License-Identifier: Apache-2.0
#include "replay/load.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "targets/codec.h"

namespace replay {
namespace {

class Load : public testing::Test {
 protected:
  Load() : folder_(testing::TempDir() + "lastput load " + std::to_string(getpid())) {
    std::filesystem::create_directories(folder_ + "/sequential");
  }
  ~Load() override { std::filesystem::remove_all(folder_); }

  std::string write(const std::string& name, const std::string& contents) {
    const std::string path = folder_ + "/" + name;
    std::ofstream(path, std::ios::binary) << contents;
    return path;
  }
  // The sentence that refuses the file; empty: it is accepted.
  std::string refusal(const std::string& path, const std::string& target = "") {
    std::string error;
    loaded_ = {};
    if (load(path, target, &loaded_, &error)) return "";
    EXPECT_NE(error.find(path), std::string::npos) << error;
    return error;
  }

  static std::string raw() {
    const std::vector<uint8_t> bytes = targets::encode(targets::Program{});
    return {bytes.begin(), bytes.end()};
  }

  std::string folder_;
  Loaded loaded_;
};

TEST_F(Load, RefusesWhatIsNoArtifact) {
  EXPECT_NE(refusal(folder_ + "/none"), "");
  EXPECT_NE(refusal(folder_), "");
  EXPECT_NE(refusal(write("empty", "")), "");
  EXPECT_NE(refusal(write("foreign",
                          "\x7f"
                          "ELF")),
            "");
  EXPECT_NE(refusal(write("version", "lastput 2\nend\n")), "");
  EXPECT_NE(refusal(write("target", "lastput 1\ntarget nothing\nthread T1\nend\n")), "");
}

TEST_F(Load, RefusesEveryTruncationOfText) {
  targets::Artifact artifact;
  artifact.guarantee = "G1";
  artifact.message = "released twice";
  artifact.program.threads = {{{targets::OpCode::kYield, 0, 0}}};
  const std::string whole = targets::print(artifact);
  EXPECT_EQ(refusal(write("whole", whole)), "");
  for (size_t size = 0; size + 1 < whole.size(); ++size) {
    EXPECT_NE(refusal(write("part", whole.substr(0, size))), "") << size;
  }
}

TEST_F(Load, TextSaysItsTarget) {
  targets::Artifact artifact;
  artifact.target = "sequential";
  const std::string path = write("a.lastput", targets::print(artifact));
  EXPECT_EQ(refusal(path), "");
  EXPECT_EQ(loaded_.artifact, artifact);
  EXPECT_EQ(loaded_.target_from, TargetFrom::kHeader);
  EXPECT_NE(refusal(path, "percpu_ref"), "");
}

TEST_F(Load, RawFilesAskFlagThenSidecarThenFolder) {
  EXPECT_EQ(refusal(write("crash-1", raw())), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kUnknown);
  const std::string inside = write("sequential/crash-1", raw());
  EXPECT_EQ(refusal(inside), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kFolder);
  EXPECT_EQ(loaded_.artifact.target, "sequential");
  EXPECT_EQ(loaded_.artifact.memory, targets::Memory::kWeak);
  write("sequential/crash-1.json", R"({"target": "percpu_ref", "bug": "no-bias", "memory": "sc"})");
  EXPECT_EQ(refusal(inside), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kSidecar);
  EXPECT_EQ(loaded_.artifact.target, "percpu_ref");
  EXPECT_EQ(loaded_.sidecar.bug, "no-bias");
  EXPECT_EQ(loaded_.artifact.memory, targets::Memory::kSequential);
  EXPECT_EQ(refusal(inside, "sequential"), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kFlag);
}

TEST_F(Load, NamesTellTheTarget) {
  for (const auto& [name, target] :
       {std::pair("clusterfuzz-testcase-minimized-percpu_ref_fuzzer-5123456789", "percpu_ref"),
        std::pair("clusterfuzz-testcase-sequential_fuzzer-12", "sequential"),
        std::pair("clusterfuzz-testcase-minimized-lastput_sequential_fuzzer-12", "sequential"),
        std::pair("clusterfuzz-testcase-minimized-percpu_ref-12.bin", "percpu_ref"),
        std::pair("clusterfuzz-testcase-minimized-other_fuzzer-12", ""),
        std::pair("sequential", ""), std::pair("crash-sequential", "")})
    EXPECT_EQ(target_of_name(name), target) << name;
  const std::string path =
      write("sequential/clusterfuzz-testcase-minimized-percpu_ref_fuzzer-1", raw());
  EXPECT_EQ(refusal(path), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kName);
  EXPECT_EQ(loaded_.artifact.target, "percpu_ref");
  EXPECT_EQ(loaded_.origin.words, std::string("a test case of ClusterFuzz"));
}

TEST_F(Load, FoldersAboveTellTheTarget) {
  EXPECT_EQ(target_of_folder("/a/sequential_fuzzer/default/crashes/id:000000,sig:06"),
            "sequential");
  EXPECT_EQ(target_of_folder("/a/sequential/corpus/percpu_ref-no_bias/1f"), "percpu_ref");
  EXPECT_EQ(target_of_folder("/a/b/c"), "");
}

TEST_F(Load, NotesOfAflTellTheTarget) {
  std::filesystem::create_directories(folder_ + "/sequential/default/crashes");
  std::filesystem::create_directories(folder_ + "/sequential/default/hangs");
  const std::string crash = write("sequential/default/crashes/id:000000,sig:06,src:000001", raw());
  const std::string hang = write("sequential/default/hangs/id:000000,src:000001", raw());
  EXPECT_EQ(refusal(crash), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kFolder);
  write("sequential/default/crashes/README.txt",
        "Command line used to find this crash:\n\nafl-fuzz -i in -o sequential -- "
        "/x/bin/bugs/no_bias/percpu_ref_fuzzer --memory=sc\n\nIf you can't reproduce ...\n");
  write("sequential/default/fuzzer_stats",
        "start_time : 1\ncommand_line : afl-fuzz -- ./percpu_ref_fuzzer\n");
  EXPECT_EQ(refusal(crash), "");
  EXPECT_EQ(loaded_.target_from, TargetFrom::kNotes);
  EXPECT_EQ(loaded_.artifact.target, "percpu_ref");
  EXPECT_EQ(loaded_.sidecar.bug, "no_bias");
  EXPECT_EQ(loaded_.artifact.memory, targets::Memory::kSequential);
  EXPECT_EQ(loaded_.origin.found, Origin::Found::kCrash);
  EXPECT_EQ(refusal(hang), "");
  EXPECT_EQ(loaded_.artifact.target, "percpu_ref");
  EXPECT_EQ(loaded_.sidecar.bug, "");
  EXPECT_EQ(loaded_.artifact.memory, targets::Memory::kWeak);
  EXPECT_EQ(loaded_.origin.found, Origin::Found::kHang);
}

TEST_F(Load, NamesTellWhatAFuzzerThought) {
  using Found = Origin::Found;
  for (const auto& [name, found] :
       {std::pair("crash-1", Found::kCrash), std::pair("leak-1", Found::kLeak),
        std::pair("timeout-1", Found::kHang), std::pair("slow-unit-1", Found::kHang),
        std::pair("oom-1", Found::kMemory), std::pair("a/1f", Found::kInput),
        std::pair("queue/id:000001,orig:x", Found::kInput),
        std::pair("hangs/id_000001", Found::kHang)})
    EXPECT_EQ(origin_of(name).found, found) << name;
}

TEST_F(Load, AnEmptyInputIsOneOnlyWithItsSidecar) {
  const std::string path = write("crash-0", "");
  EXPECT_NE(refusal(path), "");
  write("crash-0.json", R"({"target": "percpu_ref"})");
  EXPECT_EQ(refusal(path), "");
  EXPECT_EQ(loaded_.artifact.target, "percpu_ref");
}

TEST_F(Load, DamagedSidecarsAreIgnored) {
  Sidecar sidecar;
  EXPECT_FALSE(parse_sidecar("{\"target\": ", &sidecar));
  EXPECT_FALSE(parse_sidecar("[]", &sidecar));
  EXPECT_TRUE(parse_sidecar("{\"target\": 3, \"seed\": -1}", &sidecar));
  EXPECT_EQ(sidecar.target, "");
  EXPECT_EQ(sidecar.seed, 0U);
}

// What older versions wrote is read for ever (testdata/README.md).
TEST_F(Load, ReadsEveryFileOfEveryVersion) {
  unsigned files = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(LASTPUT_TESTDATA)) {
    const std::string path = file.path().string();
    if (!file.is_regular_file() || path.ends_with(".json") || path.ends_with("README.md")) continue;
    const std::string refused = refusal(path);
    EXPECT_EQ(refused.empty(), !is_of_program(loaded_.contents)) << refused;
    ++files;
  }
  EXPECT_GE(files, 5U);
}

TEST_F(Load, KnowsArtifactsOfPrograms) {
  EXPECT_TRUE(is_of_program("lastput 1\n target run \nend\n"));
  EXPECT_FALSE(is_of_program("lastput 1\ntarget percpu_ref\nfails G1 target run\nend\n"));
  EXPECT_FALSE(is_of_program("target run\n"));
}

TEST_F(Load, RefusesWhatIsTooLargeOrNoFile) {
  const std::string path = write("large", "lastput 1\n");
  std::filesystem::resize_file(path, kMaxFileBytes);
  EXPECT_EQ(refusal(path).find("MiB"), std::string::npos);
  std::filesystem::resize_file(path, kMaxFileBytes + 1);
  EXPECT_NE(refusal(path).find("no artifact: it has 16 MiB"), std::string::npos);
  EXPECT_NE(refusal("/dev/null").find("not a regular file"), std::string::npos);
}

TEST_F(Load, WordsOfFilesDoNothingToATerminal) {
  EXPECT_EQ(printable("a\x1b[31m\nb\x7f\xc3\xa4"), "a?[31m?b?\xc3\xa4");
}

}  // namespace
}  // namespace replay

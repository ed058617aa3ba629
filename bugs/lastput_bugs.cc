// SPDX-License-Identifier: Apache-2.0
// Hunts each known bug with the fuzzer of its variant, replays what was found, and prints a table.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "bugs/known_bug.h"
#include "bugs/peers.h"
#include "bugs/process.h"

ABSL_FLAG(std::string, patches, "bugs", "folder of the patches");
ABSL_FLAG(std::string, build, "build/explore", "build tree; the variants are in its bin/bugs");
ABSL_FLAG(std::string, out, "out", "folder for what is written");
ABSL_FLAG(unsigned, seconds, 60, "time for each bug");
ABSL_FLAG(unsigned, seed, 1, "seed of the fuzzers");
ABSL_FLAG(unsigned, seeds, 1, "hunts of each bug, by seeds in a row; told are the medians");
ABSL_FLAG(std::string, from, "corpus",
          "what the fuzzers begin with: corpus, the seeds of the target; or minimal, the smallest "
          "program alone");
ABSL_FLAG(bool, peers, false, "also hunt each as one could do without: see peers.h");
ABSL_FLAG(unsigned, times, 100, "replays of each artifact");
ABSL_FLAG(unsigned, jobs, 2, "bugs hunted, or replayed, at a time");
ABSL_FLAG(bool, emitted, false, "build and try the test that replay writes of each");
ABSL_FLAG(bool, list, false, "one line a bug, and stop");
ABSL_FLAG(std::string, keep, "", "folder where the smallest failure of each bug found is kept");
ABSL_FLAG(std::string, regressions, "", "that folder: instead of hunting, replay what it keeps");

namespace bugs {
namespace {

namespace fs = std::filesystem;

// As bytes: their version alone (targets/codec.h).
constexpr const char* kSmallestProgram = "\2";
constexpr int kUsage = 1;
constexpr int kFailed = 2;
constexpr int kFound = 77;

// Runs a program with stdout and stderr in `log`, the report asked for in `report`, and only the
// guarantees in `expect` counted as failures (all if empty). Its exit code, as bugs::run.
int run_logged(std::vector<std::string> arguments, const fs::path& log, const fs::path& report,
               const std::string& expect) {
  return run({std::move(arguments),
              {"LASTPUT_REPORT=" + report.string(), "LASTPUT_EXPECT=" + expect},
              log});
}

// Where one hunt keeps its files; made anew, so that every hunt begins with the seeds alone.
struct Places {
  fs::path programs, seeds, corpus, artifacts, report, log, test;
  explicit Places(const KnownBug& bug, const std::string& folder = "") {
    const fs::path build = absl::GetFlag(FLAGS_build);
    const fs::path own = fs::absolute(absl::GetFlag(FLAGS_out)) / "bugs" / (bug.name + folder);
    fs::remove_all(own);
    programs = build / "bin" / "bugs" / bug.name;
    seeds = build / "corpus" / bug.target;
    corpus = own / "corpus";
    artifacts = own / "artifacts" / bug.target;
    report = own / "report.json";
    log = own / "log";
    test = own / "emitted_test.cc";
    fs::create_directories(corpus);
    fs::create_directories(artifacts);
  }
};

void fuzz(const Places& places, unsigned seed, Hunt* hunt) {
  std::vector<std::string> arguments = {
      (places.programs / absl::StrCat(hunt->bug.target, "_fuzzer")).string(),
      absl::StrCat("-max_total_time=", absl::GetFlag(FLAGS_seconds)),
      absl::StrCat("-seed=", seed),
      absl::StrCat("-artifact_prefix=", places.artifacts.string(), "/"),
      "-verbosity=0",
      "-print_final_stats=0",
      places.corpus.string()};
  if (absl::GetFlag(FLAGS_from) == "minimal")
    std::ofstream(places.corpus / "minimal") << kSmallestProgram;
  else if (fs::is_directory(places.seeds))
    arguments.push_back(places.seeds.string());
  const int code =
      run_logged(arguments, places.log, places.report, absl::StrJoin(hunt->bug.breaks, " "));
  if (!parse_report(contents(places.report), hunt)) {
    hunt->problem = absl::StrCat("NO REPORT (exit code ", code, ", see ", places.log.string(), ")");
  }
}

// The engine's own file of the failing input: all schedules of the program.
void add_crash_file(const Places& places, Hunt* hunt) {
  for (const auto& entry : fs::directory_iterator(places.artifacts)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("crash-") && entry.path().extension() != ".json") {
      hunt->replays.push_back({entry.path().string(), 0, 0});
    }
  }
}

void replay(const Places& places, std::vector<std::string> flags, Replays* replays, Hunt* hunt) {
  const fs::path report = places.report.string() + ".replay";
  fs::remove(report);
  std::vector<std::string> arguments = {(places.programs / "replay").string(), "--steps=last",
                                        absl::StrCat("--times=", absl::GetFlag(FLAGS_times))};
  arguments.insert(arguments.end(), flags.begin(), flags.end());
  arguments.push_back(replays->artifact);
  run_logged(std::move(arguments), places.log, report, "");
  if (!parse_replay_report(contents(report), replays, &hunt->detector, &hunt->minimal)) {
    replays->times = absl::GetFlag(FLAGS_times);
  }
}

// The canonical artifact once more, made small and explained: as often again, with that one.
void minimize(const Places& places, Hunt* hunt) {
  if (hunt->replays.empty()) return;
  Replays smallest{hunt->replays.front().artifact, 0, 0};
  replay(places, {"--minimize"}, &smallest, hunt);
  hunt->replays.push_back(std::move(smallest));
}

fs::path smallest_of(const Hunt& hunt) {
  return fs::path(hunt.replays.front().artifact).replace_extension(".min.lastput");
}

// What is wrong with the emitted test, or kGoodTest: it must compile, fail by this bug, and pass without.
std::string try_test(const Places& places, const Hunt& hunt) {
  const std::string name = hunt.bug.name, build = absl::GetFlag(FLAGS_build);
  const fs::path source = fs::path(build) / "emitted" / (name + ".cc");
  const int code = run_logged({(places.programs / "replay").string(), "--why=false",
                               "--emit_test=" + places.test.string(), smallest_of(hunt).string()},
                              places.log, "", "");
  if (code != kFound || !fs::exists(places.test)) return "is not written";
  if (contents(source) != contents(places.test)) {
    fs::create_directories(source.parent_path());
    fs::copy_file(places.test, source, fs::copy_options::overwrite_existing);
  }
  const std::string with = "emitted_" + name, without = "emitted_right_" + name;
  static std::mutex building;  // one ninja in a tree
  building.lock();
  const int built =
      run_logged({"cmake", "--build", build, "--target", with, without}, places.log, "", "");
  building.unlock();
  if (built != 0) return absl::StrCat("does not compile, see ", places.log.string());
  const fs::path said = places.log.string() + ".test";
  fs::remove(said);
  if (run_logged({(places.programs / with).string()}, said, "", "") != 1)
    return "does not fail with the bug";
  if (!absl::StrContains(contents(said), absl::StrCat("\n", hunt.guarantee, " ")))
    return absl::StrCat("does not fail by ", hunt.guarantee);
  return run_logged({(places.programs / without).string()}, places.log, "", "") == 0
             ? Hunt::kGoodTest
             : "fails without the bug";
}

PeerOptions peer_options() {
  return {absl::GetFlag(FLAGS_build), fs::absolute(absl::GetFlag(FLAGS_out)) / "bugs",
          absl::GetFlag(FLAGS_seed), absl::GetFlag(FLAGS_seeds)};
}

void hunt_one(Hunt* hunt) {
  const Places places(hunt->bug);
  const unsigned seed = absl::GetFlag(FLAGS_seed);
  fuzz(places, seed, hunt);
  add_crash_file(places, hunt);
  for (Replays& replays : hunt->replays) replay(places, {"--why=false"}, &replays, hunt);
  minimize(places, hunt);
  if (absl::GetFlag(FLAGS_emitted) && hunt->found()) hunt->emitted = try_test(places, *hunt);
  if (absl::GetFlag(FLAGS_peers)) hunt->peers = ask_peers(*hunt, peer_options());
  if (!hunt->found()) return;
  const unsigned seeds =
      std::max(absl::GetFlag(FLAGS_seeds), hunt->bug.within == 0 ? 1 : kWithinSeeds);
  for (unsigned i = 1; i < seeds; ++i) {
    Hunt other;
    other.bug = hunt->bug;
    fuzz(Places(hunt->bug, ".again"), seed + i, &other);
    hunt->again.push_back({other.found() ? other.executions : Hunt::kNotFound, other.seconds});
  }
}

// Calls for each of them, --jobs at a time; what it returns is printed as a line at once.
void for_each_bug(std::vector<Hunt>* hunts, const std::function<std::string(Hunt*)>& call) {
  std::atomic<size_t> next{0};
  std::mutex printing;
  const auto work = [&] {
    // relaxed: only hands out numbers
    for (size_t i; (i = next.fetch_add(1, std::memory_order_relaxed)) < hunts->size();) {
      Hunt& hunt = (*hunts)[i];
      const std::string line = call(&hunt);
      const std::lock_guard lock(printing);
      std::printf("%-28s %s\n", hunt.bug.name.c_str(), line.c_str());
      std::fflush(stdout);
    }
  };
  std::vector<std::thread> workers;
  for (unsigned i = 0; i < std::max(1U, absl::GetFlag(FLAGS_jobs)); ++i) workers.emplace_back(work);
  for (std::thread& worker : workers) worker.join();
}

void hunt_all(std::vector<Hunt>* hunts) {
  for_each_bug(hunts, [](Hunt* hunt) {
    hunt_one(hunt);
    return absl::StrFormat("%s after %.1f s", hunt->good() ? "found" : "NOT AS EXPECTED",
                           hunt->seconds);
  });
}

// What stands in --keep of a bug is replaced by what this hunt has found.
void keep(const Hunt& hunt) {
  const fs::path folder = absl::GetFlag(FLAGS_keep);
  fs::create_directories(folder);
  for (const auto& entry : fs::directory_iterator(folder)) {
    std::string guarantee, bug;
    if (parse_regression_name(entry.path().stem().string(), &guarantee, &bug) &&
        bug == hunt.bug.name)
      fs::remove(entry.path());
  }
  std::string smallest = contents(smallest_of(hunt));
  // For whatever core it is replayed on.
  absl::StrReplaceAll({{absl::StrCat("\nbug ", hunt.bug.name, "\n"), "\n"}}, &smallest);
  const std::string name = (folder / regression_name(hunt)).string();
  std::ofstream(name + ".lastput") << smallest;
  std::ofstream(name + ".md") << regression_page(hunt);
}

// Whether the kept failure of a bug fails on its variant as its name says, each time, and not on the right core.
// What is wrong with it, or nothing.
std::string check_regression(const KnownBug& bug) {
  fs::path file;
  std::string guarantee, name;
  for (const auto& entry : fs::directory_iterator(absl::GetFlag(FLAGS_regressions))) {
    if (entry.path().extension() == ".lastput" &&
        parse_regression_name(entry.path().stem().string(), &guarantee, &name) && name == bug.name)
      file = entry.path();
  }
  if (file.empty()) return "nothing is kept of it: ./lastput bugs --keep " + bug.name;
  parse_regression_name(file.stem().string(), &guarantee, &name);
  const Places places(bug, ".kept");
  const int with = run_logged({(places.programs / "replay").string(), "--steps=last", "--why=false",
                               absl::StrCat("--times=", absl::GetFlag(FLAGS_times)), file.string()},
                              places.log, places.report, "");
  Replays replays;
  std::string kind;
  std::optional<Minimal> minimal;
  if (with != kFound || !parse_replay_report(contents(places.report), &replays, &kind, &minimal))
    return absl::StrCat("does not fail with the bug (exit code ", with, ")");
  if (!replays.good())
    return absl::StrCat("fails as it did ", replays.same, " of ", replays.times, " times");
  if (!absl::StrContains(contents(places.log), absl::StrCat("SUMMARY: lastput: ", guarantee, " ")))
    return absl::StrCat("fails, but not by ", guarantee);
  const fs::path right = fs::path(absl::GetFlag(FLAGS_build)) / "bin" / "replay";
  const int without = run_logged({right.string(), file.string()}, places.log, "", "");
  return without == 0 ? "" : absl::StrCat("fails without the bug, too (exit code ", without, ")");
}

int check_regressions(std::vector<Hunt>* hunts) {
  std::atomic<size_t> good{0};
  for_each_bug(hunts, [&](Hunt* hunt) -> std::string {
    const std::string wrong = check_regression(hunt->bug);
    good += wrong.empty();
    return wrong.empty() ? "fails with the bug, and not without" : wrong;
  });
  std::printf("\n%zu of %zu as they should\n", good.load(), hunts->size());
  return good == hunts->size() ? 0 : kFound;
}

// The bugs named, or all; in the order of their names.
bool read_bugs(const std::vector<std::string>& names, std::vector<Hunt>* hunts,
               std::string* error) {
  std::vector<fs::path> patches;
  std::error_code problem;
  for (const auto& entry : fs::directory_iterator(absl::GetFlag(FLAGS_patches), problem)) {
    if (entry.path().extension() == ".patch") patches.push_back(entry.path());
  }
  std::sort(patches.begin(), patches.end());
  for (const fs::path& patch : patches) {
    const std::string name = patch.stem().string();
    if (!names.empty() && std::find(names.begin(), names.end(), name) == names.end()) continue;
    Hunt hunt;
    if (!parse_header(contents(patch), name, &hunt.bug, error)) return false;
    hunts->push_back(std::move(hunt));
  }
  if (!hunts->empty() && (names.empty() || hunts->size() == names.size())) return true;
  *error = absl::StrCat("no such bug in ", absl::GetFlag(FLAGS_patches), "; --list names them");
  return false;
}

int report(const std::vector<Hunt>& hunts) {
  std::printf("\n%s", table(hunts).c_str());
  const fs::path path = fs::path(absl::GetFlag(FLAGS_out)) / "reports" / "bugs.json";
  fs::create_directories(path.parent_path());
  std::ofstream(path) << to_json(hunts);
  const auto good =
      std::count_if(hunts.begin(), hunts.end(), [](const Hunt& h) { return h.good(); });
  std::printf("\n%zu of %zu found and replayed; as JSON: %s\n", static_cast<size_t>(good),
              hunts.size(), path.c_str());
  return static_cast<size_t>(good) == hunts.size() ? 0 : kFound;
}

int main_(const std::vector<std::string>& names) {
  std::vector<Hunt> hunts;
  std::string error;
  if (!read_bugs(names, &hunts, &error)) {
    std::fprintf(stderr, "lastput_bugs: %s\n", error.c_str());
    return kUsage;
  }
  if (const std::string from = absl::GetFlag(FLAGS_from); from != "corpus" && from != "minimal") {
    std::fprintf(stderr, "lastput_bugs: --from=%s: corpus or minimal\n", from.c_str());
    return kUsage;
  }
  if (absl::GetFlag(FLAGS_list)) {
    for (const Hunt& hunt : hunts)
      std::printf("%-28s %s\n", hunt.bug.name.c_str(), hunt.bug.what.c_str());
    return 0;
  }
  if (!absl::GetFlag(FLAGS_regressions).empty()) return check_regressions(&hunts);
  hunt_all(&hunts);
  if (!absl::GetFlag(FLAGS_keep).empty()) {
    for (const Hunt& hunt : hunts)
      if (hunt.good()) keep(hunt);
  }
  return report(hunts);
}

}  // namespace
}  // namespace bugs

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("lastput_bugs [flags] [NAME...]: hunts the known bugs.");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  try {
    return bugs::main_({words.begin() + 1, words.end()});
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "lastput_bugs: %s\n", problem.what());
    return bugs::kFailed;
  }
}

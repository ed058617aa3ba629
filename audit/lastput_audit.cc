// SPDX-License-Identifier: Apache-2.0
// Weakens each memory order of the core, one at a time, and searches for a failure that this causes.
//
// Exit codes: 0 each is found or explained; 1 usage, or a comment in the core that is not in the form; 2
// lastput itself failed; 77 one survives without an explanation.
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

#include "absl/flags/flag.h"
#include "absl/flags/parse.h"
#include "absl/flags/usage.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "audit/core_tree.h"
#include "audit/journal.h"
#include "audit/report.h"
#include "audit/search.h"
#include "bugs/process.h"

ABSL_FLAG(std::string, source, ".", "the source tree");
ABSL_FLAG(std::string, build, "build/explore", "build tree");
ABSL_FLAG(std::string, out, "out", "folder for what is written");
ABSL_FLAG(unsigned, seconds, 10, "for each fuzz target and for verify, on each mutant");
ABSL_FLAG(unsigned, seed, 1, "seed of the fuzzers");
ABSL_FLAG(unsigned, jobs, 2, "programs at a time, that build or search");
ABSL_FLAG(std::string, only, "", "mutants whose name has this in it");
ABSL_FLAG(std::string, json, "", "write the result there, too");
ABSL_FLAG(bool, list, false, "one line an order, and stop");

namespace audit {
namespace {

namespace fs = std::filesystem;

constexpr int kUsage = 1;
constexpr int kFailed = 2;
constexpr int kFound = 77;
// What the search of the core as it is goes by in the journal: it must find nothing.
constexpr char kAsItIs[] = "as it is";

// What a search depends on beside the core.
std::string hash_of_searchers(const fs::path& source) {
  std::map<std::string, std::string> files;
  files["audit"] = bugs::contents(source / "audit" / "CMakeLists.txt");  // how they are built
  for (const char* folder : {"targets", "verify", "corpus"})
    for (const auto& entry : fs::recursive_directory_iterator(source / folder))
      if (entry.is_regular_file()) files[entry.path().string()] = bugs::contents(entry.path());
  std::string h = hash(
      absl::StrCat("seconds ", absl::GetFlag(FLAGS_seconds), " seed ", absl::GetFlag(FLAGS_seed)));
  for (const auto& [name, text] : files) h = hash(text, h);
  return h;
}

Validity validity_of(const Sources& sources, const fs::path& source) {
  std::string core = hash("");
  for (const auto& [file, text] : sources)
    core = hash(absl::StrCat(file, "\n", code_of(text)), core);
  return {core, hash_of_searchers(source)};
}

// Builds what searches, with the core as the tree has it now. ERRORS: std::runtime_error.
void build(const fs::path& log) {
  fs::remove(log);
  const int code =
      bugs::run({{"cmake", "--build", absl::GetFlag(FLAGS_build), "--target", "audit_programs",
                  "--parallel", absl::StrCat(absl::GetFlag(FLAGS_jobs))},
                 {},
                 log});
  if (code != 0) throw std::runtime_error(absl::StrCat("it does not build; see ", log.string()));
}

class Auditor {
 public:
  Auditor(const Sources& sources, const Validity& validity, Journal* journal)
      : folder_(fs::absolute(absl::GetFlag(FLAGS_out)) / "audit"),
        validity_(validity),
        journal_(*journal),
        tree_(fs::path(absl::GetFlag(FLAGS_build)) / "audit" / "core", sources) {}

  // Searches the tree with this mutant, or without any, and writes down what came of it.
  Result search_one(const Site* site, const Mutant* mutant) {
    tree_.set(site, mutant);
    build(folder_ / "build.log");
    const fs::path build_tree = absl::GetFlag(FLAGS_build);
    const auto start = std::chrono::steady_clock::now();
    const Finding finding =
        search(programs_in(build_tree / "bin" / "audit"),
               {absl::GetFlag(FLAGS_seconds), absl::GetFlag(FLAGS_seed), absl::GetFlag(FLAGS_jobs),
                build_tree / "corpus", folder_ / "search"});
    if (!finding.problem.empty()) throw std::runtime_error(finding.problem);
    const std::chrono::duration<double> spent = std::chrono::steady_clock::now() - start;
    const Result result = {mutant == nullptr ? kAsItIs : mutant->key,
                           finding.found,
                           finding.guarantee,
                           finding.program,
                           spent.count(),
                           validity_};
    if (mutant != nullptr || !result.found) journal_.add(result);
    return result;
  }

  // ERRORS: std::runtime_error: it fails.
  void check_core_as_it_is() {
    const Result* known = journal_.find(kAsItIs, validity_);
    const Result result = known != nullptr ? *known : search_one(nullptr, nullptr);
    if (!result.found) return;
    throw std::runtime_error(absl::StrCat("the core as it is fails: ", result.guarantee, " by ",
                                          result.program, "; see ", (folder_ / "search").string()));
  }

 private:
  const fs::path folder_;
  const Validity validity_;
  Journal& journal_;
  CoreTree tree_;
};

std::vector<Outcome> wanted(const std::vector<Site>& sites, const Journal& journal,
                            const Validity& validity) {
  std::vector<Outcome> all = outcomes(sites, journal, validity);
  std::erase_if(all, [](const Outcome& o) {
    return !absl::StrContains(o.mutant->key, absl::GetFlag(FLAGS_only));
  });
  return all;
}

void audit_all(const std::vector<Site>& sites, const Sources& sources, const Validity& validity,
               Journal* journal) {
  std::optional<Auditor> auditor;  // only where there is something to do
  const size_t number = wanted(sites, *journal, validity).size();
  for (size_t i = 0; i < number; ++i) {
    // Anew each time: what is found decides what need not be searched.
    const Outcome outcome = wanted(sites, *journal, validity)[i];
    if (outcome.verdict != Verdict::kOpen) continue;
    if (!auditor) auditor.emplace(sources, validity, journal);
    auditor->check_core_as_it_is();
    const Result result = auditor->search_one(outcome.site, outcome.mutant);
    std::printf("[%zu/%zu] %s: %s, %.1f s\n", i + 1, number, outcome.mutant->key.c_str(),
                sentence(wanted(sites, *journal, validity)[i]).c_str(), result.seconds);
    std::fflush(stdout);
  }
}

int report(const std::vector<Outcome>& all, const Validity& validity) {
  const fs::path json = absl::GetFlag(FLAGS_json);
  const fs::path own = fs::path(absl::GetFlag(FLAGS_out)) / "audit" / "audit.json";
  for (const fs::path& path : {own, json})
    if (!path.empty() && !(std::ofstream(path) << to_json(all, validity)).flush())
      throw std::runtime_error("cannot write to " + path.string());
  std::printf("\n%s\ncore %s; as JSON: %s\n%s\n", table(all).c_str(), validity.core.c_str(),
              own.c_str(), summary(all).c_str());
  for (const Outcome& o : all)
    if (o.verdict == Verdict::kSurvives) return kFound;
  return 0;
}

int usage_error(const std::string& sentence) {
  std::fprintf(stderr, "lastput_audit: %s\n", sentence.c_str());
  return kUsage;
}

int main_(size_t words) {
  if (words != 0) return usage_error("takes flags only; --only=WORDS chooses mutants");
  if (absl::GetFlag(FLAGS_jobs) < 1 || absl::GetFlag(FLAGS_jobs) > 64)
    return usage_error("--jobs is 1 to 64");
  const fs::path source = absl::GetFlag(FLAGS_source);
  const Sources sources = read_sources(source / "core");
  std::vector<Site> sites;
  std::string error;
  if (!sites_of(sources, &sites, &error)) return usage_error(error);
  if (absl::GetFlag(FLAGS_list)) {
    std::printf("%s", list(sites).c_str());
    return 0;
  }
  const Validity validity = validity_of(sources, source);
  const fs::path folder = fs::path(absl::GetFlag(FLAGS_out)) / "audit";
  fs::create_directories(folder);
  Journal journal(folder / "journal.jsonl");
  if (wanted(sites, journal, validity).empty())
    return usage_error("no mutant has '" + absl::GetFlag(FLAGS_only) +
                       "' in its name; --list shows the orders");
  audit_all(sites, sources, validity, &journal);
  return report(wanted(sites, journal, validity), validity);
}

}  // namespace
}  // namespace audit

int main(int argc, char** argv) {
  absl::SetProgramUsageMessage("lastput_audit [flags]: weakens each memory order of the core.");
  const std::vector<char*> words = absl::ParseCommandLine(argc, argv);
  try {
    return audit::main_(words.size() - 1);
  } catch (const std::exception& problem) {
    std::fprintf(stderr, "lastput_audit: %s\n", problem.what());
    return audit::kFailed;
  }
}

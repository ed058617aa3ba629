// SPDX-License-Identifier: Apache-2.0
#include "targets/fuzzer_support.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <numeric>
#include <string>

#include "targets/artifact.h"
#include "targets/build_info.h"
#include "targets/codec.h"
#include "targets/fuzzer_run.h"
#include "targets/mutate.h"

// Weak: not every engine has it.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size,
                                                         size_t max_size);

namespace targets {
namespace {

constexpr double kProgressSeconds = 1.0;

// Never destroyed: the summary is written while the process exits.
FuzzerRun* run = nullptr;

// $LASTPUT_EXECUTIONS: a file of eight bytes to count executions in, for engines that run each input in a child.
uint64_t* map_shared_executions() {
  const char* path = std::getenv("LASTPUT_EXECUTIONS");
  const int file = path == nullptr ? -1 : open(path, O_RDWR | O_CLOEXEC);
  if (file < 0) return nullptr;
  void* page = mmap(nullptr, sizeof(uint64_t), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
  close(file);
  return page == MAP_FAILED ? nullptr : static_cast<uint64_t*>(page);
}

volatile std::sig_atomic_t stop_requested = 0;

void request_stop(int signal_number) {
  if (stop_requested) _exit(128 + signal_number);  // asked twice: at once
  stop_requested = 1;
}

void write_report(const std::string& guarantee, const std::string& artifact) {
  const char* path = std::getenv("LASTPUT_REPORT");
  if (path == nullptr || *path == 0) return;
  const Statistics& s = run->statistics;
  char numbers[256];
  std::snprintf(numbers, sizeof numbers,
                "  \"executions\": %llu,\n  \"inputs\": %llu,\n  \"seconds\": %.3f,\n"
                "  \"executions_per_second\": %.0f,\n  \"points_per_second\": %.0f,\n",
                static_cast<unsigned long long>(s.executions),
                static_cast<unsigned long long>(s.inputs), s.seconds(), s.per_second(s.executions),
                s.per_second(s.points));
  const std::string json = "{\n  \"target\": " + json_string(run->target()) +
                           ",\n  \"bug\": " + json_string(built_with_bug()) +
                           ",\n  \"build\": " + json_string(build_name()) +
                           ",\n  \"count\": " + json_string(built_with_count()) +
                           ",\n  \"seed\": " + std::to_string(run->options.seed) + ",\n" + numbers +
                           "  \"edges\": " + std::to_string(s.edges.reached()) +
                           ",\n  \"guarantee\": " + json_string(guarantee) + ",\n  \"strategy\": " +
                           json_string(guarantee.empty() ? "" : runner_strategy(*run)) +
                           ",\n  \"artifact\": " + json_string(artifact) + "\n}\n";
  std::string error;
  if (!write_file(path, json, &error))
    std::fprintf(stderr, "lastput: cannot write the report: %s\n", error.c_str());
}

void end_run() {
  std::fputs(run->statistics.summary().c_str(), stderr);
  write_report("", "");
}

std::string write_failure_files(const Artifact& artifact) {
  const std::string path = write_artifact(run->options.prefix, artifact);
  const Sidecar sidecar = {artifact.target,   artifact.bug,       artifact.count, run->options.all,
                           run->options.seed, artifact.guarantee, path,           artifact.memory,
                           artifact.build};
  std::string error;
  if (!write_file(sidecar_path(run->options.prefix, run->input), sidecar_json(sidecar), &error))
    std::fprintf(stderr, "lastput: cannot write beside the crash: %s\n", error.c_str());
  return path;
}

void show_progress() {
  static double next = kProgressSeconds;
  const double now = run->statistics.seconds();
  if (now < next) return;
  next = now + kProgressSeconds;
  std::fprintf(stderr, "%s\n", run->statistics.progress().c_str());
}

// Bytes; of a file that is named to this process also text, such as the artifact of a failure. An unknown version
// is the smallest program: without any coverage libFuzzer does not even start.
Decoded read_input(std::span<const uint8_t> input) {
  const std::string_view text(reinterpret_cast<const char*>(input.data()), input.size());
  if (!run->options.runs_files || !looks_like_text(text)) return decode(input, run->kind);
  Artifact artifact;
  ParseError error;
  std::string problem;
  if (!parse(text, &artifact, &error))
    problem = error.to_string();
  else if (artifact.target != run->target())
    problem = "it is for target " + artifact.target;
  if (!problem.empty()) {
    std::fprintf(stderr, "lastput: the program cannot be run: %s\n", problem.c_str());
    _exit(1);
  }
  return {.program = artifact.program};
}

}  // namespace

void count_execution(FuzzerRun& of) {
  Statistics& s = of.statistics;
  s.executions += 1;
  of.schedule += 1;
  // Other processes count there, too; relaxed: it orders nothing.
  if (of.shared_executions != nullptr)
    __atomic_fetch_add(of.shared_executions, 1, __ATOMIC_RELAXED);
  s.operations += operation_count(*of.program);
  s.dropped += of.harness->operations_dropped();
}

void tell_failure(FuzzerRun& of, const std::string& report, Artifact artifact,
                  const std::string& summary) {
  of.statistics.executions += 1;
  artifact.target = of.target();
  artifact.bug = built_with_bug();
  artifact.count = built_with_count();
  artifact.build = build_name();
  artifact.memory = of.options.memory;
  const std::string path = write_failure_files(artifact);
  write_report(artifact.guarantee, path);
  std::fprintf(stderr, "\n%s\nafter %llu executions, %.1f s\nreplay: %s\n%s\n", report.c_str(),
               static_cast<unsigned long long>(of.statistics.executions), of.statistics.seconds(),
               replay_command(path.empty() ? "FILE" : path).c_str(), summary.c_str());
  std::fflush(stderr);
}

void fuzzer_initialize(Kind kind, const Harness& harness, int argc, char** argv) {
  run = new FuzzerRun;
  run->kind = kind;
  run->harness = &harness;
  run->options = parse_fuzzer_options(argc, argv);
  if (!run->options.problem.empty()) {
    std::fprintf(stderr, "lastput: %s\n", run->options.problem.c_str());
    std::exit(1);
  }
  runner_start(*run);
  std::fprintf(
      stderr, "lastput: target %s%s, %s, seed %s, options: %s\n", run->target(),
      runner_words().c_str(), build_in_words().c_str(),
      run->options.seed == 0 ? "chosen by the engine" : std::to_string(run->options.seed).c_str(),
      run->options.all.c_str());
  run->mix = mix_of_run(kind, Engine::kLibFuzzer);
  run->shared_executions = map_shared_executions();
  if (!run->options.runs_inputs) return;
  std::atexit(end_run);
  std::signal(SIGINT, request_stop);  // the engine keeps handlers that it finds
  std::signal(SIGTERM, request_stop);
}

int fuzzer_test_one_input(const uint8_t* data, size_t size) {
  if (stop_requested) {
    end_run();
    // Not exit(): in here libFuzzer takes that for a crash of the target.
    _exit(0);
  }
  Decoded decoded = read_input({data, size});
  decoded.dropped += fit(run->harness->abilities(), &decoded.program);
  run->input = {data, size};
  run->program = &decoded.program;
  run->schedule = 0;
  runner_execute(*run);
  run->program = nullptr;
  run->statistics.inputs += 1;
  run->statistics.records_dropped += decoded.dropped;
  run->statistics.edges.collect();
  show_progress();
  return 0;
}

size_t fuzzer_mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  const std::vector<uint8_t> bytes =
      mutate_input(random, run->kind, run->mix, {{data, size}, {}, max_size});
  if (bytes.empty()) return LLVMFuzzerMutate ? LLVMFuzzerMutate(data, size, max_size) : size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

size_t fuzzer_cross(std::span<const uint8_t> one, std::span<const uint8_t> other, uint8_t* out,
                    size_t max_size, unsigned seed) {
  Random random(seed);
  // libFuzzer crosses as often as it mutates, and mutates where nothing comes of that.
  const unsigned weight = run->mix[static_cast<size_t>(Mutation::kSplice)];
  const unsigned all = std::accumulate(run->mix.begin(), run->mix.end(), 0u);
  if (2 * weight < all && random.below(all - weight) >= weight) return 0;
  const std::vector<uint8_t> bytes = splice_inputs(random, run->kind, {one, other, max_size});
  std::copy(bytes.begin(), bytes.end(), out);
  return bytes.size();
}

}  // namespace targets

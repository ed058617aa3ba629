// SPDX-License-Identifier: Apache-2.0
#include "targets/fuzzer_support.h"

#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "targets/artifact.h"
#include "targets/build_info.h"
#include "targets/codec.h"
#include "targets/failure_report.h"
#include "targets/fuzzer_options.h"
#include "targets/generate.h"
#include "targets/mutate.h"
#include "targets/statistics.h"

// Weak: not every engine has it.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size,
                                                         size_t max_size);

namespace targets {
namespace {

constexpr double kProgressSeconds = 1.0;
// Of concurrent programs only so many come from the corpus, for the fuzzer's coverage finds bugs later than new
// random programs do (bench/README.md).
constexpr unsigned kOldOneIn = 4;

// One fuzzing run. Never destroyed: the summary is written while the process exits.
struct Run {
  Kind kind = Kind::kPercpuRef;
  Harness harness = {};
  FuzzerOptions options;
  Statistics statistics;
  double next_progress = kProgressSeconds;
  // The input that is running.
  std::span<const uint8_t> input;
  const Program* program = nullptr;
};
Run* run = nullptr;

const char* target_name() {
  return kind_info(run->kind).name;
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
  const std::string json = "{\n  \"target\": " + json_string(target_name()) +
                           ",\n  \"bug\": " + json_string(built_with_bug()) +
                           ",\n  \"count\": " + json_string(built_with_count()) +
                           ",\n  \"seed\": " + std::to_string(run->options.seed) + ",\n" + numbers +
                           "  \"edges\": " + std::to_string(s.edges.reached()) +
                           ",\n  \"guarantee\": " + json_string(guarantee) +
                           ",\n  \"artifact\": " + json_string(artifact) + "\n}\n";
  std::string error;
  if (!write_file(path, json, &error))
    std::fprintf(stderr, "lastput: cannot write the report: %s\n", error.c_str());
}

void end_run() {
  std::fputs(run->statistics.summary().c_str(), stderr);
  write_report("", "");
}

std::string write_failure_files(const sched::Failure& failure, const sched::Recording& recording) {
  Artifact artifact =
      make_artifact(target_name(), built_with_bug(), *run->program, failure, recording);
  artifact.count = built_with_count();
  artifact.build = build_name();
  artifact.memory = run->options.memory;
  const std::string path = write_artifact(run->options.prefix, artifact);
  const Sidecar sidecar = {target_name(),
                           built_with_bug(),
                           built_with_count(),
                           run->options.all,
                           run->options.seed,
                           failure.guarantee,
                           path,
                           run->options.memory};
  std::string error;
  if (!write_file(sidecar_path(run->options.prefix, run->input), sidecar_json(sidecar), &error))
    std::fprintf(stderr, "lastput: cannot write beside the crash: %s\n", error.c_str());
  return path;
}

// $LASTPUT_EXPECT ("G2 G8"): only these guarantees end the run. A known bug often breaks several; so
// the oracle that is meant for it must show that it sees it, too.
bool expected(const std::string& guarantee) {
  const char* list = std::getenv("LASTPUT_EXPECT");
  if (list == nullptr || *list == 0) return true;
  return (" " + std::string(list) + " ").find(" " + guarantee + " ") != std::string::npos;
}

// On the stack of the thread that failed, the engine inactive: the frames below say what broke.
void on_failure(const sched::Failure& failure, const sched::Recording& recording, void*) {
  if (!expected(failure.guarantee)) return;
  run->statistics.executions += 1;
  const std::string path = write_failure_files(failure, recording);
  write_report(failure.guarantee, path);
  std::fprintf(stderr, "\n%s\nafter %llu executions, %.1f s\nreplay: %s\n%s\n",
               failure_report(failure, recording, *run->program, run->kind).c_str(),
               static_cast<unsigned long long>(run->statistics.executions),
               run->statistics.seconds(), replay_command(path.empty() ? "FILE" : path).c_str(),
               failure_summary(target_name(), failure).c_str());
  std::fflush(stderr);
  std::abort();
}

void on_execution(const sched::Result& result, void*) {
  Statistics& s = run->statistics;
  s.executions += 1;
  s.points += result.steps;
  s.cut_off += result.verdict == sched::Verdict::kCutOff;
  s.interleavings.add(result.trace_hash);
  s.operations += operation_count(*run->program);
  s.dropped += run->harness.operations_dropped();
}

void show_progress() {
  const double now = run->statistics.seconds();
  if (now < run->next_progress) return;
  run->next_progress = now + kProgressSeconds;
  std::fprintf(stderr, "%s\n", run->statistics.progress().c_str());
}

}  // namespace

void fuzzer_initialize(Kind kind, const Harness& harness, int argc, char** argv) {
  run = new Run;
  run->kind = kind;
  run->harness = harness;
  run->options = parse_fuzzer_options(argc, argv);
  if (!run->options.problem.empty()) {
    std::fprintf(stderr, "lastput: %s\n", run->options.problem.c_str());
    std::exit(1);
  }
  std::fprintf(
      stderr, "lastput: target %s, %s, seed %s, options: %s\n", target_name(),
      build_in_words().c_str(),
      run->options.seed == 0 ? "chosen by the engine" : std::to_string(run->options.seed).c_str(),
      run->options.all.c_str());
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
  Decoded decoded = decode({data, size}, run->kind);
  decoded.dropped += fit(run->harness.abilities(), &decoded.program);
  // An unknown version runs the smallest program: without any coverage libFuzzer does not even start.
  run->input = {data, size};
  run->program = &decoded.program;
  ExecuteOptions options;
  options.memory = run->options.memory;
  options.on_failure = on_failure;
  options.on_execution = on_execution;
  execute(run->harness.body, decoded.program, options);
  run->statistics.inputs += 1;
  run->statistics.records_dropped += decoded.dropped;
  run->statistics.edges.collect();
  show_progress();
  return 0;
}

size_t fuzzer_mutate(uint8_t* data, size_t size, size_t max_size, unsigned seed) {
  Random random(seed);
  const bool has_bytes = LLVMFuzzerMutate != nullptr;
  const bool is_new = is_concurrent(run->kind) && !random.one_in(kOldOneIn);
  if (!is_new && has_bytes && random.one_in(4)) return LLVMFuzzerMutate(data, size, max_size);
  Program program =
      is_new ? generate_program(random, run->kind) : decode({data, size}, run->kind).program;
  if (!is_new) mutate_program(random, run->kind, program);
  fit(run->harness.abilities(), &program);
  const std::vector<uint8_t> bytes = encode(program);
  if (bytes.size() > max_size) return has_bytes ? LLVMFuzzerMutate(data, size, max_size) : size;
  std::copy(bytes.begin(), bytes.end(), data);
  return bytes.size();
}

}  // namespace targets

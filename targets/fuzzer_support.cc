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
#include "targets/failure_report.h"
#include "targets/fuzzer_options.h"
#include "targets/mutate.h"
#include "targets/statistics.h"

// Weak: not every engine has it.
extern "C" __attribute__((weak)) size_t LLVMFuzzerMutate(uint8_t* data, size_t size,
                                                         size_t max_size);

namespace targets {
namespace {

constexpr double kProgressSeconds = 1.0;

// One fuzzing run. Never destroyed: the summary is written while the process exits.
struct Run {
  Kind kind = Kind::kPercpuRef;
  FuzzerOptions options;
  Statistics statistics;
  Mix mix{};
  uint64_t* shared_executions = nullptr;  // $LASTPUT_EXECUTIONS, or none
  double next_progress = kProgressSeconds;
  // The input that is running.
  std::span<const uint8_t> input;
  const Program* program = nullptr;
  unsigned schedule = 0;  // of the program
  unsigned (*operations_dropped)() = nullptr;
};
Run* run = nullptr;

const char* target_name() {
  return kind_info(run->kind).name;
}

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

// What chose the schedule that runs; the first of a program follows its preemptions, if it has any.
std::string strategy() {
  std::vector<uint8_t> bytes;
  const sched::Options options = schedule_options(*run->program, run->schedule, &bytes);
  return bytes.empty() ? sched::strategy_name(options.strategy) : "preemptions";
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
                           ",\n  \"seed\": " + std::to_string(run->options.seed) + ",\n" + numbers +
                           "  \"edges\": " + std::to_string(s.edges.reached()) +
                           ",\n  \"guarantee\": " + json_string(guarantee) + ",\n  \"strategy\": " +
                           json_string(guarantee.empty() ? "" : strategy()) +
                           ",\n  \"artifact\": " + json_string(artifact) + "\n}\n";
  std::string error;
  if (!write_file(path, json, &error))
    std::fprintf(stderr, "lastput: cannot write the report: %s\n", error.c_str());
}

void end_run() {
  std::fputs(run->statistics.summary().c_str(), stderr);
  write_report("", "");
}

std::string replay_command(const std::string& path) {
  const std::string bug = built_with_bug();
  return "./lastput replay " + path + (bug.empty() ? "" : " --bug=" + bug);
}

std::string write_failure_files(const sched::Failure& failure, const sched::Recording& recording) {
  Artifact artifact =
      make_artifact(target_name(), built_with_bug(), *run->program, failure, recording);
  artifact.build = build_name();
  artifact.memory = run->options.memory;
  const std::string path = write_artifact(run->options.prefix, artifact);
  const Sidecar sidecar = {target_name(),      built_with_bug(),  run->options.all,
                           run->options.seed,  failure.guarantee, path,
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
  run->schedule += 1;
  if (run->shared_executions != nullptr) ++*run->shared_executions;
  s.points += result.steps;
  s.cut_off += result.verdict == sched::Verdict::kCutOff;
  s.interleavings.add(result.trace_hash);
  s.operations += operation_count(*run->program);
  s.dropped += run->operations_dropped();
}

void show_progress() {
  const double now = run->statistics.seconds();
  if (now < run->next_progress) return;
  run->next_progress = now + kProgressSeconds;
  std::fprintf(stderr, "%s\n", run->statistics.progress().c_str());
}

}  // namespace

void fuzzer_initialize(Kind kind, int argc, char** argv) {
  run = new Run;
  run->kind = kind;
  run->options = parse_fuzzer_options(argc, argv);
  if (!run->options.problem.empty()) {
    std::fprintf(stderr, "lastput: %s\n", run->options.problem.c_str());
    std::exit(1);
  }
  const std::string bug = built_with_bug();
  std::fprintf(
      stderr, "lastput: target %s, bug %s, seed %s, options: %s\n", target_name(),
      bug.empty() ? "none" : bug.c_str(),
      run->options.seed == 0 ? "chosen by the engine" : std::to_string(run->options.seed).c_str(),
      run->options.all.c_str());
  run->mix = mix_of_run(kind, Engine::kLibFuzzer);
  run->shared_executions = map_shared_executions();
  if (!run->options.runs_inputs) return;
  std::atexit(end_run);
  std::signal(SIGINT, request_stop);  // the engine keeps handlers that it finds
  std::signal(SIGTERM, request_stop);
}

int fuzzer_test_one_input(const Harness& harness, const uint8_t* data, size_t size) {
  if (stop_requested) {
    end_run();
    // Not exit(): in here libFuzzer takes that for a crash of the target.
    _exit(0);
  }
  const Decoded decoded = decode({data, size}, run->kind);
  // An unknown version runs the smallest program: without any coverage libFuzzer does not even start.
  run->input = {data, size};
  run->program = &decoded.program;
  run->schedule = 0;
  run->operations_dropped = harness.operations_dropped;
  ExecuteOptions options;
  options.memory = run->options.memory;
  options.on_failure = on_failure;
  options.on_execution = on_execution;
  execute(harness.body, decoded.program, options);
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

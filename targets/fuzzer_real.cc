// SPDX-License-Identifier: Apache-2.0
// Fuzz targets whose programs run on real threads, under whatever sanitizer they are compiled with.
//
//   what ends the run                   how it is noticed
//   ----------------------------------  ----------------------------------------------------------------
//   a guarantee is broken               runtime::on_broken, on the thread that saw it
//   a sanitizer's report                the runtime's death callback; its summary line says what it is. That of
//                                       ThreadSanitizer, when the execution is over: it reports with its locks
//                                       held, and what synchronises there may wait for ever
//   memory leaked by an input           counted; then LeakSanitizer is asked
//   a crash, abort()                    signal handlers, where no sanitizer has its own
//   an execution that does not end      a thread that watches: after -timeout=N seconds
//
// All of them save the input as libFuzzer would, then tell it (fuzzer_run.h), and end with exit code 77. Many threads may
// come here at once: the first one tells. What tells it allocates, as libFuzzer does in its handlers; where the failure has
// left no working heap, an alarm ends the process after some seconds with the input alone.
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#include <thread>

#include "targets/build_info.h"
#include "targets/fuzzer_run.h"
#include "targets/random.h"
#include "targets/runtime_threads.h"
#include "targets/sanitizer_report.h"
#include "targets/sha1.h"
#include "targets/titles.h"

// Weak: of the sanitizers' runtimes, as far as one is linked.
extern "C" {
__attribute__((weak)) int __sanitizer_install_malloc_and_free_hooks(void (*)(const volatile void*,
                                                                             size_t),
                                                                    void (*)(const volatile void*));
__attribute__((weak)) int __lsan_do_recoverable_leak_check();
__attribute__((weak)) void AnnotateBenignRaceSized(const char* file, int line,
                                                   const volatile void* memory, size_t size,
                                                   const char* why);
// Where the compiler counts edges.
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
}

namespace targets {
namespace {

using runtime::Place;

constexpr int kFound = 77;
constexpr int kMissing = 3;
constexpr unsigned kLastWords = 20;  // seconds that telling a failure may take
constexpr auto kLook = std::chrono::milliseconds(200);
constexpr unsigned kMaxLeakChecks = 1000;  // each stops all threads

FuzzerRun* run = nullptr;
std::atomic<bool> failing = false;
thread_local bool is_telling = false;
// Past what the runtimes do at an end, for which they may wait.
[[noreturn]] void end_process() {
  while (true) syscall(SYS_exit_group, kFound);
}

// --- Telling a failure --------------------------------------------------------------------------------------

// "crash-<sha1>" of the input, in plain system calls: memory may be broken.
std::string save_input() {
  const std::string path = run->options.prefix + "crash-" + sha1_hex(run->input);
  const int file = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  const bool saved = file >= 0 && write(file, run->input.data(), run->input.size()) ==
                                      static_cast<ssize_t>(run->input.size());
  if (!saved) std::perror(("lastput: cannot save the input as " + path).c_str());
  if (file >= 0) close(file);
  return path;
}

void give_up(int) {
  constexpr char kWords[] =
      "\nSUMMARY: lastput: a failure that cannot be told whole; its input is in crash-...\n";
  syscall(SYS_write, STDERR_FILENO, kWords, sizeof kWords - 1);
  end_process();
}

std::string words_of(const Place& place) {
  const std::string title = operation_title(*run->program, run->kind, place.thread, place.op);
  return place.thread + (title.empty() ? "" : ", in op " + std::to_string(place.op) + ": " + title);
}

struct Finding {
  std::string guarantee;  // "" if none is known
  std::string detector;   // "oracle", "sanitizer", ...
  std::string message;
  bool has_stack = false;      // it has been printed, or this thread's says nothing
  std::optional<Place> place;  // what failed, if that is known
};

Finding of(const SanitizerReport& report) {
  return {report.guarantee, report.detector, report.words, true, report.place};
}

[[noreturn]] void end_with(Finding finding) {
  if (is_telling) give_up(0);
  is_telling = true;
  // relaxed: nothing else is handed over by it.
  while (failing.exchange(true, std::memory_order_relaxed)) pause();
  if (run->program == nullptr) give_up(0);
  // What fails after a report may be its consequence.
  if (sanitizer_has_reported()) finding = of(sanitizer_report());
  std::signal(SIGALRM, give_up);
  alarm(kLastWords);
  const std::string saved = save_input();
  const std::string name = finding.guarantee.empty() ? finding.detector : finding.guarantee;
  const std::string about = guarantee_words(name);
  std::string report = "FAILED: " + name + (about.empty() ? "" : " (" + about + ")") +
                       (name == finding.detector ? "" : ", " + finding.detector) +
                       ", on real threads\n  " + finding.message + "\n" +
                       (finding.place ? "  in thread " + words_of(*finding.place) + "\n" : "") +
                       "\nwhere the program's threads are:\n";
  for (const Place& place : runtime::places()) report += "  " + words_of(place) + "\n";
  report += "the input: " + saved + "\n";
  if (!finding.has_stack) print_own_stack();
  Artifact artifact;
  artifact.guarantee = name;
  artifact.message = finding.message;
  artifact.program = *run->program;
  tell_failure(*run, report, artifact,
               summary_line(name, std::string(run->target()) + " on real threads"));
  end_process();
}

void on_broken(const char* guarantee, const char* message) {
  end_with({guarantee, "oracle", message, false, runtime::here()});
}

// Of a runtime that ends the process.
void on_death(const SanitizerReport& report) {
  end_with(of(report));
}

void on_signal(int number) {
  end_with({"G8", "crash",
            std::string(strsignal(number)) + " (signal " + std::to_string(number) + ")", false,
            runtime::here()});
}

// --- Noticing ----------------------------------------------------------------------------------------------

// When the execution that runs has begun, in ticks of the clock; 0: none runs.
std::atomic<int64_t> began = 0;

int64_t now() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

void watch() {
  const int64_t limit =
      std::chrono::steady_clock::duration(std::chrono::seconds(run->options.timeout_seconds))
          .count();
  while (true) {
    std::this_thread::sleep_for(kLook);
    // sync[began] acquire: end_with tells which program runs.
    const int64_t since = began.load(std::memory_order_acquire);
    if (since == 0 || now() - since < limit) continue;
    end_with(
        {"G9",
         "hang",
         "the program has not ended for " + std::to_string(run->options.timeout_seconds) + " s",
         true,
         {}});
  }
}

std::atomic<int64_t> blocks = 0;  // that this input has allocated, and not freed

void on_malloc(const volatile void*, size_t) {
  blocks.fetch_add(1, std::memory_order_relaxed);
}
void on_free(const volatile void* block) {
  if (block != nullptr) blocks.fetch_sub(1, std::memory_order_relaxed);
}

// What the C library keeps is no leak: LeakSanitizer knows.
void check_for_leaks() {
  static unsigned checks = 0;
  if (__lsan_do_recoverable_leak_check == nullptr || checks == kMaxLeakChecks) return;
  if (blocks.load(std::memory_order_relaxed) <= 0) return;
  ++checks;
  if (__lsan_do_recoverable_leak_check() != 0) end_with(of(sanitizer_report()));
}

// With clang 14, ThreadSanitizer sees threads add to them.
void allow_races_of_counters() {
  if (AnnotateBenignRaceSized == nullptr) return;
  AnnotateBenignRaceSized(__FILE__, __LINE__, __start___sancov_cntrs,
                          static_cast<size_t>(__stop___sancov_cntrs - __start___sancov_cntrs),
                          "counters of edges");
}

void prepare() {
  allow_races_of_counters();
  runtime::on_broken = on_broken;
  watch_sanitizers(on_death);  // libFuzzer has set its own by now
  if (__lsan_do_recoverable_leak_check != nullptr &&
      __sanitizer_install_malloc_and_free_hooks != nullptr)
    __sanitizer_install_malloc_and_free_hooks(on_malloc, on_free);
  std::thread(watch).detach();
}

// Where nobody has one: a sanitizer tells more of a bad address.
void handle(int number) {
  struct sigaction old = {};
  sigaction(number, nullptr, &old);
  if ((old.sa_flags & SA_SIGINFO) == 0 && old.sa_handler == SIG_DFL) std::signal(number, on_signal);
}

}  // namespace

void runner_start(FuzzerRun& started) {
  run = &started;
  run->statistics.on_engine = false;
  const char* const obstacle = runtime::why_no_sections();
  if (run->options.asks_for_sections) {
    if (obstacle != nullptr) std::printf("%s\n", obstacle);
    std::fflush(stdout);
    _exit(obstacle == nullptr ? 0 : kMissing);
  }
  for (int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) handle(number);
}

std::string runner_strategy(const FuzzerRun&) {
  return "real threads";
}

std::string runner_words() {
  const std::string build = build_name();
  const char* const obstacle = runtime::why_no_sections();
  return " on real threads (" + build.substr(0, build.find(',')) +
         (obstacle == nullptr ? "" : ", without percpu sections: " + std::string(obstacle)) + ")";
}

void runner_execute(FuzzerRun& running) {
  static const bool prepared = (prepare(), true);
  (void)prepared;
  blocks.store(0, std::memory_order_relaxed);
  const auto threads = static_cast<unsigned>(running.program->threads.size());
  for (unsigned index = 0; index < running.program->schedules; ++index) {
    Random random(uint64_t{running.program->seed} << 32 | index);
    runtime::begin_execution(random.next() | 1, threads);
    // sync[began] release: whoever watches finds the program.
    began.store(now(), std::memory_order_release);
    running.harness->body(*running.program);
    began.store(0, std::memory_order_relaxed);  // relaxed: nothing is looked at then
    if (sanitizer_has_reported()) end_with(of(sanitizer_report()));
    count_execution(running);
  }
  check_for_leaks();
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "targets/sanitizer_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>

// Weak: of the sanitizers' runtimes, as far as one is linked.
extern "C" {
__attribute__((weak)) void __sanitizer_set_death_callback(void (*)());
__attribute__((weak)) void __sanitizer_print_stack_trace();
}

namespace targets {
namespace {

// The first report: its summary line, and the thread and operation that it came from.
char summary_kept[512] = "";
char thread_kept[16] = "";
uint32_t op_kept = 0;
std::atomic<bool> reported = false;
void (*on_death)(const SanitizerReport&) = nullptr;

// ThreadSanitizer must not see these: whoever tells the report is not ordered after it.
#define LASTPUT_UNSEEN __attribute__((no_sanitize("thread")))
LASTPUT_UNSEEN void copy_words(const volatile char* from, volatile char* to, size_t size) {
  while (--size != 0 && *from != '\0') *to++ = *from++;
  *to = '\0';
}
LASTPUT_UNSEEN void keep_report(const char* summary) {
  // relaxed: see above.
  if (reported.exchange(true, std::memory_order_relaxed)) return;
  const runtime::Place place = runtime::here();
  copy_words(summary, summary_kept, sizeof summary_kept);
  copy_words(place.thread.c_str(), thread_kept, sizeof thread_kept);
  op_kept = place.op;
}
LASTPUT_UNSEEN std::optional<runtime::Place> place_kept() {
  char thread[sizeof thread_kept];
  copy_words(thread_kept, thread, sizeof thread);
  if (*thread == '\0') return std::nullopt;
  return runtime::Place{thread, op_kept};
}

// "SUMMARY: ThreadSanitizer: data race /x/core/ref.cc:12:3 in f" without what differs from machine to machine.
std::string words_kept() {
  char summary[sizeof summary_kept];
  copy_words(summary_kept, summary, sizeof summary);
  std::string words = summary;
  if (words.starts_with("SUMMARY: ")) words.erase(0, 9);
  for (size_t slash; (slash = words.find('/')) != std::string::npos;) {
    const size_t begin = words.rfind(' ', slash) + 1;
    words.erase(begin, slash + 1 - begin);
  }
  while (words.ends_with(' ')) words.pop_back();
  return words;
}

void tell_death() {
  on_death(sanitizer_report());
}

}  // namespace

bool sanitizer_has_reported() {
  return reported.load(std::memory_order_relaxed);  // relaxed: see copy_words
}

SanitizerReport sanitizer_report() {
  const std::string what = words_kept();
  const auto says = [&](const char* word) { return what.find(word) != std::string::npos; };
  if (says("undefined-behavior")) return {"", "undefined-behavior", what, place_kept()};
  if (says("data race")) return {"G7", "data-race", what, place_kept()};
  if (says("leaked")) return {"G8", "leak", "the input leaks memory: " + what, place_kept()};
  return {"G8", "sanitizer", what.empty() ? "a sanitizer ended the process" : what, place_kept()};
}

void watch_sanitizers(void (*tell)(const SanitizerReport& report)) {
  on_death = tell;
  if (__sanitizer_set_death_callback != nullptr) __sanitizer_set_death_callback(tell_death);
}

void print_own_stack() {
  if (__sanitizer_print_stack_trace != nullptr) return __sanitizer_print_stack_trace();
  void* frames[64];
  backtrace_symbols_fd(frames, backtrace(frames, 64), STDERR_FILENO);
}

}  // namespace targets

// The runtimes call it with the line that ends a report; theirs, which is weak, would only print it.
extern "C" void __sanitizer_report_error_summary(const char* text) {
  targets::keep_report(text);
  std::fprintf(stderr, "%s\n", text);
}

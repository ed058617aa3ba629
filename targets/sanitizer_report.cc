// SPDX-License-Identifier: Apache-2.0
#include "targets/sanitizer_report.h"

#include <execinfo.h>
#include <unistd.h>

#include <cstdio>

// Weak: of the sanitizers' runtimes, as far as one is linked.
extern "C" {
__attribute__((weak)) void __sanitizer_set_death_callback(void (*)());
__attribute__((weak)) void __sanitizer_print_stack_trace();
}

namespace targets {
namespace {

char sanitizer_summary[512] = "";
void (*on_death)(const SanitizerReport&) = nullptr;

void tell_death() {
  const std::string what = sanitizer_words();
  const auto says = [&](const char* word) { return what.find(word) != std::string::npos; };
  if (says("undefined-behavior")) return on_death({"", "undefined-behavior", what});
  const bool race = says("data race");
  on_death({race ? "G7" : "G8", race ? "data-race" : "sanitizer",
            what.empty() ? "a sanitizer ended the process" : what});
}

}  // namespace

// "SUMMARY: ThreadSanitizer: data race /x/core/ref.cc:12:3 in f" without what differs from machine to machine.
std::string sanitizer_words() {
  std::string words = sanitizer_summary;
  if (words.starts_with("SUMMARY: ")) words.erase(0, 9);
  for (size_t slash; (slash = words.find('/')) != std::string::npos;) {
    const size_t begin = words.rfind(' ', slash) + 1;
    words.erase(begin, slash + 1 - begin);
  }
  while (words.ends_with(' ')) words.pop_back();
  return words;
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
  std::snprintf(targets::sanitizer_summary, sizeof targets::sanitizer_summary, "%s", text);
  std::fprintf(stderr, "%s\n", text);
}

// SPDX-License-Identifier: Apache-2.0
#include "sched/run/exit.h"

#include <cxxabi.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <exception>
#include <string>

#include "sched/engine.h"
#include "sched/recorder.h"
#include "sched/run/process.h"
#include "sched/run/real_function.h"

extern "C" int __real_main(int, char**, char**);

namespace sched::program {
namespace {

constexpr unsigned kMaxHandlers = 4096;

struct Handler {
  void (*function)(void*);
  void (*with_status)(int, void*);  // on_exit()
  void* argument;
};
Handler handlers[kMaxHandlers];
unsigned handler_count;

int add(Handler handler) {
  if (handler_count == kMaxHandlers)
    fail_execution(FailureKind::kLimit, "", "more than 4096 handlers of atexit() in one execution");
  handlers[handler_count++] = handler;
  return 0;
}

void run_handlers(int status) {
  while (handler_count != 0) {
    Handler h = handlers[--handler_count];
    if (h.with_status != nullptr)
      h.with_status(status, h.argument);
    else
      h.function(h.argument);
  }
}

void run_thread_destructors() {
  while (g.self->destructors != 0) {
    TlsDestructor d = g.self->destructor[--g.self->destructors];
    d.function(d.object);
  }
}

[[noreturn]] void fail_here(FailureKind kind, std::string&& message) {
  g.active = false;
  g.failure.stacks.push_back({std::string("failed in ") + g.self->name, unwind_stack()});
  fail_composed(kind, "", std::move(message));
}

[[noreturn]] void end_clean() {
  g.active = false;
  process_flush();
  end_execution(Verdict::kClean);
}

std::string status_in_words(int status) {
  return "exited with status " + std::to_string(status & 0xff);
}

[[noreturn]] void end_program(int status) {
  if ((status & 0xff) == 0) end_clean();
  g.active = false;
  fail_here(FailureKind::kExitStatus, status_in_words(status));
}

void run_all_handlers(int status) {
  run_thread_destructors();
  run_handlers(status);
  run_finishers();
}

std::string describe_exception() {
  const std::type_info* type = abi::__cxa_current_exception_type();
  if (type == nullptr) return "std::terminate() was called";
  int status = 0;
  char* plain = abi::__cxa_demangle(type->name(), nullptr, nullptr, &status);
  std::string text =
      std::string("an exception that nobody catches: ") + (status == 0 ? plain : type->name());
  free(plain);
  try {
    throw;
  } catch (const std::exception& e) {
    return text + ": " + e.what();
  } catch (...) {
    return text;
  }
}

[[noreturn]] void on_terminate() {
  if (!here()) abort();
  g.active = false;
  g.failure.stacks.push_back({std::string("failed in ") + g.self->name, unwind_stack()});
  fail_composed(FailureKind::kCrash, "", describe_exception());
}

SCHED_RUN_REAL(int, __cxa_atexit, (void (*f)(void*), void* a, void* d), (f, a, d))
SCHED_RUN_REAL(int, on_exit, (void (*f)(int, void*), void* a), (f, a))
SCHED_RUN_REAL(void, exit, (int status), (status))
SCHED_RUN_REAL(void, _exit, (int status), (status))
SCHED_RUN_REAL(void, abort, (), ())

}  // namespace

void exit_restore() {
  handler_count = 0;
  std::set_terminate(on_terminate);
}

void end_main(int status) {
  run_all_handlers(status);
  if ((status & 0xff) == 0) end_clean();
  g.active = false;
  // No frame of it is left; the place behind its first byte names it.
  g.failure.stacks.push_back({"main returned", {reinterpret_cast<uintptr_t>(&__real_main) + 1}});
  fail_composed(FailureKind::kExitStatus, "", status_in_words(status) + ": main returned it");
}

}  // namespace sched::program

using namespace sched;
using namespace sched::program;

SCHED_RUN_EXPORT int __cxa_atexit(void (*function)(void*), void* argument, void* dso) {
  if (here()) return add({function, nullptr, argument});
  return real___cxa_atexit(function, argument, dso);
}

SCHED_RUN_EXPORT int on_exit(void (*function)(int, void*), void* argument) {
  if (here()) return add({nullptr, function, argument});
  return real_on_exit(function, argument);
}

SCHED_RUN_EXPORT void exit(int status) {
  if (!here()) {
    real_exit(status);
    __builtin_unreachable();
  }
  run_all_handlers(status);
  end_program(status);
}

SCHED_RUN_EXPORT void _exit(int status) {
  if (here()) end_program(status);
  real__exit(status);
  __builtin_unreachable();
}
SCHED_RUN_EXPORT void _Exit(int status) {
  _exit(status);
}
SCHED_RUN_EXPORT void quick_exit(int status) {
  _exit(status);
}

SCHED_RUN_EXPORT void abort() {
  if (here()) fail_here(FailureKind::kCrash, "abort() was called");
  real_abort();
  __builtin_unreachable();
}

SCHED_RUN_EXPORT void __assert_fail(const char* expression, const char* file, unsigned line,
                                    const char* function) {
  if (here()) {
    g.active = false;
    std::string message = std::string("assertion failed: ") + expression + " (" + file + ":" +
                          std::to_string(line) + ", " + (function != nullptr ? function : "?") +
                          ")";
    fail_here(FailureKind::kCrash, std::move(message));
  }
  fprintf(stderr, "%s:%u: %s: Assertion `%s' failed.\n", file, line, function, expression);
  abort();
}

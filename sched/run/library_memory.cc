// SPDX-License-Identifier: Apache-2.0
// Functions of the C library whose result the program must free. What the library allocates is its own and
// outlives executions (arena.h: library_text); these results belong to the execution that asked for them.
// Not here, and so never a failure nor given back if lost: realpath(), getcwd() and the rarer ones.
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "sched/engine.h"
#include "sched/real.h"
#include "sched/run/real_function.h"

namespace sched::program {
namespace {

SCHED_RUN_REAL(ssize_t, getdelim, (char** line, size_t* room, int end, FILE* f),
               (line, room, end, f))
SCHED_RUN_REAL(int, vasprintf, (char** text, const char* format, va_list arguments),
               (text, format, arguments))

char* duplicate(const char* text, size_t length) {
  auto* copy = static_cast<char*>(malloc(length + 1));
  if (copy == nullptr) return nullptr;
  memcpy(copy, text, length);
  copy[length] = 0;
  return copy;
}

// A buffer of our own, whose contents then go to one that the program may have.
ssize_t get_line(char** line, size_t* room, int end, FILE* f) {
  static char* buffer;
  static size_t buffer_room;
  const ssize_t length = real_getdelim(&buffer, &buffer_room, end, f);
  if (length < 0) return length;
  const auto need = static_cast<size_t>(length) + 1;
  if (*line == nullptr || *room < need) {
    auto* larger = static_cast<char*>(realloc(*line, need));
    if (larger == nullptr) return -1;
    *line = larger;
    *room = need;
  }
  memcpy(*line, buffer, need);
  return length;
}

int print_to_new(char** text, const char* format, va_list arguments) {
  char* made = nullptr;
  const int length = real_vasprintf(&made, format, arguments);
  if (length < 0) return length;
  *text = duplicate(made, static_cast<size_t>(length));
  real_free(made);
  return *text == nullptr ? -1 : length;
}

}  // namespace
}  // namespace sched::program

using namespace sched;
using namespace sched::program;

SCHED_RUN_EXPORT char* strdup(const char* text) {
  return duplicate(text, strlen(text));
}
SCHED_RUN_EXPORT char* strndup(const char* text, size_t most) {
  return duplicate(text, strnlen(text, most));
}

SCHED_RUN_EXPORT ssize_t getdelim(char** line, size_t* room, int end, FILE* f) {
  return here() ? get_line(line, room, end, f) : real_getdelim(line, room, end, f);
}
// The header has getline() inline where it optimises, by this name.
SCHED_RUN_EXPORT ssize_t __getdelim(char** line, size_t* room, int end, FILE* f) {
  return getdelim(line, room, end, f);
}
SCHED_RUN_EXPORT ssize_t sched_getline(char** line, size_t* room, FILE* f) __asm__("getline");
ssize_t sched_getline(char** line, size_t* room, FILE* f) {
  return getdelim(line, room, '\n', f);
}

SCHED_RUN_EXPORT int vasprintf(char** text, const char* format, va_list arguments) {
  return here() ? print_to_new(text, format, arguments) : real_vasprintf(text, format, arguments);
}
SCHED_RUN_EXPORT int asprintf(char** text, const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int length = vasprintf(text, format, arguments);
  va_end(arguments);
  return length;
}

// SPDX-License-Identifier: Apache-2.0
#include "sched/run/program.h"

#include <unistd.h>

#include <cstring>

#include "sched/engine.h"
#include "sched/fatal.h"
#include "sched/run/exit.h"
#include "sched/run/image.h"
#include "sched/run/marks.h"
#include "sched/run/process.h"

extern "C" {
int __real_main(int, char**, char**);
typedef void (*Initialiser)(int, char**, char**);
extern Initialiser __init_array_start[], __init_array_end[];
extern void (*__fini_array_start[])(), (*__fini_array_end[])();
}

namespace sched::program {
namespace {

constexpr unsigned kMaxFunctions = 4096;
Initialiser initialisers[kMaxFunctions];
void (*finishers[kMaxFunctions])();
unsigned initialiser_count, finisher_count;

bool between(const void* p, const char* begin, const char* end) {
  return p >= begin && p < end;
}
bool is_programs_text(const void* p) {
  return between(p, sched_run_text_begin, sched_run_text_end) ||
         between(p, sched_run_startup_begin, sched_run_startup_end) ||
         between(p, sched_run_unlikely_begin, sched_run_unlikely_end);
}

void nothing() {}

template <class F>
void take(F* from, F* end, F (&to)[kMaxFunctions], unsigned& count) {
  for (; from < end; ++from) {
    if (!is_programs_text(reinterpret_cast<const void*>(*from)) || count == kMaxFunctions) continue;
    to[count++] = *from;
    *from = reinterpret_cast<F>(nothing);
  }
}

void take_functions(int, char**, char**) {
  take(__init_array_start, __init_array_end, initialisers, initialiser_count);
  take(__fini_array_start, __fini_array_end, finishers, finisher_count);
}
// Runs before the constructors of all libraries.
[[gnu::section(".preinit_array"), gnu::used]] Initialiser before_all = take_functions;

// Copies for the program to write to: the originals are kept.
std::string characters, pristine_characters;
std::vector<char*> pointers, pristine_pointers;

void restore_arguments() {
  memcpy(characters.data(), pristine_characters.data(), characters.size());
  memcpy(pointers.data(), pristine_pointers.data(), pointers.size() * sizeof(char*));
}

// Everything that an execution may have changed and the engine does not know of.
void restore(bool muted) {
  g.active = false;  // library calls are real ones
  image_restore();
  process_restore(muted);
  exit_restore();
  restore_arguments();
  g.active = true;
}

}  // namespace

void set_arguments(std::vector<std::string> arguments) {
  for (const std::string& a : arguments) characters += a + '\0';
  pristine_characters = characters;
  char* next = characters.data();
  for (const std::string& a : arguments) {
    pointers.push_back(next);
    next += a.size() + 1;
  }
  pointers.push_back(nullptr);
  pristine_pointers = pointers;
}

void run_program(void* muted) {
  restore(*static_cast<bool*>(muted));
  const int count = static_cast<int>(pointers.size()) - 1;
  for (unsigned i = 0; i < initialiser_count; ++i) initialisers[i](count, pointers.data(), environ);
  end_main(__real_main(count, pointers.data(), environ));
}

void run_finishers() {
  for (unsigned i = finisher_count; i-- > 0;) finishers[i]();
}

}  // namespace sched::program

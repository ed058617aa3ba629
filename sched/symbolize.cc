// SPDX-License-Identifier: Apache-2.0
#include "sched/symbolize.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <link.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string_view>

#include "sched/demangle.h"

extern char** environ;
// Of the program (source_root.cc), with its slash; null where it has none.
extern "C" [[gnu::weak]] const char sched_source_root[];

namespace sched {
namespace {

struct Module {
  std::string path;
  uintptr_t base = 0;
};

std::string hex(uintptr_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIxPTR, value);
  return text;
}

std::string own_path() {
  std::array<char, 4096> path{};
  const ssize_t size = readlink("/proc/self/exe", path.data(), path.size() - 1);
  return size > 0 ? std::string(path.data(), static_cast<size_t>(size)) : std::string();
}

Module module_of(uintptr_t pc) {
  struct Search {
    uintptr_t pc;
    Module found;
  } search{pc, {}};
  dl_iterate_phdr(
      [](dl_phdr_info* info, size_t, void* context) {
        auto* s = static_cast<Search*>(context);
        for (unsigned i = 0; i < info->dlpi_phnum; ++i) {
          const ElfW(Phdr)& segment = info->dlpi_phdr[i];
          const uintptr_t begin = info->dlpi_addr + segment.p_vaddr;
          if (segment.p_type != PT_LOAD || s->pc < begin || s->pc - begin >= segment.p_memsz)
            continue;
          s->found = {info->dlpi_name, info->dlpi_addr};
          if (s->found.path.empty()) s->found.path = own_path();
          return 1;
        }
        return 0;
      },
      &search);
  return search.found;
}

bool is_executable(const std::string& path) {
  return access(path.c_str(), X_OK) == 0;
}

std::string find_in_path(const std::string& program) {
  const char* path = std::getenv("PATH");
  std::string_view rest = path != nullptr ? path : "/usr/local/bin:/usr/bin:/bin";
  while (!rest.empty()) {
    const size_t colon = std::min(rest.find(':'), rest.size());
    const std::string candidate = std::string(rest.substr(0, colon)) + "/" + program;
    if (is_executable(candidate)) return candidate;
    rest.remove_prefix(std::min(colon + 1, rest.size()));
  }
  return "";
}

// The program to ask; empty: none. GNU addr2line comes last: it is slow on large programs.
const std::string& symbolizer_program() {
  static const std::string program = [] {
    if (const char* own = std::getenv("LASTPUT_SYMBOLIZER")) return std::string(own);
    std::string found = find_in_path("llvm-symbolizer");
    for (int version = 30; version >= 14 && found.empty(); --version) {
      found = find_in_path("llvm-symbolizer-" + std::to_string(version));
    }
    return found.empty() ? find_in_path("addr2line") : found;
  }();
  return program;
}

std::string read_all(int fd) {
  std::string text;
  std::array<char, 4096> buffer;
  for (;;) {
    const ssize_t size = read(fd, buffer.data(), buffer.size());
    if (size < 0 && errno == EINTR) continue;
    if (size <= 0) return text;
    text.append(buffer.data(), static_cast<size_t>(size));
  }
}

// stdout of the program; empty when it cannot be run.
std::string output_of(std::vector<std::string> arguments) {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return "";
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  pid_t child = 0;
  const int error = posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(ends[1]);
  std::string text;
  if (error == 0) {
    text = read_all(ends[0]);
    while (waitpid(child, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
  close(ends[0]);
  return text;
}

// Where `name` stands behind its return type and before its parameters: both at depth 0 of
// brackets.
std::string without_types(const std::string& name) {
  int depth = 0;
  size_t begin = 0;
  size_t end = name.size();
  for (size_t i = 0; i < name.size(); ++i) {
    if (name.compare(i, 8, "operator") == 0) {  // operator(), operator<, operator bool
      i += 8;
      if (name.compare(i, 2, "()") == 0) {
        i += 1;
      } else {
        while (i + 1 < name.size() && name[i + 1] != '(') ++i;
      }
      continue;
    }
    const char c = name[i];
    if (name.compare(i, 21, "(anonymous namespace)") == 0) {
      i += 20;
    } else if (c == '<') {
      ++depth;
    } else if (c == '>') {
      --depth;
    } else if (c == '(' && depth == 0) {
      end = i;
      break;
    } else if (c == ' ' && depth == 0) {
      begin = i + 1;
    }
  }
  // A cast operator or a lambda's type may leave nothing sensible: keep all then.
  return begin < end ? name.substr(begin, end - begin) : name;
}

std::string without_root(std::string path) {
  if (sched_source_root != nullptr && path.starts_with(sched_source_root))
    path.erase(0, strlen(sched_source_root));
  while (path.starts_with("./")) path.erase(0, 2);
  return path;
}

// "file:line", perhaps with " (discriminator 1)" behind it; "??:0" and "??:?" mean unknown.
void parse_place(std::string_view place, Frame& frame) {
  place = place.substr(0, place.find(" ("));
  const size_t colon = place.rfind(':');
  if (colon == std::string_view::npos || place.starts_with("??")) return;
  frame.file = without_root(std::string(place.substr(0, colon)));
  frame.line = static_cast<unsigned>(
      std::strtoul(std::string(place.substr(colon + 1)).c_str(), nullptr, 10));
}

// Lines "0xADDRESS", then pairs (function, place), innermost first.
std::map<uintptr_t, std::vector<Frame>> parse_answer(const std::string& text) {
  std::map<uintptr_t, std::vector<Frame>> answer;
  std::vector<Frame>* current = nullptr;
  std::string function;
  bool have_function = false;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    const std::string line = text.substr(at, end - at);
    at = end + 1;
    if (line.starts_with("0x")) {
      current = &answer[std::strtoull(line.c_str(), nullptr, 16)];
      have_function = false;
    } else if (!have_function && !line.empty()) {
      function = line;
      have_function = true;
    } else if (have_function && current != nullptr) {
      Frame frame;
      if (!function.starts_with("??")) frame.function = without_types(function);
      parse_place(line, frame);
      current->push_back(std::move(frame));
      have_function = false;
    }
  }
  return answer;
}

std::string module_text(const Module& module, uintptr_t pc) {
  if (module.path.empty()) return hex(pc);
  return module.path.substr(module.path.rfind('/') + 1) + "+" + hex(pc - module.base);
}

Frame dynamic_frame(uintptr_t pc) {
  Frame frame;
  Dl_info info{};
  if (dladdr(reinterpret_cast<void*>(pc), &info) != 0 && info.dli_sname != nullptr) {
    const std::string name = demangled(info.dli_sname);
    frame.function = name == info.dli_sname ? name : without_types(name);
  }
  return frame;
}

std::string base_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

// The C and C++ libraries; their frames without a name are thread start-up and allocation.
bool is_library(const std::string& module) {
  return module.starts_with("libstdc++.so") || module.starts_with("libc++.so") ||
         module.starts_with("libc.so");
}

// A library function in the engine's place, which is never what a person looks for.
bool is_interposed(const std::string& function) {
  static constexpr std::string_view kNames[] = {
#define SCHED_FUNCTION(name) #name,
#include "sched/real_functions.def"
#undef SCHED_FUNCTION
  };
  return std::find(std::begin(kNames), std::end(kNames), function) != std::end(kNames);
}

std::string print_frame(const Frame& frame) {
  std::string text = frame.function.empty() ? "??" : frame.function;
  if (frame.file.empty()) return text + " (" + frame.module + ")";
  text += " " + frame.file;
  return frame.line != 0 ? text + ":" + std::to_string(frame.line) : text;
}

}  // namespace

bool is_uninteresting(const std::string& function) {
  if (is_interposed(function)) return true;
  // Whole namespaces and what is reserved for implementations; then names that a program may well continue.
  static constexpr auto kPrefixes = std::to_array<std::string_view>(
      {"sched::", "__tsan_", "__asan_", "__interceptor_", "___interceptor_",
       "std::", "__gnu_cxx::", "__gthread", "__cxa_", "_Unwind_", "pthread_", "__pthread_",
       "__clone", "__libc_start", "operator new", "operator delete"});
  static constexpr auto kNames = std::to_array<std::string_view>({"sched_swap",
                                                                  "sched_start",
                                                                  "sched_pass",
                                                                  "sched_await",
                                                                  "sched_park",
                                                                  "sched_yield",
                                                                  "start_thread",
                                                                  "clone",
                                                                  "clone3",
                                                                  "_start",
                                                                  "execute_native_thread_routine",
                                                                  "malloc",
                                                                  "calloc",
                                                                  "realloc",
                                                                  "reallocarray",
                                                                  "free",
                                                                  "memalign",
                                                                  "aligned_alloc",
                                                                  "posix_memalign",
                                                                  "cfree",
                                                                  "exit",
                                                                  "_exit",
                                                                  "_Exit",
                                                                  "quick_exit",
                                                                  "abort",
                                                                  "__assert_fail",
                                                                  "raise",
                                                                  "kill",
                                                                  "__cxa_atexit",
                                                                  "__wrap_main"});
  return std::any_of(kPrefixes.begin(), kPrefixes.end(),
                     [&](std::string_view prefix) { return function.starts_with(prefix); }) ||
         std::find(kNames.begin(), kNames.end(), function) != kNames.end();
}

bool is_uninteresting(const Frame& frame) {
  return is_uninteresting(frame.function) || is_library(frame.module);
}

void Symbolizer::load(std::span<const uintptr_t> pcs) {
  constexpr size_t kMostAddresses = 4000;                       // of one command line
  std::map<std::string, std::map<uintptr_t, uintptr_t>> asked;  // module: offset in it: pc
  for (const uintptr_t pc : pcs) {
    if (pc == 0 || known_.contains(pc)) continue;
    const Module module = module_of(pc - 1);  // the call, not the instruction behind it
    if (!module.path.empty() && module.path[0] == '/' &&
        asked[module.path].size() < kMostAddresses) {
      asked[module.path][pc - 1 - module.base] = pc;
    }
  }
  const std::string& program = symbolizer_program();
  for (const auto& [path, offsets] : asked) {
    if (program.empty()) break;
    std::vector<std::string> arguments = {program, "-a", "-f", "-C", "-i", "-e", path};
    if (base_name(program).starts_with("llvm-symbolizer"))
      arguments.push_back("--output-style=GNU");
    for (const auto& entry : offsets) arguments.push_back(hex(entry.first));
    for (auto& [offset, frames] : parse_answer(output_of(std::move(arguments)))) {
      const auto pc = offsets.find(offset);
      if (pc == offsets.end() || frames.empty() || frames.back().function.empty()) continue;
      for (Frame& frame : frames) frame.module = base_name(path) + "+" + hex(offset);
      known_[pc->second] = std::move(frames);
    }
  }
  for (const uintptr_t pc : pcs) {
    if (known_.contains(pc)) continue;
    Frame frame = dynamic_frame(pc - 1);
    frame.module = module_text(module_of(pc - 1), pc - 1);
    known_[pc] = {std::move(frame)};
  }
}

const std::vector<Frame>& Symbolizer::frames(uintptr_t pc) {
  load(std::span(&pc, 1));
  return known_[pc];
}

std::string Symbolizer::print_stack(const Stack& stack) {
  load(stack.pcs);
  std::vector<Frame> all;
  for (const uintptr_t pc : stack.pcs) {
    const std::vector<Frame>& here = frames(pc);
    all.insert(all.end(), here.begin(), here.end());
  }
  std::vector<Frame> kept;
  std::copy_if(all.begin(), all.end(), std::back_inserter(kept),
               [](const Frame& frame) { return !is_uninteresting(frame); });
  if (kept.empty()) kept = std::move(all);
  std::string text;
  for (size_t i = 0; i < kept.size(); ++i) {
    text += "    #" + std::to_string(i) + " " + print_frame(kept[i]) + "\n";
  }
  return text;
}

std::string Symbolizer::location(uintptr_t pc) {
  for (const Frame& frame : frames(pc)) {
    if (is_uninteresting(frame.function) || frame.file.empty() || frame.line == 0) continue;
    return base_name(frame.file) + ":" + std::to_string(frame.line);
  }
  return "";
}

std::string print_stack(const Stack& stack) {
  Symbolizer symbolizer;
  const std::string frames = symbolizer.print_stack(stack);
  return (stack.title.empty() ? "" : "  " + stack.title + ":\n") +
         (frames.empty() ? "    (no stack)\n" : frames);
}

}  // namespace sched

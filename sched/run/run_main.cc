// SPDX-License-Identifier: Apache-2.0
// Where a program that is run starts (the linker's --wrap=main): reads the flags that the driver gives, then
// searches or replays. The driver has checked what a person wrote; these flags are its own.
//
//   PROGRAM --name=counter --seed=7 --seconds=10 ... -- ARGUMENT...
//   PROGRAM --name=counter --replay=FILE [--times=N] [--steps=all] [--timeline=yes] [--html=FILE] [--minimize=yes]
//     [--seconds=N] [--debug=yes] [--rr=FOLDER] -- ARGUMENT...
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "sched/run/image.h"
#include "sched/run/process.h"
#include "sched/run/program.h"
#include "sched/run/search.h"

namespace sched::program {
namespace {

struct Flags {
  std::map<std::string, std::string> values;
  std::vector<std::string> arguments;  // of the program

  std::string get(const char* name, const char* otherwise = "") const {
    const auto it = values.find(name);
    return it == values.end() ? otherwise : it->second;
  }
  uint64_t number(const char* name, const char* otherwise) const {
    return strtoull(get(name, otherwise).c_str(), nullptr, 10);
  }
  bool has(const char* name) const { return values.contains(name); }
};

// False: not the driver's flags.
bool read_flags(int argc, char** argv, Flags* flags) {
  int i = 1;
  for (; i < argc && strcmp(argv[i], "--") != 0; ++i) {
    const std::string word = argv[i];
    const size_t equals = word.find('=');
    if (!word.starts_with("--") || equals == std::string::npos) return false;
    flags->values[word.substr(2, equals - 2)] = word.substr(equals + 1);
  }
  flags->arguments.push_back(flags->get("name", argv[0]));
  for (++i; i < argc; ++i) flags->arguments.emplace_back(argv[i]);
  return true;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

int search_with(const Flags& flags, bool color) {
  Settings s;
  s.name = flags.get("name");
  s.words = flags.get("words");
  if (flags.has("built")) s.built = read_file(flags.get("built"));
  s.seconds = static_cast<double>(flags.number("seconds", "10"));
  s.executions = flags.number("executions", "0");
  s.seed = flags.number("seed", "1");
  s.races = flags.get("races") != "off";
  s.weak_memory = flags.get("memory") != "sc";
  s.fair_points = flags.number("steps", "1000000");
  s.artifacts = flags.get("artifacts", "./");
  s.jobs = static_cast<unsigned>(flags.number("jobs", "1"));
  s.json = flags.get("json");
  s.exhaustive = flags.has("exhaustive");
  if (s.exhaustive && flags.has("steps")) s.points = s.fair_points;
  s.preemptions = static_cast<uint32_t>(flags.number("preemptions", "4294967295"));
  s.stale = static_cast<uint32_t>(flags.number("stale", "4294967295"));
  s.color = color;
  s.has_wider = flags.has("has-wider");
  s.goes_on = flags.has("goes-on");
  return search(s);
}

int replay_with(const Flags& flags, bool color) {
  ReplaySettings s;
  s.name = flags.get("name");
  s.file = flags.get("replay");
  s.times = static_cast<unsigned>(flags.number("times", "1"));
  s.all_steps = flags.get("steps") == "all";
  s.timeline = flags.has("timeline");
  s.page = flags.get("html");
  s.for_debugger = flags.has("for-debugger");
  s.minimize = flags.has("minimize");
  s.seconds = static_cast<double>(flags.number("seconds", "60"));
  s.debug = flags.has("debug");
  s.rr = flags.get("rr");
  s.again = {"--name=" + s.name, "--for-debugger=yes", "--"};
  s.again.insert(s.again.end(), flags.arguments.begin() + 1, flags.arguments.end());
  s.color = color;
  return replay(s);
}

}  // namespace
}  // namespace sched::program

using namespace sched::program;

extern "C" int __wrap_main(int argc, char** argv) {
  image_setup();
  process_setup();
  Flags flags;
  if (!read_flags(argc, argv, &flags)) {
    dprintf(own_output(), "lastput: start this program by ./lastput run\n");
    return kUnreadable;
  }
  const bool color = isatty(own_output()) != 0 && flags.get("color") != "no";
  set_arguments(flags.arguments);
  const int code = flags.has("replay") ? replay_with(flags, color) : search_with(flags, color);
  _exit(code);  // what the program left in its globals is for nobody's destructors
}

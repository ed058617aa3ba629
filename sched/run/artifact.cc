// SPDX-License-Identifier: Apache-2.0
#include "sched/run/artifact.h"

#include <cstdio>
#include <cstdlib>
#include <sstream>

#include "sched/search.h"

namespace sched::program {
namespace {

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "%llx", static_cast<unsigned long long>(value));
  return text;
}

std::string one_line(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\r') c = ' ';
  return text;
}

// What a terminal would obey as "?".
std::string printable(std::string text) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < ' ' || c == 0x7f) c = '?';
  return text;
}

std::string print_strategy(const Options& o) {
  return std::string("setup strategy ") + strategy_name(o.strategy) + " depth " +
         std::to_string(o.depth) + " interesting " + std::to_string(o.interesting) + "\n";
}

std::string print_setup(const Artifact& a) {
  const Options& o = a.options;
  std::string text;
  if (!o.races) text += "setup races off\n";
  if (!o.weak_memory) text += "setup memory sc\n";
  if (o.plain_points) text += "setup plain_points\n";
  text += "setup steps " + std::to_string(o.fair_budget) + "\n";
  text += "setup points " + std::to_string(o.step_budget) + "\n";
  if (!a.has_schedule)
    text += "setup seed " + std::to_string(o.seed) + " interval " +
            std::to_string(o.mean_interval) + "\n" + print_strategy(o);
  return text;
}

// The words of a line, read one after the other.
struct Line {
  std::istringstream in;
  explicit Line(const std::string& text) : in(text) {}
  bool is(const char* word) {
    std::string w;
    return in >> w && w == word;
  }
  template <class T>
  bool number(T* value) {
    return static_cast<bool>(in >> *value);
  }
  bool word(std::string* value) { return static_cast<bool>(in >> *value); }
  bool ends() {
    std::string w;
    return !(in >> w);
  }
};

bool parse_strategy(Line& line, Options* o) {
  std::string name;
  return line.word(&name) && find_strategy(name, &o->strategy) && line.is("depth") &&
         line.number(&o->depth) && line.is("interesting") && line.number(&o->interesting);
}

bool parse_setup(Line& line, Artifact* a) {
  Options& o = a->options;
  std::string what;
  if (!line.word(&what)) return false;
  if (what == "races") return line.is("off") && !(o.races = false);
  if (what == "memory") return line.is("sc") && !(o.weak_memory = false);
  if (what == "plain_points") return o.plain_points = true;
  if (what == "steps") return line.number(&o.fair_budget);
  if (what == "points") return line.number(&o.step_budget);
  if (what == "seed")
    return line.number(&o.seed) && line.is("interval") && line.number(&o.mean_interval);
  if (what == "strategy") return parse_strategy(line, &o);
  return false;
}

bool parse_choice(const std::string& text, Artifact* a) {
  Choice c;
  if (!sched::parse_choice(text, &c)) return false;
  a->schedule.push_back(std::move(c));
  return true;
}

// One line; true if it is as it should be.
bool parse_line(const std::string& text, Artifact* a) {
  Line line(text);
  std::string word;
  if (!line.word(&word) || word[0] == '#') return true;
  if (a->has_schedule) return parse_choice(text, a);
  if (word == "schedule") return a->has_schedule = true;
  if (word == "setup") return parse_setup(line, a) && line.ends();
  if (word == "steps") return line.number(&a->steps);
  if (word == "hash") {
    line.in >> std::hex >> a->hash;
    return true;
  }
  if (word == "source" || word == "flag" || word == "argument" || word == "library") {
    a->built += text + "\n";
    return true;
  }
  if (word == "fails") {
    std::string kind;
    if (line.word(&kind) && kind.find_first_not_of("abcdefghijklmnopqrstuvwxyz-") == kind.npos)
      a->found = kind;
    return true;
  }
  return word == "lastput" || word == "target";
}

}  // namespace

std::string print(const Artifact& a) {
  std::string text = "lastput 1\ntarget run\n";
  text += std::string("fails ") + failure_kind_name(a.kind) + " " + one_line(a.message) + "\n";
  text += a.built + print_setup(a);
  text += "steps " + std::to_string(a.steps) + "\nhash 0x" + hex(a.hash) + "\n";
  if (a.has_schedule) text += "schedule\n";
  for (const Choice& c : a.schedule) text += "  " + print_choice(c) + "\n";
  return text + "end\n";
}

bool parse(const std::string& text, Artifact* artifact, std::string* error) {
  std::istringstream in(text);
  std::string line;
  for (unsigned number = 1; std::getline(in, line); ++number) {
    if (line == "end") return true;
    if (parse_line(line, artifact)) continue;
    *error =
        "line " + std::to_string(number) + ": cannot be read: " + printable(line.substr(0, 60));
    return false;
  }
  *error = "it is truncated: it has no line 'end'";
  return false;
}

std::string artifact_name(const Artifact& artifact, const std::string& text) {
  uint64_t hash = 0xcbf29ce484222325u;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return std::string("failure-") + failure_kind_name(artifact.kind) + "-" + hex(hash >> 32) +
         ".lastput";
}

}  // namespace sched::program

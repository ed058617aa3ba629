// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/failure.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <set>
#include <sstream>

namespace nightly {
namespace {

constexpr size_t kCoreFrames = 3, kOtherFrames = 2, kShownFrames = 6;

struct Frame {
  std::string function;
  std::string file;  // "core/ref.h"; "": not ours
};
using Stack = std::vector<Frame>;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) {
    if (line.ends_with('\r')) line.pop_back();
    lines.push_back(line);
  }
  return lines;
}

std::string after(const std::string& line, const std::string& words) {
  return line.starts_with(words) ? line.substr(words.size()) : "";
}

void erase_all(std::string& text, const std::string& words) {
  for (size_t at; (at = text.find(words)) != std::string::npos;) text.erase(at, words.size());
}

// Leaves out what stands between brackets, and these.
std::string without(const std::string& text, char open, char close) {
  std::string left;
  int depth = 0;
  for (const char c : text) {
    if (c == open) ++depth;
    if (depth == 0) left += c;
    if (c == close && depth > 0) --depth;
  }
  return left;
}

// Whoever misuses what, this one tells.
constexpr std::string_view kMisuseTeller = "stress::on_misuse";

// "core/ref.h" of "/somewhere/core/ref.h:12:3". What only tells a failure is in every stack, and counts as not ours.
std::string own_file(const std::string& place) {
  static constexpr std::array kFolders = {"core/", "stress/", "targets/"};
  static const std::set<std::string> kTellers = {"stress/report.cc",
                                                 "stress/stacks.cc",
                                                 "stress/main.cc",
                                                 "stress/runner.cc",
                                                 "targets/sanitizer_report.cc",
                                                 "targets/runtime_sched.cc",
                                                 "targets/execute.cc",
                                                 "targets/abort_below_engine.cc",
                                                 "targets/runtime.h"};
  for (const char* folder : kFolders) {
    size_t at = place.rfind(std::string("/") + folder);
    at = at == std::string::npos ? (place.starts_with(folder) ? 0 : at) : at + 1;
    if (at == std::string::npos) continue;
    const std::string file = place.substr(at, place.find(':', at) - at);
    const bool tells = kTellers.count(file) != 0 || file.starts_with("targets/guarantees.") ||
                       file.starts_with("targets/runtime_threads") ||
                       file.starts_with("targets/fuzzer_");
    return tells ? "" : file;
  }
  return "";
}

// "    #1 0x55 in percpu::Ref::put() /x/core/ref.h:12:3 (stress+0x12) (BuildId: 34)", with or without address and end.
bool read_frame(const std::string& line, unsigned& number, Frame& frame) {
  const size_t hash = line.find_first_not_of(' ');
  if (hash == std::string::npos || line[hash] != '#') return false;
  char* end = nullptr;
  number = static_cast<unsigned>(std::strtoul(line.c_str() + hash + 1, &end, 10));
  if (end == line.c_str() + hash + 1 || *end != ' ') return false;
  std::string rest = end + 1;
  if (rest.starts_with("0x")) {
    const size_t in = rest.find(" in ");
    if (in == std::string::npos) return false;
    rest.erase(0, in + 4);
  }
  for (const char* tail : {" (BuildId: ", " (discriminator "})
    if (const size_t at = rest.rfind(tail); at != std::string::npos) rest.erase(at);
  if (rest.ends_with(')') && rest.find("+0x", rest.rfind(" (") + 1) != std::string::npos)
    rest.erase(rest.rfind(" ("));
  const size_t space = rest.rfind(' ');
  const std::string place = space == std::string::npos ? "" : rest.substr(space + 1);
  frame = {plain_function(rest.substr(0, space)), own_file(place)};
  return true;
}

// Each begins with a frame #0.
std::vector<Stack> stacks_in(const std::vector<std::string>& lines) {
  std::vector<Stack> stacks;
  unsigned number = 0;
  Frame frame;
  for (const std::string& line : lines) {
    if (!read_frame(line, number, frame)) continue;
    if (number == 0) stacks.emplace_back();
    if (!stacks.empty()) stacks.back().push_back(frame);
  }
  return stacks;
}

// A lambda and what it stands in are one; so are recursive calls.
std::vector<Frame> own_frames(const Stack& stack) {
  std::vector<Frame> own;
  for (const Frame& frame : stack)
    if (!frame.file.empty() && frame.function != kMisuseTeller &&
        (own.empty() || own.back().function != frame.function))
      own.push_back(frame);
  return own;
}

std::vector<std::string> names_of(const std::vector<Frame>& frames, size_t most) {
  std::vector<std::string> names;
  for (const Frame& frame : frames)
    if (names.size() < most) names.push_back(frame.function);
  return names;
}

// "core/ref.h:put": without the class, which g++ does not name where a function has been inlined.
std::vector<std::string> places_of(const std::vector<Frame>& frames, size_t most) {
  std::vector<std::string> places;
  for (const Frame& frame : frames) {
    const size_t scope = frame.function.rfind("::");
    if (places.size() < most)
      places.push_back(frame.file + ":" +
                       frame.function.substr(scope == std::string::npos ? 0 : scope + 2));
  }
  return places;
}

std::vector<std::string> telling_frames(const std::vector<Stack>& stacks, bool is_race) {
  if (is_race && stacks.size() >= 2) {
    std::set<std::string> ends;
    for (size_t i = 0; i < 2; ++i)
      for (const std::string& place : places_of(own_frames(stacks[i]), 1)) ends.insert(place);
    return {ends.begin(), ends.end()};
  }
  for (const Stack& stack : stacks) {
    std::vector<Frame> own = own_frames(stack);
    if (own.empty()) continue;
    if (!own[0].file.starts_with("core/")) return places_of(own, kOtherFrames);
    const auto left_core = std::find_if(own.begin(), own.end(), [](const Frame& frame) {
      return !frame.file.starts_with("core/");
    });
    own.erase(left_core, own.end());
    return places_of(own, kCoreFrames);
  }
  return {};
}

std::string without_numbers(const std::string& text) {
  std::string left;
  for (const char c : text)
    if (c < '0' || c > '9')
      left += c;
    else if (!left.ends_with('#'))
      left += '#';
  return left;
}

// "G2" and "release while held" of "SUMMARY: lastput: G2 (release while held) in pool on real threads".
void read_summary(const std::string& rest, Failure& failure) {
  failure.guarantee = rest.substr(0, rest.find(' '));
  const size_t open = rest.find(" (");
  if (open != failure.guarantee.size()) return;
  failure.about = rest.substr(open + 2, rest.find(')') - open - 2);
}

}  // namespace

std::string plain_function(std::string name) {
  for (const char* words : {"(anonymous namespace)::", "linux_rseq::", "portable::", "[abi:cxx11]",
                            " const", "operator()"})
    erase_all(name, words);
  name = without(without(without(name, '(', ')'), '<', '>'), '[', ']');
  while (name.ends_with(' ') || name.ends_with(':')) name.pop_back();
  if (const size_t lambda = name.find("::{lambda"); lambda != std::string::npos) name.erase(lambda);
  if (const size_t lambda = name.find("::$_"); lambda != std::string::npos) name.erase(lambda);
  if (const size_t space = name.rfind(' '); space != std::string::npos) name.erase(0, space + 1);
  return name.substr(0, name.find(".isra"));
}

bool tells_failure(const std::string& log) {
  return log.starts_with("SUMMARY: ") || log.find("\nSUMMARY: ") != std::string::npos ||
         log.find("\nFAILED: ") != std::string::npos;
}

Failure failure_in(const std::string& log) {
  Failure failure;
  const std::vector<std::string> lines = lines_of(log);
  bool is_race = false, sentence_follows = false;
  for (const std::string& line : lines) {
    if (sentence_follows && failure.message.empty())
      failure.message = line.substr(std::min(line.find_first_not_of(' '), line.size()));
    sentence_follows = line.starts_with("FAILED: ");
    is_race |= line.find("ThreadSanitizer: data race") != std::string::npos ||
               (sentence_follows && line.find("data-race") != std::string::npos);
    // What libFuzzer and the sanitizers say of the same failure comes before or behind.
    if (const std::string rest = after(line, "SUMMARY: lastput: "); !rest.empty()) {
      failure.summary = line.substr(9);
      read_summary(rest, failure);
    } else if (line.starts_with("SUMMARY: ") && failure.guarantee.empty()) {
      failure.summary = line.substr(9);
    }
    for (const char* words : {"replay: ", "on the engine: "})
      if (const std::string command = after(line, words); !command.empty())
        failure.commands.push_back(command);
    if (const std::string path = after(line, "written: "); !path.empty()) failure.artifact = path;
  }
  if (failure.guarantee.empty())
    failure.guarantee = failure.summary.substr(0, failure.summary.find_first_of(": "));
  if (failure.guarantee.empty()) failure.guarantee = "unknown";
  const std::vector<Stack> stacks = stacks_in(lines);
  failure.key = failure.guarantee;
  const std::vector<std::string> telling = telling_frames(stacks, is_race);
  for (const std::string& name : telling) failure.key += " " + name;
  if (telling.empty())
    failure.key +=
        " " + without_numbers(failure.message.empty() ? failure.summary : failure.message);
  for (const Stack& stack : stacks)
    if (failure.stack.empty()) failure.stack = names_of(own_frames(stack), kShownFrames);
  return failure;
}

}  // namespace nightly

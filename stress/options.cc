// SPDX-License-Identifier: Apache-2.0
#include "stress/options.h"

#include <charconv>
#include <string_view>

#include "stress/scenario.h"
#include "targets/build_info.h"

namespace stress {

const char* const kOptionsHelp =
    "usage: stress [SCENARIO...] [FLAGS]\n\n"
    "Soaks the core on real threads. Without a SCENARIO: all of them, one after the other.\n\n"
    "  --seconds=N     how long, altogether (default: 60)\n"
    "  --threads=N     workers, 1 to 32 (default: 2)\n"
    "  --seed=N        seed of every random choice (default: 1)\n"
    "  --patience=N    seconds without progress of a thread that are a failure (default: 30)\n"
    "  --round-ms=N    from one check of all counts to the next, at most (default: 100)\n"
    "  --adversity=off workers alone: no shuffles, signals, forced aborts, ... (default: on)\n"
    "  --artifacts=DIR where a failure leaves its folder (default: out/artifacts/stress)\n"
    "  --rings=FILE    where the flight recorder is kept (default: in memory)\n"
    "  --json=FILE     what was done, as JSON, once it is done\n"
    "  --again=WORDS   the command that a failure names, without what this program knows\n"
    "  --rr            in rounds of some seconds, each recorded by rr; a failing one is kept\n"
    "  --sections      says whether refs count in percpu memory here (exit code 0), or why not "
    "(3)\n"
    "  --list          the scenarios\n\n"
    "exit codes: 0 clean, 1 usage, 2 the program itself failed, 3 something is missing here, 77 a "
    "failure\n";

namespace {

bool read_number(std::string_view text, uint64_t low, uint64_t high, uint64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && value >= low && value <= high;
}

struct NumberFlag {
  std::string_view name;
  uint64_t low, high;
  unsigned Options::*member;
};
constexpr NumberFlag kNumbers[] = {
    {"seconds", 1, 100'000'000, &Options::seconds},
    {"threads", 1, kMaxWorkers, &Options::threads},
    {"patience", 1, 100'000, &Options::patience},
    {"round-ms", 1, 100'000, &Options::round_ms},
};
struct TextFlag {
  std::string_view name;
  std::string Options::*member;
};
constexpr TextFlag kTexts[] = {{"artifacts", &Options::artifacts},
                               {"json", &Options::json},
                               {"rings", &Options::rings},
                               {"again", &Options::again}};

std::string bad_number(std::string_view name, std::string_view text, uint64_t low, uint64_t high) {
  return "--" + std::string(name) + ": '" + std::string(text) + "' is no number from " +
         std::to_string(low) + " to " + std::to_string(high);
}

std::string read_flag(std::string_view flag, Options& options) {
  const size_t equals = flag.find('=');
  const std::string_view name = flag.substr(0, equals);
  const std::string_view value = equals == flag.npos ? "" : flag.substr(equals + 1);
  uint64_t number = 0;
  for (const NumberFlag& known : kNumbers) {
    if (known.name != name) continue;
    if (!read_number(value, known.low, known.high, number))
      return bad_number(name, value, known.low, known.high);
    options.*known.member = static_cast<unsigned>(number);
    return "";
  }
  for (const TextFlag& known : kTexts) {
    if (known.name != name) continue;
    if (value.empty()) return "--" + std::string(name) + " wants a value";
    options.*known.member = value;
    return "";
  }
  if (name == "seed") {
    if (!read_number(value, 0, UINT64_MAX, options.seed))
      return bad_number(name, value, 0, UINT64_MAX);
  } else if (name == "adversity") {
    if (value != "on" && value != "off") return "--adversity: on or off";
    options.adversity = value == "on";
  } else if (flag == "list") {
    options.list = true;
  } else if (flag == "sections") {
    options.sections = true;
  } else if (flag == "rr") {
    options.rr = true;
  } else if (flag == "help") {
    options.help = true;
  } else {
    return "unknown flag '--" + std::string(flag) + "'; --help lists them";
  }
  return "";
}

}  // namespace

std::string read_options(int argc, char** argv, Options& options) {
  for (int i = 1; i < argc; ++i) {
    const std::string_view word = argv[i];
    if (word.starts_with("--")) {
      if (std::string wrong = read_flag(word.substr(2), options); !wrong.empty()) return wrong;
      continue;
    }
    bool known = false;
    std::string names;
    for (const ScenarioInfo& info : scenarios()) {
      known |= word == info.name;
      names += std::string(" ") + info.name;
    }
    if (!known) return "no scenario '" + std::string(word) + "'; there is:" + names;
    options.scenarios.emplace_back(word);
  }
  return "";
}

std::string options_in_words(const Options& options) {
  return std::to_string(options.threads) + " threads, " + std::to_string(options.seconds) +
         " s, seed " + std::to_string(options.seed) + (options.adversity ? "" : ", no adversity");
}

std::string options_json(const Options& options, const std::string& scenario) {
  return "{\"scenario\": \"" + scenario + "\", \"seed\": " + std::to_string(options.seed) +
         ", \"threads\": " + std::to_string(options.threads) +
         ", \"seconds\": " + std::to_string(options.seconds) +
         ", \"round_ms\": " + std::to_string(options.round_ms) +
         ", \"adversity\": " + (options.adversity ? "true" : "false") + ", \"bug\": \"" +
         targets::built_with_bug() + "\", \"build\": \"" + targets::build_name() + "\"}\n";
}

}  // namespace stress

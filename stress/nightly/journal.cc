// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/journal.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include "stress/nightly/failure.h"

namespace nightly {
namespace {

namespace fs = std::filesystem;
constexpr int kOk = 0, kMissing = 3, kFound = 77, kInterrupted = 130, kKilled = 137;

[[noreturn]] void throw_disk(const std::string& path, int error) {
  throw DiskError("cannot write " + path + ": " + std::strerror(error));
}

void write_all(int file, const std::string& text, const std::string& path) {
  for (size_t at = 0; at < text.size();) {
    const ssize_t n = write(file, text.data() + at, text.size() - at);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) throw_disk(path, errno);
    at += static_cast<size_t>(n);
  }
  if (fsync(file) != 0) throw_disk(path, errno);
}

struct File {
  explicit File(int opened) : number(opened) {}
  ~File() {
    if (number >= 0) close(number);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  const int number;
};

std::string log_path(const std::string& folder, unsigned number) {
  return folder + "/" + std::to_string(number) + ".log";
}
std::string json_path(const std::string& folder, unsigned number) {
  return folder + "/" + std::to_string(number) + ".json";
}

std::string result_of(int code, bool fails) {
  if (fails || code == kFound) return "failure";
  switch (code) {
    case -1:
      return "cut off";
    case kOk:
      return "clean";
    case kMissing:
      return "skipped";
    case kInterrupted:
      return "stopped";
    default:
      return "broken";
  }
}

// "name: 123 ..." of the fuzz target's summary; -1: it is not there.
double number_after(const std::string& log, const std::string& name) {
  const std::string words = "\n" + name + ": ";
  const size_t at = log.rfind(words);
  return at == std::string::npos ? -1 : std::strtod(log.c_str() + at + words.size(), nullptr);
}

Json fuzz_json(const Ending& ending) {
  const std::string log = "\n" + ending.log;
  const double executions = number_after(log, "executions");
  if (executions < 0) return nullptr;
  Json fuzz = {{"executions", static_cast<uint64_t>(executions)},
               {"seconds", number_after(log, "seconds")},
               {"inputs", number_after(log, "inputs")},
               {"edges", number_after(log, "edges")}};
  if (const size_t at = log.rfind("\nedges: "); at != std::string::npos)
    if (const size_t of = log.find(" of ", at); of != std::string::npos)
      fuzz["edges known"] = std::strtod(log.c_str() + of + 4, nullptr);
  fuzz["corpus before"] = ending.inputs_before;
  fuzz["corpus after"] = ending.inputs_after;
  return fuzz;
}

Json failure_json(const Failure& failure) {
  return {{"key", failure.key},           {"guarantee", failure.guarantee},
          {"about", failure.about},       {"summary", failure.summary},
          {"message", failure.message},   {"stack", failure.stack},
          {"commands", failure.commands}, {"artifact", failure.artifact}};
}

}  // namespace

Json night_json(const Wishes& wishes, const Plan& plan, int64_t began, const Json& facts) {
  Json night = {{"version", 1},        {"seed", wishes.seed}, {"seconds", wishes.seconds},
                {"only", wishes.only}, {"bug", wishes.bug},   {"began", began},
                {"facts", facts}};
  night["cells"] = Json::array();
  for (const Cell& cell : plan.cells)
    night["cells"].push_back({{"name", cell.name}, {"soaks", cell.soaks}, {"weight", cell.weight}});
  night["rounds"] = Json::array();
  for (const Round& round : plan.rounds)
    night["rounds"].push_back({{"number", round.number},
                               {"cell", round.cell},
                               {"seconds", round.seconds},
                               {"command", round.command}});
  return night;
}

Json record_of(const Json& planned, const Ending& ending) {
  Json record = {{"number", planned.at("number")},
                 {"cell", planned.at("cell")},
                 {"command", planned.at("command")},
                 {"began", ending.began},
                 {"took", ending.took},
                 {"code", ending.code}};
  const std::string result = result_of(ending.code, tells_failure(ending.log));
  record["result"] = result;
  if (result == "failure")
    record["failure"] = failure_json(failure_in(ending.log));
  else if (ending.code == kKilled)
    record["why"] = "it did not end, and was killed; its last words: " + last_words(ending.log);
  else if (result != "clean")
    record["why"] = last_words(ending.log);
  Json soak = Json::parse(ending.json, nullptr, false);
  if (soak.is_object()) record["stress"] = std::move(soak);
  if (Json fuzz = fuzz_json(ending); fuzz.is_object()) record["fuzz"] = std::move(fuzz);
  return record;
}

std::string last_words(const std::string& log) {
  std::string last, told;
  std::istringstream in(log);
  for (std::string line; std::getline(in, line);) {
    if (line.empty()) continue;
    last = line;
    if (line.starts_with("lastput: ") || line.starts_with("stress: ")) told = line;
  }
  return told.empty() ? last : told;
}

std::string file_text(const std::string& path, size_t most) {
  std::ifstream file(path, std::ios::binary | std::ios::ate);
  if (!file) return "";
  const auto size = static_cast<size_t>(std::max<std::streamoff>(file.tellg(), 0));
  std::string text(std::min(size, most), '\0');
  file.seekg(static_cast<std::streamoff>(size - text.size()));
  file.read(text.data(), static_cast<std::streamsize>(text.size()));
  return text;
}

void write_whole(const std::string& path, const std::string& text) {
  const std::string beside = path + ".tmp";
  {
    const File file(open(beside.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666));
    if (file.number < 0) throw_disk(path, errno);
    write_all(file.number, text, path);
  }
  if (rename(beside.c_str(), path.c_str()) != 0) throw_disk(path, errno);
}

void append_line(const std::string& path, const std::string& line) {
  const File file(open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0666));
  if (file.number < 0) throw_disk(path, errno);
  const off_t size = lseek(file.number, 0, SEEK_END);
  // A line that was cut off, by kill -9 or a full disk, ends here.
  char last = '\n';
  if (size > 0 && pread(file.number, &last, 1, size - 1) != 1) throw_disk(path, errno);
  try {
    write_all(file.number, (last == '\n' ? "" : "\n") + line + "\n", path);
  } catch (const DiskError&) {
    if (ftruncate(file.number, size) != 0) throw_disk(path, errno);
    throw;
  }
}

std::string one_line(const Json& json) {
  return json.dump(-1, ' ', true, Json::error_handler_t::replace);
}

Night read_night(const std::string& folder) {
  Night night;
  night.facts = Json::parse(file_text(folder + "/night.json"), nullptr, false);
  if (!night.facts.is_object() || night.facts.value("version", 0) != 1 ||
      !night.facts.contains("rounds"))
    throw DiskError(folder + " is no night: its night.json is not there, or not of this version; " +
                    "out/nightly has those that there are");
  night.ended = file_text(folder + "/ended.txt");
  while (night.ended.ends_with('\n')) night.ended.pop_back();
  night.coverage = file_text(folder + "/coverage.txt");
  std::map<unsigned, Json> ended;
  std::istringstream lines(file_text(folder + "/rounds.jsonl", SIZE_MAX));
  for (std::string line; std::getline(lines, line);) {
    Json round = Json::parse(line, nullptr, false);
    if (!round.is_object() || !round.contains("number")) continue;
    const unsigned number = round["number"];
    ended[number] = std::move(round);
  }
  for (const Json& planned : night.facts["rounds"]) {
    const unsigned number = planned.at("number");
    if (const auto found = ended.find(number); found != ended.end()) {
      night.rounds.push_back(std::move(found->second));
    } else if (fs::exists(log_path(folder, number))) {
      Ending ending{-1, 0, 0, -1, -1, file_text(log_path(folder, number)), ""};
      night.rounds.push_back(record_of(planned, ending));
    }
  }
  return night;
}

Json note_round(const std::string& folder, unsigned number, Ending ending) {
  const Json night = Json::parse(file_text(folder + "/night.json"), nullptr, false);
  const Json* planned = nullptr;
  if (night.is_object())
    for (const Json& round : night.at("rounds"))
      if (round.at("number") == number) planned = &round;
  if (planned == nullptr)
    throw DiskError(folder + ": no round " + std::to_string(number) + " was planned there");
  ending.log = file_text(log_path(folder, number));
  ending.json = file_text(json_path(folder, number));
  Json record = record_of(*planned, ending);
  append_line(folder + "/rounds.jsonl", one_line(record));
  std::error_code error;
  fs::remove(json_path(folder, number), error);
  if (record["result"] == "clean") fs::remove(log_path(folder, number), error);
  return record;
}

}  // namespace nightly

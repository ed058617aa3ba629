// SPDX-License-Identifier: Apache-2.0
#include "audit/journal.h"

#include <cstdint>
#include <fstream>
#include <nlohmann/json.hpp>
#include <stdexcept>
#include <utility>

#include "absl/strings/str_cat.h"

namespace audit {
namespace {

using nlohmann::json;

// False: not a whole line of ours.
bool read_line(const std::string& line, Result* result) {
  const json object = json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (!object.is_object() || !object.contains("mutant") || !object.contains("search")) return false;
  try {
    *result = {object.at("mutant"), object.at("found"),   object.at("broke"),
               object.at("by"),     object.at("seconds"), {object.at("core"), object.at("search")}};
  } catch (const json::exception&) {
    return false;
  }
  return true;
}

std::string name_of(const std::string& key, const Validity& validity) {
  return absl::StrCat(validity.core, " ", key);
}

}  // namespace

Journal::Journal(std::filesystem::path path) : path_(std::move(path)) {
  std::ifstream in(path_);
  Result result;
  for (std::string line; std::getline(in, line);) {
    if (!read_line(line, &result)) continue;
    (result.found ? found_ : survived_)[name_of(result.key, result.validity)] = result;
  }
  std::ofstream out(path_, std::ios::app);
  // Whatever was cut off before, the next line is a line of its own.
  if (!(out << '\n').flush()) throw std::runtime_error("cannot write to " + path_.string());
}

const Result* Journal::find(const std::string& key, const Validity& validity) const {
  const std::string name = name_of(key, validity);
  if (const auto found = found_.find(name); found != found_.end()) return &found->second;
  const auto survived = survived_.find(name);
  if (survived == survived_.end() || survived->second.validity.search != validity.search)
    return nullptr;
  return &survived->second;
}

void Journal::add(const Result& result) {
  const json line = {{"mutant", result.key},
                     {"found", result.found},
                     {"broke", result.guarantee},
                     {"by", result.program},
                     {"seconds", result.seconds},
                     {"core", result.validity.core},
                     {"search", result.validity.search}};
  std::ofstream out(path_, std::ios::app);
  if (!(out << line.dump() + "\n").flush())
    throw std::runtime_error("cannot write to " + path_.string());
  (result.found ? found_ : survived_)[name_of(result.key, result.validity)] = result;
}

std::string hash(const std::string& text, const std::string& from) {
  uint64_t h = std::stoull(from, nullptr, 16);
  for (const char c : text) h = (h ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  return absl::StrCat(absl::Hex(h, absl::kZeroPad16));
}

}  // namespace audit

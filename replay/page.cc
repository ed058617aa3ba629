// SPDX-License-Identifier: Apache-2.0
#include "replay/page.h"

#include <cstdint>
#include <cstdlib>

#include "sched/page.h"
#include "targets/failure_report.h"

namespace replay {
namespace {

// As in core/ref.h: the word holds these bits, and above them where the percpu counters are.
constexpr uint64_t kAtomic = 1, kDead = 2, kAbsent = 4, kFlags = 7;
constexpr std::string_view kCountOffset = "+8";

// "ref0+8" -> "+8"; no value: it is no ref.
const char* offset_in_ref(const std::string& object) {
  if (object.size() < 4 || !object.starts_with("ref") || object[3] < '0' || object[3] > '9')
    return nullptr;
  return object.c_str() + 4;
}

}  // namespace

std::string ref_label(const std::string& object) {
  const char* offset = offset_in_ref(object);
  if (offset == nullptr) return "";
  if (*offset == '\0') return object + " mode";
  return offset == kCountOffset ? object.substr(0, 4) + " count" : "";
}

std::string ref_meaning(const std::string& object, const std::string& value) {
  const char* offset = offset_in_ref(object);
  if (offset == nullptr || *offset != '\0' || value.empty()) return "";
  char* end = nullptr;
  const uint64_t word = std::strtoull(value.c_str(), &end, 0);
  if (*end != '\0') return "";
  const uint64_t flags = word & kFlags;
  if ((flags & kAbsent) != 0) return "not initialised";
  return std::string((flags & kDead) != 0 ? "dead, " : "live, ") +
         ((flags & kAtomic) != 0 ? "atomic" : "percpu");
}

std::string failure_page(const targets::Artifact& artifact, const Outcome& outcome,
                         const std::string& command) {
  sched::PageOptions options;
  options.title = artifact.target + (artifact.bug.empty() ? "" : ", bug " + artifact.bug) +
                  (artifact.count.empty() ? "" : ", count " + artifact.count);
  options.guarantee_text = targets::guarantee_words(outcome.failure.guarantee);
  options.replay = command;
  options.program = targets::print(artifact);
  options.operation = [&](const std::string& thread, uint32_t op) {
    return targets::operation_title(artifact.program, artifact.kind(), thread, op);
  };
  if (artifact.count.empty()) {  // where things are in another is its own affair
    options.label = ref_label;
    options.meaning = ref_meaning;
  }
  return sched::print_page(outcome.failure, outcome.recording, options);
}

}  // namespace replay

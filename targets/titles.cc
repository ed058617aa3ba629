// SPDX-License-Identifier: Apache-2.0
#include "targets/titles.h"

#include <iterator>

#include "targets/main_operations.h"
#include "targets/text.h"

namespace targets {
namespace {

constexpr struct {
  const char* guarantee;
  const char* words;
} kWords[] = {
    {"G1", "release exactly once"},
    {"G2", "release while held"},
    {"G3", "release never ran"},
    {"G4", "confirm"},
    {"G5", "what tryget answers"},
    {"G6", "counts over a switch"},
    {"G7", "writes not ordered"},
    {"G8", "memory"},
    {"G9", "progress"},
    {"G10", "misuse"},
    {"M1", "release by the manager"},
    {"M2", "release in two passes"},
    {"M3", "a run is bounded"},
    {"M5", "stop of the manager"},
    {"M6", "release ends its ref"},
    {"M7", "answers during a visit"},
    {"P1", "what alloc answers"},
    {"P2", "alloc disturbs its caller"},
    {"P3", "a refill is missing"},
    {"P4", "what fill leaves"},
    {"P5", "refilled after a small fill"},
    {"P6", "refilled after empty"},
    {"P7", "areas lost"},
    {"P8", "areas not valid"},
    {"R1", "free exactly once"},
    {"R2", "free while held"},
    {"R3", "free at the wrong time"},
    {"R4", "writes not ordered"},
    {"R5", "misuse of a count"},
    {"R6", "what tryget answers"},
    {"R7", "freed under a reader"},
    {"R9", "removal before readers left"},
    {"U1", "grace period too short"},
    {"U4", "RCU callbacks"},
    {"U5", "barrier"},
};

}  // namespace

std::string operation_title(const Program& program, Kind kind, const std::string& thread,
                            uint32_t op) {
  const bool main = thread == "main";
  if (main && is_concurrent(kind))
    return op < std::size(kMainOperationWords) ? kMainOperationWords[op] : "";
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    if (main ? t != 0 : thread_name(t) != thread) continue;
    const auto& operations = program.threads[t];
    if (op == operations.size() + 1) return main ? "end the refs" : "drop what is left";
    return op == 0 || op > operations.size() ? "" : print_operation(operations[op - 1]);
  }
  return "";
}

const char* guarantee_words(const std::string& guarantee) {
  for (const auto& entry : kWords)
    if (guarantee == entry.guarantee) return entry.words;
  return "";
}

std::string summary_line(const std::string& name, const std::string& where) {
  const std::string words = guarantee_words(name);
  return "SUMMARY: lastput: " + name + (words.empty() ? "" : " (" + words + ")") + " in " + where;
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "stress/ring_program.h"

#include <algorithm>
#include <bit>
#include <map>

#include "targets/build_info.h"
#include "targets/text.h"

namespace stress {
namespace {

using namespace targets;

constexpr unsigned kLookedAt = 256;  // entries of a ring
constexpr uint8_t kTokens = 2;       // that each thread has of each ref at the start

// Of long-lived refs, whose number is the object.
bool is_of_refs(const Recorded& entry) {
  const OpInfo* const info = find_operation(static_cast<unsigned>(entry.code));
  return info != nullptr && (info->needs & kRef) != 0 &&
         (info->needs & (kManager | kJoined | kMisuse)) == 0;
}

// A count that programs can have: 1..64, or a power of two.
uint64_t program_count(uint64_t n) {
  if (n <= 64) return std::max<uint64_t>(n, 1);
  return uint64_t{1} << std::clamp(63 - std::countl_zero(n), 7, 56);
}

// The objects that are used most, the smaller number first where that is equal.
std::vector<unsigned> busiest(const std::vector<std::vector<Recorded>>& all) {
  std::map<unsigned, unsigned> uses;
  for (const auto& entries : all)
    for (const Recorded& entry : entries) ++uses[entry.object];
  std::vector<unsigned> objects;
  for (const auto& [object, count] : uses) objects.push_back(object);
  std::sort(objects.begin(), objects.end(),
            [&](unsigned a, unsigned b) { return uses[a] != uses[b] ? uses[a] > uses[b] : a < b; });
  if (objects.size() > kMaxRefs) objects.resize(kMaxRefs);
  return objects;
}

}  // namespace

Program program_of(const std::vector<const Ring*>& rings, uint64_t seed) {
  Program program;
  program.cpus = 2;
  program.schedules = kMaxSchedules;
  program.interval = 8;
  program.seed = static_cast<uint32_t>(seed);
  const auto threads = static_cast<unsigned>(std::min<size_t>(rings.size(), kMaxThreads));
  std::vector<std::vector<Recorded>> all(threads);
  for (unsigned t = 0; t < threads; ++t)
    for (const Recorded& entry : rings[t]->last(kLookedAt))
      if (is_of_refs(entry)) all[t].push_back(entry);
  const std::vector<unsigned> objects = busiest(all);
  program.refs.assign(std::max<size_t>(objects.size(), 1), RefSetup{});
  for (size_t r = 0; r < objects.size(); ++r) {
    program.refs[r].flags = kFlagReinit;
    program.refs[r].controller = static_cast<uint8_t>(objects[r] % threads);
    std::fill_n(program.refs[r].tokens.begin(), threads, kTokens);
  }
  program.threads.assign(threads, {});
  for (unsigned t = 0; t < threads; ++t) {
    for (const Recorded& entry : all[t]) {
      const auto place = std::find(objects.begin(), objects.end(), entry.object);
      if (place == objects.end()) continue;
      const bool counts = operation_info(entry.code).argument == Argument::kCount;
      program.threads[t].push_back({entry.code, static_cast<uint8_t>(place - objects.begin()),
                                    counts ? program_count(entry.argument) : 0});
    }
    auto& operations = program.threads[t];
    if (operations.size() > kProgramOperations)
      operations.erase(operations.begin(), operations.end() - kProgramOperations);
  }
  drop_illegal(program);
  return program;
}

std::string program_text(const Program& program, const std::string& guarantee,
                         const std::string& message) {
  if (operation_count(program) == 0) return "";
  Artifact artifact;
  artifact.bug = built_with_bug();
  artifact.guarantee = guarantee;
  artifact.message = message;
  artifact.build = build_name();
  artifact.program = program;
  return print(artifact);
}

}  // namespace stress

// SPDX-License-Identifier: Apache-2.0
#include "replay/identity.h"

#include "sched/report.h"
#include "targets/failure_report.h"

namespace replay {
namespace {

// Of operation 0, and of what comes after the last: nothing that the program says.
std::string operation_of(const sched::Failure& failure, const targets::Program& program,
                         targets::Kind kind) {
  const std::string title = targets::operation_title(program, kind, failure.thread, failure.op);
  const bool main = failure.thread == "main" && kind == targets::Kind::kConcurrent;
  return main ? title : title.substr(0, title.find(' '));
}

// What a misuse report begins with.
std::string misuse_of(const sched::Failure& failure) {
  return failure.guarantee == "G10" ? failure.message.substr(0, failure.message.find(':')) : "";
}

}  // namespace

std::string Identity::to_string() const {
  std::string text = guarantee.empty() ? "" : guarantee + " ";
  text += sched::failure_kind_name(kind);
  if (!misuse.empty()) text += ", " + misuse;
  if (!operation.empty()) text += ", " + operation;
  if (!function.empty()) text += ", in " + function;
  return text;
}

Identity Identifier::identify(const sched::Failure& failure, const targets::Program& program,
                              targets::Kind kind) {
  Identity identity{failure.guarantee, failure.kind, misuse_of(failure),
                    operation_of(failure, program, kind), ""};
  if (failure.stacks.empty()) return identity;
  const auto [entry, is_new] = functions_.try_emplace(failure.stacks[0].pcs);
  if (is_new) entry->second = sched::top_function(failure, symbolizer_, "targets::");
  identity.function = entry->second;
  return identity;
}

}  // namespace replay

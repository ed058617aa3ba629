// SPDX-License-Identifier: Apache-2.0
#include "replay/group.h"

#include "sched/report.h"
#include "targets/failure_report.h"

namespace replay {
namespace {

// "f(int) a.c:3" -> "f(int)"
std::string without_place(const std::string& frame) {
  const size_t space = frame.rfind(' ');
  const size_t colon = frame.rfind(':');
  const bool has_place = space != std::string::npos && colon != std::string::npos && colon > space;
  return has_place ? frame.substr(0, space) : frame;
}

// What a report of misuse begins with.
std::string misuse_of(const sched::Failure& failure) {
  return failure.guarantee == "G10" ? failure.message.substr(0, failure.message.find(':')) : "";
}

}  // namespace

Group group_of(const sched::Failure& failure, const targets::Program& program, targets::Kind kind,
               sched::Symbolizer& symbolizer) {
  const std::string title = targets::operation_title(program, kind, failure.thread, failure.op);
  const bool of_main = failure.thread == "main" && targets::is_concurrent(kind);
  return {failure.guarantee, sched::failure_kind_name(failure.kind), misuse_of(failure),
          of_main ? title : title.substr(0, title.find(' ')),
          sched::top_function(failure, symbolizer, "targets::")};
}

bool group_of_summary(const std::string& output, Group* group) {
  constexpr std::string_view kStart = "SUMMARY: lastput: ";
  const size_t start = output.rfind(kStart);
  if (start == std::string::npos) return false;
  std::string line = output.substr(start + kStart.size());
  line = line.substr(0, line.find('\n'));
  const size_t in = line.find(" in ");
  *group = {"", line.substr(0, in), "", "",
            in == std::string::npos ? "" : without_place(line.substr(in + 4))};
  return true;
}

std::string in_words(const Group& group) {
  std::string text = group.guarantee.empty() ? group.kind : group.guarantee;
  const std::string words = targets::guarantee_words(group.guarantee);
  if (!words.empty()) text += " (" + words + ")";
  if (!group.guarantee.empty()) text += ", " + group.kind;
  if (!group.misuse.empty()) text += ", " + group.misuse;
  if (!group.operation.empty()) text += ", in " + group.operation;
  return group.frame.empty() ? text : text + ": " + group.frame;
}

}  // namespace replay

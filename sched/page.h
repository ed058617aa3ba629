// SPDX-License-Identifier: Apache-2.0
// A failure as one HTML page that needs nothing else: the steps in columns, the values of the objects
// after each, which store each load returned, the stacks. page.html is its frame; what is here are the data.
#ifndef LASTPUT_SCHED_PAGE_H_
#define LASTPUT_SCHED_PAGE_H_

#include <functional>
#include <string>
#include <string_view>

#include "sched/sched.h"

namespace sched {

struct PageOptions {
  std::string title;           // "percpu_ref, no_bias"
  std::string guarantee_text;  // as in ReportOptions
  std::string replay;          // the command
  std::string program;         // as text; may be empty
  std::function<std::string(const std::string& thread, uint32_t op)>
      operation;  // as in ReportOptions
  // What an object is to a person ("ref0" -> "ref0 mode"); empty: as it is.
  std::function<std::string(const std::string& object)> label;
  // What it means that the object holds this ("dead, atomic"); empty: nothing to add.
  std::function<std::string(const std::string& object, const std::string& value)> meaning;
};

// Names in it may be hostile: they never become markup, and bytes that are no UTF-8 become U+FFFD.
std::string print_page(const Failure& failure, const Recording& recording,
                       const PageOptions& options);

// `text` as JSON, with quotes, such that it may stand in a <script> element.
std::string json_for_page(std::string_view text);

}  // namespace sched

#endif  // LASTPUT_SCHED_PAGE_H_

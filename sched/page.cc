// SPDX-License-Identifier: Apache-2.0
#include "sched/page.h"

#include <cstdio>
#include <set>
#include <vector>

#include "sched/focus.h"
#include "sched/history.h"
#include "sched/page_frame.h"
#include "sched/symbolize.h"
#include "sched/timeline.h"

namespace sched {
namespace {

// A page of more steps than this has those that matter alone, and at most so many of these.
constexpr size_t kMostSteps = 20000;
constexpr std::string_view kDataPlace = "LASTPUT_DATA";

std::string number(size_t n) {
  return n == kNowhere ? "-1" : std::to_string(n);
}

// Length of the UTF-8 character that begins at `at`; 0: none does.
size_t character_bytes(std::string_view text, size_t at) {
  const auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned first = byte(at);
  if (first < 0x80) return 1;
  const size_t length = first >= 0xc2 && first < 0xe0   ? 2
                        : first >= 0xe0 && first < 0xf0 ? 3
                        : first >= 0xf0 && first < 0xf5 ? 4
                                                        : 0;
  if (length == 0 || at + length > text.size()) return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(at + i) & 0xc0) != 0x80) return 0;
  const unsigned second = byte(at + 1);
  const bool wrong = (first == 0xe0 && second < 0xa0) || (first == 0xed && second >= 0xa0) ||
                     (first == 0xf0 && second < 0x90) || (first == 0xf4 && second >= 0x90);
  return wrong ? 0 : length;
}

// "key":value, with commas between.
class Object {
 public:
  Object& add(const char* key, const std::string& json) {
    text_ += (text_.empty() ? "{" : ",") + json_for_page(key) + ":" + json;
    return *this;
  }
  Object& text(const char* key, const std::string& value) { return add(key, json_for_page(value)); }
  std::string json() const { return text_.empty() ? "{}" : text_ + "}"; }

 private:
  std::string text_;
};

std::string list(const std::vector<std::string>& items) {
  std::string text;
  for (const std::string& item : items) text += (text.empty() ? "" : ",\n") + item;
  return "[" + text + "]";
}

class Page {
 public:
  Page(const Failure& failure, const Recording& recording, const PageOptions& options)
      : failure_(failure),
        recording_(recording),
        options_(options),
        history_(history_of(recording)) {
    matters_ = steps_that_matter(recording, failure);
    choose_steps();
    std::set<uintptr_t> pcs;
    for (const Stack& stack : failure.stacks) pcs.insert(stack.pcs.begin(), stack.pcs.end());
    for (size_t i : chosen_) pcs.insert(recording.steps[i].pc);
    const std::vector<uintptr_t> all(pcs.begin(), pcs.end());
    symbolizer_.load(all);
  }

  std::string data() {
    Object page;
    page.text("title", options_.title);
    page.text("kind", failure_kind_name(failure_.kind));
    page.text("guarantee", failure_.guarantee);
    page.text("words", options_.guarantee_text);
    page.text("message", failure_.message);
    page.text("thread", failure_.thread);
    page.add("op", std::to_string(failure_.op));
    page.add("steps_at_failure", std::to_string(failure_.steps));
    page.text("operation", operation(failure_.thread, failure_.op));
    page.text("replay", options_.replay);
    page.text("program", options_.program);
    page.add("dropped", std::to_string(recording_.steps.size() - chosen_.size()));
    page.add("threads", strings(recording_.threads));
    page.add("objects", objects());
    page.add("stacks", stacks());
    page.add("steps", steps());
    return page.json();
  }

 private:
  void choose_steps() {
    const bool all = recording_.steps.size() <= kMostSteps;
    for (size_t i = 0; i < recording_.steps.size(); ++i)
      if (all || matters_[i]) chosen_.push_back(i);
    if (chosen_.size() > kMostSteps) chosen_.erase(chosen_.begin(), chosen_.end() - kMostSteps);
    place_.assign(recording_.steps.size(), kNowhere);
    for (size_t at = 0; at < chosen_.size(); ++at) place_[chosen_[at]] = at;
  }

  std::string operation(const std::string& thread, uint32_t op) const {
    return options_.operation ? options_.operation(thread, op) : "";
  }

  static std::string strings(const std::vector<std::string>& values) {
    std::vector<std::string> items;
    for (const std::string& value : values) items.push_back(json_for_page(value));
    return list(items);
  }

  std::string objects() const {
    std::vector<std::string> labels;
    for (const std::string& name : history_.objects) {
      const std::string label = options_.label ? options_.label(name) : "";
      labels.push_back(label.empty() ? name : label);
    }
    return strings(labels);
  }

  std::string stacks() {
    std::vector<std::string> items;
    for (const Stack& stack : failure_.stacks)
      items.push_back(Object()
                          .text("title", stack.title)
                          .text("frames", symbolizer_.print_stack(stack))
                          .json());
    return list(items);
  }

  std::string steps() {
    std::vector<std::string> items;
    for (size_t at = 0; at < chosen_.size(); ++at) items.push_back(step(at));
    return list(items);
  }

  std::string step(size_t at) {
    const size_t i = chosen_[at];
    const Step& step = recording_.steps[i];
    Object item;
    item.add("n", std::to_string(step.index)).add("t", std::to_string(step.thread));
    item.text("s", text(step));
    if (step.kind == StepKind::kOp) item.add("head", "1");
    if (matters_[i]) item.add("m", "1");
    if (step.age != 0) item.add("age", std::to_string(step.age));
    const std::string where = step.pc == 0 ? "" : symbolizer_.location(step.pc);
    if (!where.empty()) item.text("w", where);
    const Observation& seen = history_.steps[i];
    if (seen.object != kNowhere) {
      item.add("o", number(seen.object)).text("v", value(seen));
      if (seen.read_from != kNowhere) item.add("from", number(place_[seen.read_from]));
    }
    if (at > 0) {
      const size_t choice = preemption_before(recording_, recording_.steps[chosen_[at - 1]], step);
      if (choice != kNoChoice) item.text("p", preemption(recording_.choices[choice]));
    }
    return item.json();
  }

  std::string text(const Step& step) const {
    std::string text = describe_step(recording_, step);
    if (step.kind != StepKind::kOp || step.thread >= recording_.threads.size()) return text;
    const std::string title =
        operation(recording_.threads[step.thread], static_cast<uint32_t>(step.value));
    return title.empty() ? text : text + ": " + title;
  }

  std::string value(const Observation& seen) const {
    const std::string more =
        options_.meaning ? options_.meaning(history_.objects[seen.object], seen.value) : "";
    return more.empty() ? seen.value : seen.value + " (" + more + ")";
  }

  static std::string preemption(const Choice& choice) {
    return choice.thread + " op " + std::to_string(choice.op) + " point " +
           std::to_string(choice.point) + " -> " + choice.to;
  }

  const Failure& failure_;
  const Recording& recording_;
  const PageOptions& options_;
  const History history_;
  Symbolizer symbolizer_;
  std::vector<bool> matters_;
  std::vector<size_t> chosen_;  // the steps that the page has
  std::vector<size_t> place_;   // of each step among them
};

}  // namespace

std::string json_for_page(std::string_view text) {
  std::string json = "\"";
  for (size_t at = 0; at < text.size();) {
    const size_t length = character_bytes(text, at);
    const auto c = static_cast<unsigned char>(text[at]);
    if (length == 0) {
      json += "\\ufffd";
    } else if (length == 1 && (c < 0x20 || c == 0x7f || c == '"' || c == '\\' || c == '<' ||
                               c == '>' || c == '&')) {
      char escape[8];
      std::snprintf(escape, sizeof escape, "\\u%04x", c);
      json += escape;
    } else {
      json += text.substr(at, length);
    }
    at += length == 0 ? 1 : length;
  }
  return json + "\"";
}

std::string print_page(const Failure& failure, const Recording& recording,
                       const PageOptions& options) {
  std::string page = kPageFrame;
  const size_t at = page.find(kDataPlace);
  return page.replace(at, kDataPlace.size(), Page(failure, recording, options).data());
}

}  // namespace sched

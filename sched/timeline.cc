// SPDX-License-Identifier: Apache-2.0
#include "sched/timeline.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstdlib>

#include "sched/focus.h"

namespace sched {
namespace {

constexpr unsigned kNarrowest = 60;
constexpr unsigned kUsual = 120;
constexpr unsigned kStepColumn = 7;  // digits of the step number, and a gap
constexpr unsigned kGap = 2;         // between a column and the next
constexpr size_t kLongestCycle = 8;  // rows of a loop that is recognised as one

constexpr std::array<const char*, 6> kColors = {"\033[36m", "\033[33m", "\033[32m",
                                                "\033[35m", "\033[34m", "\033[31m"};
constexpr const char* kPlain = "\033[0m";
constexpr const char* kBold = "\033[1m";

struct Row {
  uint64_t index = 0;
  unsigned thread = 0;
  bool heading = false;  // start of an operation
  std::string text;
};

const char* order_name(int order) {
  switch (order) {
    case __ATOMIC_RELAXED:
      return " relaxed";
    case __ATOMIC_CONSUME:
      return " consume";
    case __ATOMIC_ACQUIRE:
      return " acquire";
    case __ATOMIC_RELEASE:
      return " release";
    case __ATOMIC_ACQ_REL:
      return " acq_rel";
    case __ATOMIC_SEQ_CST:
      return " seq_cst";
    default:
      return "";
  }
}

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%" PRIx64, value);
  return text;
}

std::string object_of(const Step& step) {
  if (!step.text.empty()) return step.text;
  return step.address != 0 ? hex(step.address) : "?";
}

std::string thread_name(const Recording& recording, uint64_t thread) {
  if (thread < recording.threads.size()) return recording.threads[thread];
  return "thread " + std::to_string(thread);
}

bool starts_operation(const Step& step) {
  return step.kind == StepKind::kOp;
}

// "-- b goes on" in the column of the thread whose turn the schedule ended.
void add_preemption(const Recording& recording, const Step& previous, const Step& step,
                    std::vector<Row>* rows) {
  if (preemption_before(recording, previous, step) == kNoChoice) return;
  rows->push_back({previous.index, previous.thread, false,
                   "-- " + thread_name(recording, step.thread) + " goes on"});
}

// One row a step; a note right behind the start of an operation of the same thread is its title.
std::vector<Row> rows_of(const Recording& recording, const TimelineOptions& options) {
  std::vector<Row> rows;
  std::vector<bool> title_due(recording.threads.size() + kMaxThreads, false);
  std::vector<size_t> heading(title_due.size(), 0);
  const Step* previous = nullptr;
  for (const Step& step : recording.steps) {
    if (step.thread >= title_due.size()) continue;
    if (options.preemptions && previous != nullptr)
      add_preemption(recording, *previous, step, &rows);
    previous = &step;
    if (step.kind == StepKind::kNote && title_due[step.thread]) {
      rows[heading[step.thread]].text += ": " + step.text;
      title_due[step.thread] = false;
      continue;
    }
    Row row{step.index, step.thread, starts_operation(step), describe_step(recording, step)};
    if (row.heading && options.operation) {
      const std::string title =
          options.operation(thread_name(recording, step.thread), static_cast<uint32_t>(step.value));
      if (!title.empty()) row.text += ": " + title;
    }
    title_due[step.thread] = row.heading;
    heading[step.thread] = rows.size();
    if (options.locate && step.pc != 0 && !row.heading && step.kind != StepKind::kNote) {
      const std::string where = options.locate(step.pc);
      if (!where.empty()) row.text += "  " + where;
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

bool same(const Row& a, const Row& b) {
  return a.thread == b.thread && a.heading == b.heading && a.text == b.text;
}

// How often the `period` rows at `begin` follow one another.
size_t repetitions(const std::vector<Row>& rows, size_t begin, size_t period) {
  size_t times = 1;
  while (begin + (times + 1) * period <= rows.size()) {
    for (size_t i = 0; i < period; ++i) {
      if (rows[begin + i].thread != rows[begin].thread ||
          !same(rows[begin + i], rows[begin + times * period + i])) {
        return times;
      }
    }
    ++times;
  }
  return times;
}

// Loops of one thread that do the same again and again become one turn and a count.
std::vector<Row> fold_loops(std::vector<Row> rows) {
  std::vector<Row> folded;
  for (size_t i = 0; i < rows.size();) {
    size_t period = 0;
    size_t times = 1;
    for (size_t p = 1; p <= kLongestCycle && period == 0; ++p) {
      times = repetitions(rows, i, p);
      if (times > 2) period = p;
    }
    if (period == 0) {
      folded.push_back(std::move(rows[i++]));
      continue;
    }
    for (size_t k = 0; k < period; ++k) folded.push_back(rows[i + k]);
    const std::string what =
        period == 1 ? "(the same" : "(the last " + std::to_string(period) + " rows";
    folded.push_back({rows[i + period * times - 1].index, rows[i].thread, false,
                      what + " " + std::to_string(times - 1) + " times more)"});
    i += period * times;
  }
  return folded;
}

// Long stretches of one thread keep their ends; headings of operations stay.
std::vector<Row> cut_runs(std::vector<Row> rows, unsigned longest) {
  if (longest == 0) return rows;
  std::vector<Row> kept;
  for (size_t begin = 0; begin < rows.size();) {
    size_t end = begin;
    while (end < rows.size() && rows[end].thread == rows[begin].thread) ++end;
    const size_t size = end - begin;
    const size_t head = size <= longest ? size : longest / 2;
    const size_t tail = size <= longest ? 0 : longest - head;
    size_t dropped = 0;
    const auto flush = [&](size_t at) {
      if (dropped == 0) return;
      kept.push_back({rows[at - 1].index, rows[at - 1].thread, false,
                      "... " + std::to_string(dropped) + " steps"});
      dropped = 0;
    };
    for (size_t i = begin; i < end; ++i) {
      if (i - begin < head || end - i <= tail || rows[i].heading) {
        flush(i);
        kept.push_back(std::move(rows[i]));
      } else {
        ++dropped;
      }
    }
    begin = end;
  }
  return kept;
}

// The last n rows of each thread, and the headings of the operations that they belong to.
std::vector<bool> select_last(const std::vector<Row>& rows, unsigned last, unsigned threads) {
  std::vector<bool> shown(rows.size(), last == 0);
  if (last == 0) return shown;
  std::vector<unsigned> count(threads, 0);
  std::vector<bool> heading_due(threads, false);
  for (size_t i = rows.size(); i-- > 0;) {
    const unsigned thread = rows[i].thread;
    if (rows[i].heading) {
      shown[i] = heading_due[thread] || count[thread] < last;
      heading_due[thread] = false;
    } else if (count[thread] < last) {
      shown[i] = true;
      ++count[thread];
      heading_due[thread] = true;
    }
  }
  return shown;
}

class Picture {
 public:
  Picture(const Recording& recording, const TimelineOptions& options)
      : recording_(recording),
        color_(options.color),
        width_(std::max(options.width != 0 ? options.width : terminal_width(), kNarrowest)) {}

  std::string draw(const std::vector<Row>& rows, const std::vector<bool>& shown) {
    place_columns(rows, shown);
    draw_names();
    bool gap = false;
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!shown[i]) {
        gap = true;
        continue;
      }
      if (gap) out_ += "   ...\n";
      gap = false;
      draw_row(rows[i]);
    }
    return std::move(out_);
  }

 private:
  // Threads with a row get a column, left to right in the order of their creation. A column is no
  // wider than its own rows need.
  void place_columns(const std::vector<Row>& rows, const std::vector<bool>& shown) {
    std::vector<unsigned> need(recording_.threads.size() + kMaxThreads, 0);
    for (size_t i = 0; i < rows.size(); ++i) {
      if (!shown[i]) continue;
      const unsigned thread = rows[i].thread;
      const size_t least = std::max(rows[i].text.size(), thread_name(recording_, thread).size());
      need[thread] = std::max(need[thread], static_cast<unsigned>(least));
    }
    for (unsigned t = 0; t < need.size(); ++t) {
      if (need[t] != 0) threads_.push_back(t);
    }
    start_.assign(need.size(), kStepColumn);
    const auto count = static_cast<unsigned>(threads_.size());
    const unsigned room = width_ - kStepColumn;
    const unsigned last = std::min(need[threads_.back()], room / 2);
    const unsigned even = count > 1 ? (room - last) / (count - 1) : room;
    unsigned at = kStepColumn;
    for (const unsigned t : threads_) {
      start_[t] = at;
      at += std::max(std::min(even, need[t] + kGap), kGap);
    }
  }

  void draw_names() {
    out_ += "  step ";
    unsigned at = kStepColumn;
    for (size_t i = 0; i < threads_.size(); ++i) {
      const unsigned t = threads_[i];
      out_.append(start_[t] - at, ' ');
      std::string name = thread_name(recording_, t);
      if (i + 1 < threads_.size())
        name.resize(std::min<size_t>(name.size(), start_[threads_[i + 1]] - start_[t] - 1));
      out_ += paint(t, name, true);
      at = start_[t] + static_cast<unsigned>(name.size());
    }
    out_ += '\n';
  }

  void draw_row(const Row& row) {
    char step[24];
    std::snprintf(step, sizeof step, "%6" PRIu64 " ", row.index);
    out_ += step;
    unsigned at = kStepColumn;
    for (const unsigned t : threads_) {
      out_.append(start_[t] - at, ' ');
      at = start_[t];
      if (t == row.thread) break;
      out_ += paint(t, ":", false);
      ++at;
    }
    std::string text = row.text;
    const size_t room = width_ > at ? width_ - at : 1;
    if (text.size() > room) text = text.substr(0, room - 1) + "~";
    out_ += paint(row.thread, text, row.heading) + "\n";
  }

  std::string paint(unsigned thread, const std::string& text, bool bold) const {
    if (!color_) return text;
    return std::string(bold ? kBold : "") + kColors[thread % kColors.size()] + text + kPlain;
  }

  const Recording& recording_;
  const bool color_;
  const unsigned width_;
  std::vector<unsigned> threads_;  // those with a column
  std::vector<unsigned> start_;    // by thread: where its column starts
  std::string out_;
};

}  // namespace

std::string describe_value(uint64_t value, unsigned size) {
  constexpr uint64_t kDecimalBelow = uint64_t{1} << 20;
  constexpr uint64_t kBias = uint64_t{1} << 63;
  uint64_t wide = value;  // sign-extended
  if (size == 1) wide = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int8_t>(value)));
  if (size == 2) wide = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int16_t>(value)));
  if (size == 4) wide = static_cast<uint64_t>(static_cast<int64_t>(static_cast<int32_t>(value)));
  if (size > 2 && -wide < kDecimalBelow && wide != 0) return "-" + std::to_string(-wide);
  if (value < kDecimalBelow) return std::to_string(value);
  if (value == kBias) return "2^63";
  if (value - kBias < kDecimalBelow) return "2^63+" + std::to_string(value - kBias);
  if (kBias - value < kDecimalBelow) return "2^63-" + std::to_string(kBias - value);
  return hex(value);
}

// A load that returned an old store, or a store that is one: " (stale: 2 newer)".
std::string stale(const Step& step) {
  return step.age == 0 ? "" : " (stale: " + std::to_string(step.age) + " newer)";
}

std::string describe_step(const Recording& recording, const Step& step) {
  const std::string object = object_of(step);
  const std::string value = describe_value(step.value, step.size);
  const std::string before = describe_value(step.before, step.size);
  const char* order = order_name(step.order);
  switch (step.kind) {
    case StepKind::kLoad:
      return object + ": " + value + "  load" + order + stale(step);
    case StepKind::kStore:
      return object + ": " + before + " -> " + value + "  store" + order + stale(step);
    case StepKind::kRmw:
      return object + ": " + before + " -> " + value + "  rmw" + order + stale(step);
    case StepKind::kCasFail:
      return object + ": " + before + "  cas failed" + order + stale(step);
    case StepKind::kFence:
      return std::string("fence") + order;
    case StepKind::kRead:
      return "read " + object;
    case StepKind::kWrite:
      return "write " + object;
    case StepKind::kLock:
      return "lock " + object;
    case StepKind::kUnlock:
      return "unlock " + object;
    case StepKind::kTryLock:
      return "try lock " + object;
    case StepKind::kWait:
      return "wait " + object + (step.value == 1 ? " (timed out)" : "");
    case StepKind::kWake:
      return "wake " + object + ", " + (step.value == 0 ? "nobody waits" : value + " woken");
    case StepKind::kCreate:
      return "create " + thread_name(recording, step.value);
    case StepKind::kJoin:
      return "join " + thread_name(recording, step.value);
    case StepKind::kExit:
      return "ends";
    case StepKind::kYield:
      return "yield";
    case StepKind::kSleep:
      return "sleep";
    case StepKind::kMalloc:
      return object + " = malloc(" + value + ")";
    case StepKind::kFree:
      return "free " + object;
    case StepKind::kOp:
      return "== op " + std::to_string(step.value);
    case StepKind::kNote:
      return step.text;
    case StepKind::kReadLock:
      return "lock " + object + " for reading";
    case StepKind::kDestroy:
      return "destroy " + object;
  }
  return object;
}

unsigned terminal_width() {
  winsize size{};
  unsigned columns = 0;
  if (isatty(STDOUT_FILENO) != 0 && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) {
    columns = size.ws_col;
  }
  if (columns == 0) {
    const char* text = std::getenv("COLUMNS");
    columns = text != nullptr ? static_cast<unsigned>(std::strtoul(text, nullptr, 10)) : 0;
  }
  return columns == 0 ? kUsual : std::max(columns, kNarrowest);
}

std::string print_timeline(const Recording& recording, const TimelineOptions& options) {
  if (recording.steps.empty()) return "";
  std::vector<Row> rows = fold_loops(rows_of(recording, options));
  if (options.last_steps == 0) rows = cut_runs(std::move(rows), options.longest_run);
  const auto threads = static_cast<unsigned>(recording.threads.size() + kMaxThreads);
  const std::vector<bool> shown = select_last(rows, options.last_steps, threads);
  return Picture(recording, options).draw(rows, shown);
}

}  // namespace sched

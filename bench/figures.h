// SPDX-License-Identifier: Apache-2.0
// Figures: what the benchmarks of the core measure, and what becomes of it.
//
// A figure is one cell of one table: a theme, a row (who does it) and a column (under which load).
// Every round takes every figure once, so that two figures of one round were taken within seconds of
// each other. What is told is the median over the rounds; a ratio is the median of the rounds'
// ratios, not the ratio of the medians, so that a slow spell of the machine hits both its sides.
#ifndef LASTPUT_BENCH_FIGURES_H_
#define LASTPUT_BENCH_FIGURES_H_

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

// One table. Beside each figure stands its ratio to that of `base`, a row, in the same column.
struct Theme {
  const char* name;
  const char* title;
  const char* unit;
  const char* base;
};

struct Figure {
  std::string theme, row, column;

  std::string name() const { return theme + "/" + row + "/" + column; }
};

class Figures {
 public:
  // A figure that will be taken. Tables keep the order of these calls.
  void expect(const Figure& figure);
  // What a round has taken. REQUIRES: the figure is expected.
  void add(const std::string& name, double value);
  // Why a figure could not be taken.
  void skip(const std::string& name, const std::string& why);

  struct Entry {
    Figure figure;
    std::vector<double> values;  // one a round
    std::string skipped;         // why; empty: it was not

    std::optional<double> median() const;
  };
  const std::vector<Entry>& entries() const { return entries_; }
  // Null: not expected.
  const Entry* find(const std::string& name) const;
  // The median of the rounds' ratios; nothing where one of the two was not taken.
  std::optional<double> ratio(const std::string& dividend, const std::string& divisor) const;

 private:
  std::vector<Entry> entries_;
  std::map<std::string, size_t> places_;
};

// REQUIRES: not empty.
double median(std::vector<double> values);

}  // namespace bench

#endif  // LASTPUT_BENCH_FIGURES_H_

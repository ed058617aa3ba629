// SPDX-License-Identifier: Apache-2.0
#include "bench/figures.h"

#include <algorithm>

namespace bench {

double median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  const size_t half = values.size() / 2;
  return values.size() % 2 != 0 ? values[half] : (values[half - 1] + values[half]) / 2;
}

std::optional<double> Figures::Entry::median() const {
  if (values.empty()) return std::nullopt;
  return bench::median(values);
}

void Figures::expect(const Figure& figure) {
  places_.emplace(figure.name(), entries_.size());
  entries_.push_back({figure, {}, ""});
}

void Figures::add(const std::string& name, double value) {
  entries_.at(places_.at(name)).values.push_back(value);
}

void Figures::skip(const std::string& name, const std::string& why) {
  entries_.at(places_.at(name)).skipped = why;
}

const Figures::Entry* Figures::find(const std::string& name) const {
  const auto place = places_.find(name);
  return place == places_.end() ? nullptr : &entries_[place->second];
}

std::optional<double> Figures::ratio(const std::string& dividend,
                                     const std::string& divisor) const {
  const Entry* const above = find(dividend);
  const Entry* const below = find(divisor);
  if (above == nullptr || below == nullptr) return std::nullopt;
  std::vector<double> ratios;
  for (size_t i = 0; i < std::min(above->values.size(), below->values.size()); ++i) {
    ratios.push_back(above->values[i] / below->values[i]);
  }
  if (ratios.empty()) return std::nullopt;
  return bench::median(ratios);
}

}  // namespace bench

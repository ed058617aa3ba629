// SPDX-License-Identifier: Apache-2.0
#include "targets/statistics.h"

#include <bit>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "targets/random.h"

extern "C" {
extern uint8_t __start___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
extern uint8_t __stop___sancov_cntrs[] __attribute__((weak, visibility("hidden")));
}

namespace targets {
namespace {

__attribute__((format(printf, 1, 2))) std::string format(const char* text, ...) {
  char buffer[256];
  va_list arguments;
  va_start(arguments, text);
  std::vsnprintf(buffer, sizeof buffer, text, arguments);
  va_end(arguments);
  return buffer;
}

unsigned long long number(uint64_t value) {
  return value;
}

double percent(uint64_t part, uint64_t whole) {
  return whole == 0 ? 0 : 100.0 * static_cast<double>(part) / static_cast<double>(whole);
}

}  // namespace

void DistinctCounter::add(uint64_t value) {
  const uint64_t hash = Random(value).next();
  uint8_t& rank = registers_[hash >> (64 - kBits)];
  const int zeros = std::countl_zero(hash << kBits | uint64_t{1} << (kBits - 1));
  if (rank < zeros + 1) rank = static_cast<uint8_t>(zeros + 1);
}

uint64_t DistinctCounter::estimate() const {
  const double m = static_cast<double>(registers_.size());
  double sum = 0;
  unsigned empty = 0;
  for (uint8_t rank : registers_) {
    sum += std::ldexp(1.0, -rank);
    empty += rank == 0;
  }
  const double raw = 0.7213 / (1 + 1.079 / m) * m * m / sum;
  // Few values: counting the empty registers is closer.
  const bool few = raw <= 2.5 * m && empty != 0;
  return static_cast<uint64_t>(std::llround(few ? m * std::log(m / empty) : raw));
}

size_t EdgeCounter::known() {
  return static_cast<size_t>(__stop___sancov_cntrs - __start___sancov_cntrs);
}

void EdgeCounter::collect() {
  seen_.resize(known());
  for (size_t i = 0; i < seen_.size(); ++i) {
    if (__start___sancov_cntrs[i] == 0 || seen_[i] != 0) continue;
    seen_[i] = 1;
    ++reached_;
  }
}

double Statistics::seconds() const {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double Statistics::per_second(uint64_t count) const {
  const double elapsed = seconds();
  return elapsed <= 0 ? 0 : static_cast<double>(count) / elapsed;
}

std::string Statistics::progress() const {
  const std::string edges_reached =
      format("%zu of %zu edges", edges.reached(), EdgeCounter::known());
  const std::string rest = format("%.0f %% operations dropped", percent(dropped, operations));
  const std::string begin =
      format("%llu executions, %.0f/s, ", number(executions), per_second(executions));
  if (!on_engine) return begin + edges_reached + ", " + rest;
  return begin + format("%.1f M points/s, ", per_second(points) / 1e6) + edges_reached +
         format(", %llu interleavings, ", number(interleavings.estimate())) + rest +
         format(", %llu cut off", number(cut_off));
}

std::string Statistics::summary() const {
  std::string text;
  text += format("seconds: %.1f\n", seconds());
  text += format("inputs: %llu\n", number(inputs));
  text += format("executions per second: %.0f\n", per_second(executions));
  if (on_engine) text += format("scheduling points per second: %.0f\n", per_second(points));
  text += format("edges: %zu of %zu\n", edges.reached(), EdgeCounter::known());
  if (on_engine)
    text += format("distinct interleavings: about %llu\n", number(interleavings.estimate()));
  text += format("operations dropped: %llu of %llu (and %llu records while decoding)\n",
                 number(dropped), number(operations), number(records_dropped));
  if (on_engine) text += format("cut off: %llu\n", number(cut_off));
  text += format("executions: %llu\n", number(executions));
  return text;
}

}  // namespace targets

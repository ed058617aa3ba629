// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/plots.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_format.h"

namespace nightly {
namespace {

// Units of the drawings. As narrow as a phone, so that their text stays readable there.
constexpr int kWidth = 400, kLabels = 140, kBars = 190, kRow = 20;
constexpr int kHeight = 110, kTop = 18, kFoot = 18;
constexpr double kLeast = 1;  // a bar that is not nothing is seen

std::string begin(const std::string& title, int width, int height, const char* more) {
  return absl::StrFormat("<svg viewBox=\"0 0 %d %d\" role=\"img\" %s>", width, height, more) +
         "<title>" + escaped(title) + "</title>";
}

double longest(const std::vector<Bar>& bars) {
  double most = 0;
  for (const Bar& bar : bars) most = std::max(most, bar.value);
  return most;
}

}  // namespace

std::string escaped(const std::string& text) {
  std::string all;
  for (const char c : text) switch (c) {
      case '&':
        all += "&amp;";
        break;
      case '<':
        all += "&lt;";
        break;
      case '>':
        all += "&gt;";
        break;
      case '"':
        all += "&quot;";
        break;
      default:
        all += (c >= ' ' && c < 0x7f) || c == '\n' || c == '\t' ? c : '?';
    }
  return all;
}

std::string bars_plot(const std::string& title, const std::vector<Bar>& bars) {
  const double most = longest(bars);
  std::string svg = begin(title, kWidth, static_cast<int>(bars.size()) * kRow, "class=\"plot\"");
  int top = 0;
  for (const Bar& bar : bars) {
    const double width = bar.value > 0 ? std::max(kLeast, bar.value / most * kBars) : 0;
    svg += absl::StrFormat("<text x=\"%d\" y=\"%d\" class=\"end\">", kLabels - 6, top + 14) +
           escaped(bar.label) + "</text>";
    svg += absl::StrFormat("<rect x=\"%d\" y=\"%d\" width=\"%.1f\" height=\"%d\"/>", kLabels,
                           top + 3, width, kRow - 6);
    svg += absl::StrFormat("<text x=\"%.1f\" y=\"%d\">", kLabels + width + 5, top + 14) +
           escaped(bar.words) + "</text>";
    top += kRow;
  }
  return svg + "</svg>";
}

std::string histogram(const std::string& title, const std::vector<Bar>& bars) {
  const double most = std::log1p(longest(bars));
  const double step =
      static_cast<double>(kWidth) / static_cast<double>(std::max<size_t>(1, bars.size()));
  std::string svg = begin(title, kWidth, kTop + kHeight + kFoot, "class=\"plot\"");
  double left = 0;
  for (const Bar& bar : bars) {
    const double height =
        bar.value > 0 ? std::max(kLeast, std::log1p(bar.value) / most * kHeight) : 0;
    const double middle = left + step / 2;
    svg += absl::StrFormat("<rect x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                           left + step * 0.15, kTop + kHeight - height, step * 0.7, height);
    svg += absl::StrFormat("<text x=\"%.1f\" y=\"%.1f\" class=\"middle\">", middle,
                           kTop + kHeight - height - 4) +
           escaped(bar.words) + "</text>";
    svg += absl::StrFormat("<text x=\"%.1f\" y=\"%d\" class=\"middle\">", middle,
                           kTop + kHeight + 14) +
           escaped(bar.label) + "</text>";
    left += step;
  }
  return svg + "</svg>";
}

std::string strip(const std::string& title, const std::vector<Part>& parts) {
  constexpr int kWide = 1000, kHigh = 24;
  double sum = 0, left = 0;
  for (const Part& part : parts) sum += part.width;
  std::string svg = begin(title, kWide, kHigh, "class=\"strip\" preserveAspectRatio=\"none\"");
  for (const Part& part : parts) {
    const double width = sum > 0 ? part.width / sum * kWide : 0;
    svg +=
        "<rect class=\"" + escaped(part.kind) +
        absl::StrFormat("\" x=\"%.2f\" y=\"0\" width=\"%.2f\" height=\"%d\">", left, width, kHigh) +
        "<title>" + escaped(part.words) + "</title></rect>";
    left += width;
  }
  return svg + "</svg>";
}

}  // namespace nightly

// SPDX-License-Identifier: Apache-2.0
// Plots as inline SVG, in the colours of the page (page.cc), and text as HTML and XML have it.
#ifndef LASTPUT_STRESS_NIGHTLY_PLOTS_H_
#define LASTPUT_STRESS_NIGHTLY_PLOTS_H_

#include <string>
#include <vector>

namespace nightly {

// For text and attributes, of HTML and of XML: nothing but ASCII is left as it is.
std::string escaped(const std::string& text);

struct Bar {
  std::string label;
  double value = 0;
  std::string words;  // the value, as a person reads it
};
// Bars to the right, one a row.
std::string bars_plot(const std::string& title, const std::vector<Bar>& bars);
// Bars upwards, with a label below each; heights by the logarithm, so that one among millions is seen.
std::string histogram(const std::string& title, const std::vector<Bar>& bars);

struct Part {
  double width = 0;
  std::string kind;  // its class in the style sheet
  std::string words;
};
// All parts in a row, as wide as the page.
std::string strip(const std::string& title, const std::vector<Part>& parts);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_PLOTS_H_

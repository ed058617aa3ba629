// SPDX-License-Identifier: Apache-2.0
// Reads text as lines of words, for text_parse.cc: comments go, what is expected next and not there
// is an error at that line and column.
#ifndef LASTPUT_TARGETS_TEXT_READER_H_
#define LASTPUT_TARGETS_TEXT_READER_H_

#include <cctype>
#include <charconv>
#include <span>
#include <string>
#include <string_view>

#include "targets/text.h"

namespace targets {

struct ParseFailed {};  // thrown by Reader; parse() turns it into *error

// The text as lines of words; what is expected next and not there is an error at that place.
class TextReader {
 public:
  TextReader(std::string_view text, ParseError* error) : rest_(text), error_(error) {}

  // Moves to the next line that holds a word. False at the end of the text.
  bool next_line() {
    while (!rest_.empty()) {
      const size_t length = rest_.find('\n');
      raw_ = rest_.substr(0, length);
      rest_.remove_prefix(length == std::string_view::npos ? rest_.size() : length + 1);
      if (!raw_.empty() && raw_.back() == '\r') raw_.remove_suffix(1);
      line_ = raw_.substr(0, raw_.find('#'));
      at_ = 0;
      ++number_;
      if (!peek().empty()) return true;
    }
    ++number_;
    raw_ = line_ = {};
    at_ = 0;
    return false;
  }

  std::string_view peek() {
    while (at_ < line_.size() && std::isspace(static_cast<unsigned char>(line_[at_]))) ++at_;
    size_t end = at_;
    while (end < line_.size() && !std::isspace(static_cast<unsigned char>(line_[end]))) ++end;
    return line_.substr(at_, end - at_);
  }
  std::string_view word(const std::string& expected) {
    const std::string_view word = peek();
    if (word.empty()) expect(expected);
    last_ = at_;
    at_ += word.size();
    return word;
  }
  void literal(std::string_view text) {
    if (peek() != text) expect("`" + std::string(text) + "`");
    word("");
  }
  // The rest of the line as it stands, `#` included.
  std::string rest_of_line() {
    peek();
    std::string_view text = raw_.substr(at_);
    at_ = line_.size();
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
      text.remove_suffix(1);
    return std::string(text);
  }
  void end_of_line() {
    if (!peek().empty()) expect("the end of the line");
  }
  uint64_t number(const std::string& expected, uint64_t low, uint64_t high) {
    const std::string_view found = word(expected);
    const int base = found.starts_with("0x") ? 16 : 10;
    const char* first = found.data() + (base == 16 ? 2 : 0);
    const char* last = found.data() + found.size();
    uint64_t value = 0;
    const auto result = std::from_chars(first, last, value, base);
    if (result.ec != std::errc() || result.ptr != last || value < low || value > high) {
      at_ = last_;
      expect(expected + " (" + std::to_string(low) + ".." + std::to_string(high) + ")");
    }
    return value;
  }
  // A word such as ref0 or T1: `prefix` and a number in [low, high].
  unsigned numbered(char const* what, std::string_view prefix, unsigned low, unsigned high) {
    const std::string expected = "a " + std::string(what) + " (" + std::string(prefix) +
                                 std::to_string(low) + ".." + std::string(prefix) +
                                 std::to_string(high) + ")";
    const std::string_view found = word(expected);
    for (unsigned i = low; i <= high; ++i)
      if (found == std::string(prefix) + std::to_string(i)) return i;
    at_ = last_;
    expect(expected);
  }
  size_t one_of(std::span<const std::string_view> words) {
    std::string expected = "one of";
    for (std::string_view w : words) expected += " " + std::string(w);
    const std::string_view found = word(expected);
    for (size_t i = 0; i < words.size(); ++i)
      if (found == words[i]) return i;
    at_ = last_;
    expect(expected);
  }
  [[noreturn]] void expect(const std::string& what) {
    const std::string_view found = peek();
    fail("expected " + what + ", found " +
         (found.empty() ? "the end of the line" : "`" + std::string(found) + "`"));
  }
  [[noreturn]] void fail(const std::string& message) {
    *error_ = {number_, static_cast<unsigned>(at_ + 1), message};
    throw ParseFailed{};
  }
  [[noreturn]] void fail_at(unsigned line, const std::string& message) {
    *error_ = {line, 1, message};
    throw ParseFailed{};
  }
  void back_to_last_word() { at_ = last_; }
  unsigned line() const { return number_; }

 private:
  std::string_view rest_, raw_, line_;
  size_t at_ = 0, last_ = 0;
  unsigned number_ = 0;
  ParseError* error_;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_TEXT_READER_H_

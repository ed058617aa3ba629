// SPDX-License-Identifier: Apache-2.0
#include "audit/site.h"

#include <algorithm>
#include <cctype>
#include <map>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace audit {
namespace {

enum class Kind { kLoad, kStore, kModify, kFence };

constexpr char kNothing[] = "nothing";
constexpr absl::string_view kOrderWord = "memory_order";

bool is_word(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
}
bool is_space(char c) {
  return std::isspace(static_cast<unsigned char>(c)) != 0;
}

// The same length and lines, with blanks for comments and, if asked, for what is in literals.
std::string blanked(const std::string& source, bool literals) {
  std::string text = source;
  const auto blank = [&](size_t from, size_t to) {
    for (size_t i = from; i < to; ++i)
      if (text[i] != '\n') text[i] = ' ';
  };
  for (size_t i = 0; i < source.size();) {
    size_t end = i + 1;
    if (source.compare(i, 2, "//") == 0) {
      end = std::min(source.find('\n', i), source.size());
      blank(i, end);
    } else if (source.compare(i, 2, "/*") == 0) {
      end = source.find("*/", i + 2);
      end = end == std::string::npos ? source.size() : end + 2;
      blank(i, end);
    } else if (source[i] == '"' || (source[i] == '\'' && (i == 0 || !is_word(source[i - 1])))) {
      while (end < source.size() && source[end] != source[i]) end += source[end] == '\\' ? 2 : 1;
      end = std::min(end + 1, source.size());
      if (literals) blank(i + 1, end - 1);
    }
    i = end;
  }
  return text;
}

// The place of the bracket that closes the one at `open`; npos: none.
size_t closing(absl::string_view text, size_t open) {
  int depth = 0;
  for (size_t i = open; i < text.size(); ++i) {
    if (text[i] == '(' || text[i] == '{' || text[i] == '[') ++depth;
    if ((text[i] == ')' || text[i] == '}' || text[i] == ']') && --depth == 0) return i;
  }
  return absl::string_view::npos;
}

struct Argument {
  size_t begin, end;  // without blanks around it
};
std::vector<Argument> arguments_of(absl::string_view text, size_t open, size_t close) {
  std::vector<Argument> found;
  const auto add = [&](size_t begin, size_t end) {
    while (begin < end && is_space(text[begin])) ++begin;
    while (begin < end && is_space(text[end - 1])) --end;
    if (begin < end) found.push_back({begin, end});
  };
  size_t begin = open + 1;
  for (size_t i = begin; i < close; ++i) {
    if (text[i] == '(' || text[i] == '{' || text[i] == '[') {
      i = closing(text, i);
    } else if (text[i] == ',') {
      add(begin, i);
      begin = i + 1;
    }
  }
  add(begin, close);
  return found;
}

// "acquire" of std::memory_order_acquire and of std::memory_order::acquire; else empty.
std::string order_of(absl::string_view argument) {
  if (absl::StartsWith(argument, "std::")) argument.remove_prefix(5);
  if (!absl::StartsWith(argument, kOrderWord)) return "";
  argument.remove_prefix(kOrderWord.size());
  for (const absl::string_view separator : {"_", "::"})
    if (absl::StartsWith(argument, separator))
      return std::string(argument.substr(separator.size()));
  return "";
}

// Members of atomics; and how many arguments come before the orders.
struct Operation {
  Kind kind;
  size_t arguments;
  bool may_be_bare;  // the same name without an order is surely an atomic's
};
const std::map<std::string, Operation, std::less<>>& operations() {
  static const auto* const kAll = new std::map<std::string, Operation, std::less<>>{
      {"load", {Kind::kLoad, 0, true}},
      {"wait", {Kind::kLoad, 1, false}},
      {"test", {Kind::kLoad, 0, false}},
      {"store", {Kind::kStore, 1, true}},
      {"clear", {Kind::kStore, 0, false}},
      {"exchange", {Kind::kModify, 1, true}},
      {"test_and_set", {Kind::kModify, 0, true}},
      {"fetch_add", {Kind::kModify, 1, true}},
      {"fetch_sub", {Kind::kModify, 1, true}},
      {"fetch_or", {Kind::kModify, 1, true}},
      {"fetch_and", {Kind::kModify, 1, true}},
      {"fetch_xor", {Kind::kModify, 1, true}},
      {"compare_exchange_weak", {Kind::kModify, 2, true}},
      {"compare_exchange_strong", {Kind::kModify, 2, true}},
  };
  return *kAll;
}

std::vector<std::string> weaker_than(const std::string& order, Kind kind) {
  std::vector<std::string> weaker;
  for (const char* other : {"acq_rel", "acquire", "release", "relaxed"}) {
    const absl::string_view o = other;
    if (kind == Kind::kLoad && (o == "acq_rel" || o == "release")) continue;
    if (kind == Kind::kStore && (o == "acq_rel" || o == "acquire")) continue;
    if (kind == Kind::kFence && o == "relaxed") continue;  // does nothing
    if (is_stronger(order, other)) weaker.emplace_back(other);
  }
  if (kind == Kind::kFence && order != "relaxed") weaker.emplace_back(kNothing);
  return weaker;
}

// The function that `at` is in: the innermost open bracket whose statement has the form NAME(...).
// Follows the text from its beginning.
class Functions {
 public:
  explicit Functions(absl::string_view text) : text_(text) {}
  // REQUIRES: not before the last one.
  std::string around(size_t at) {
    for (; at_ < at; ++at_) {
      const char c = text_[at_];
      if (c == '{') {
        open_.push_back(name_of(text_.substr(statement_, at_ - statement_)));
      } else if (c == '}' && !open_.empty()) {
        open_.pop_back();
      }
      if (c == '{' || c == '}' || c == ';') statement_ = at_ + 1;
    }
    for (auto name = open_.rbegin(); name != open_.rend(); ++name)
      if (!name->empty()) return *name;
    return name_of(text_.substr(statement_, at - statement_));  // a constructor's initialisers
  }

 private:
  // "Ref::put" of "void Ref::put(...) noexcept"; empty of what is no function.
  static std::string name_of(absl::string_view statement) {
    const size_t open = statement.find('(');
    if (open == absl::string_view::npos) return "";
    size_t end = open;
    while (end > 0 && is_space(statement[end - 1])) --end;
    size_t begin = end;
    while (begin > 0 && (is_word(statement[begin - 1]) || statement[begin - 1] == ':' ||
                         statement[begin - 1] == '~'))
      --begin;
    const std::string name(statement.substr(begin, end - begin));
    for (const char* word : {"", "if", "for", "while", "switch", "catch", "return", "alignas"})
      if (name == word) return "";
    const absl::string_view before = statement.substr(0, begin);
    return before.find('=') == absl::string_view::npos && !absl::EndsWith(before, ".") ? name : "";
  }

  absl::string_view text_;
  size_t at_ = 0, statement_ = 0;
  std::vector<std::string> open_;
};

// The mutants of one order: `text` replaces [begin, end) with each weaker one, after `before`.
void add_site(Site site, Kind kind, size_t begin, size_t end, const std::string& before,
              std::vector<Site>* sites) {
  for (const std::string& weaker : weaker_than(site.order, kind)) {
    site.mutants.push_back(
        {"", weaker, begin, end, absl::StrCat(before, "std::memory_order_", weaker), ""});
  }
  if (!site.mutants.empty()) sites->push_back(std::move(site));
}

// Keys, different ones for orders that are alike in one function.
void name_mutants(std::vector<Site>* sites) {
  std::map<std::string, unsigned> times;
  for (Site& site : *sites) {
    const std::string name =
        absl::StrCat(site.file, " ", site.function, " ", site.operation, " ", site.order);
    const unsigned nth = ++times[name];
    for (Mutant& mutant : site.mutants) {
      mutant.key =
          absl::StrCat(name, " to ", mutant.weaker, nth == 1 ? "" : absl::StrCat(" #", nth));
    }
  }
}

}  // namespace

bool is_stronger(const std::string& order, const std::string& other) {
  const auto rank = [](const std::string& o) {
    if (o == kNothing) return 0;
    if (o == "relaxed") return 1;
    if (o == "acquire" || o == "release" || o == "consume") return 2;
    return o == "acq_rel" ? 3 : 4;
  };
  return rank(order) > rank(other);
}

std::vector<Site> find_sites(const std::string& file, const std::string& source) {
  const std::string text = blanked(source, true);
  Functions functions(text);
  std::vector<Site> sites;
  for (size_t i = 0; i < text.size(); ++i) {
    if (!is_word(text[i]) || (i > 0 && is_word(text[i - 1]))) continue;
    size_t end = i;
    while (end < text.size() && is_word(text[end])) ++end;
    if (end == text.size() || text[end] != '(') continue;
    const std::string name = text.substr(i, end - i);
    const size_t close = closing(text, end);
    if (close == std::string::npos) continue;
    const bool fence = name == "atomic_thread_fence";
    const bool member =
        i > 0 && (text[i - 1] == '.' || (text[i - 1] == '>' && i > 1 && text[i - 2] == '-'));
    const auto operation = operations().find(name);
    if (!fence && (!member || operation == operations().end())) continue;

    std::vector<Argument> arguments = arguments_of(text, end, close);
    const auto site_at = [&](size_t at, const std::string& what, const std::string& order) {
      const size_t line_begin = text.rfind('\n', at) + 1;  // npos + 1 is 0
      return Site{
          file,
          static_cast<unsigned>(
              std::count(text.begin(), text.begin() + static_cast<ptrdiff_t>(at), '\n') + 1),
          static_cast<unsigned>(at - line_begin + 1),
          functions.around(i),
          what,
          order,
          {}};
    };
    if (fence) {
      if (arguments.empty()) continue;
      const Argument& order = arguments[0];
      const std::string word = order_of(text.substr(order.begin, order.end - order.begin));
      if (word.empty()) continue;
      add_site(site_at(i, "fence", word), Kind::kFence, order.begin, order.end, "", &sites);
      Mutant& dropped = sites.back().mutants.back();
      size_t begin = i;
      if (absl::EndsWith(absl::string_view(text).substr(0, i), "std::")) begin -= 5;
      dropped.begin = begin;
      dropped.end = close + 1;
      dropped.text = "static_cast<void>(0)";
      continue;
    }
    size_t orders = 0;
    for (size_t n = operation->second.arguments; n < arguments.size(); ++n) {
      const Argument& a = arguments[n];
      const std::string word = order_of(text.substr(a.begin, a.end - a.begin));
      if (word.empty()) break;
      const bool failure = ++orders == 2;
      add_site(site_at(a.begin, failure ? name + " failure" : name, word),
               failure ? Kind::kLoad : operation->second.kind, a.begin, a.end, "", &sites);
    }
    if (orders == 0 && operation->second.may_be_bare &&
        arguments.size() == operation->second.arguments) {
      add_site(site_at(i, name, "seq_cst"), operation->second.kind, close, close,
               arguments.empty() ? "" : ", ", &sites);
    }
  }
  name_mutants(&sites);
  return sites;
}

std::string mutated(const Mutant& mutant, const std::string& source) {
  std::string text = source;
  text.replace(mutant.begin, mutant.end - mutant.begin, mutant.text);
  return text;
}

std::string code_of(const std::string& source) {
  std::string code;
  const std::string text = blanked(source, false);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const absl::string_view words = absl::StripAsciiWhitespace(line);
    if (!words.empty()) absl::StrAppend(&code, words, "\n");
  }
  return code;
}

}  // namespace audit

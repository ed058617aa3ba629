// SPDX-License-Identifier: Apache-2.0
#include "audit/kept.h"

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/strings/strip.h"

namespace audit {
namespace {

constexpr absl::string_view kAudit = "audit[", kTo = " to ", kKept = " kept:";
constexpr size_t kNear = 8;  // lines from a comment to an order in the statement below it, at most

struct Explanation {
  std::string order, weaker, reason;
  bool used = false;
};
// Comment lines in a row; lines count from 0.
struct Comment {
  size_t begin = 0, end = 0;
  std::string text;
  std::vector<Explanation> explanations;
};

std::vector<Comment> comments_of(const std::vector<absl::string_view>& lines) {
  std::vector<Comment> comments;
  for (size_t i = 0; i < lines.size(); ++i) {
    absl::string_view line = absl::StripAsciiWhitespace(lines[i]);
    if (!absl::ConsumePrefix(&line, "//")) continue;
    if (comments.empty() || comments.back().end != i) comments.push_back({i, i, "", {}});
    Comment& comment = comments.back();
    comment.end = i + 1;
    absl::StrAppend(&comment.text, absl::StripAsciiWhitespace(line), " ");
  }
  return comments;
}

// False: not in the form.
bool read_explanations(Comment* comment) {
  absl::string_view text = comment->text;
  for (size_t at; (at = text.find(kAudit)) != absl::string_view::npos;) {
    text.remove_prefix(at + kAudit.size());
    const size_t close = text.find(']');
    if (close == absl::string_view::npos) return false;
    const absl::string_view what = text.substr(0, close);
    text.remove_prefix(close + 1);
    const size_t to = what.find(kTo);
    if (to == absl::string_view::npos || !absl::ConsumePrefix(&text, kKept)) return false;
    const absl::string_view reason =
        absl::StripAsciiWhitespace(text.substr(0, std::min(text.find(kAudit), text.find("sync["))));
    if (reason.empty()) return false;
    for (const absl::string_view weaker : absl::StrSplit(what.substr(to + kTo.size()), ','))
      comment->explanations.push_back({std::string(what.substr(0, to)),
                                       std::string(absl::StripAsciiWhitespace(weaker)),
                                       std::string(reason)});
  }
  return true;
}

// The nearest one above a line, with no empty line between.
Comment* comment_above(std::vector<Comment>* comments, const std::vector<absl::string_view>& lines,
                       size_t line) {
  const auto after = std::find_if(comments->begin(), comments->end(),
                                  [&](const Comment& c) { return c.begin > line; });
  if (after == comments->begin()) return nullptr;
  Comment& comment = *std::prev(after);
  if (line - comment.end > kNear) return nullptr;
  for (size_t i = comment.end; i < line; ++i)
    if (absl::StripAsciiWhitespace(lines[i]).empty()) return nullptr;
  return &comment;
}

void explain(Comment* comment, Site* site) {
  for (Explanation& e : comment->explanations) {
    for (Mutant& mutant : site->mutants) {
      if (e.order != site->order || e.weaker != mutant.weaker) continue;
      mutant.kept = e.reason;
      e.used = true;
    }
  }
}

}  // namespace

bool read_kept(const std::string& source, std::vector<Site>* sites, std::string* error) {
  const std::vector<absl::string_view> lines = absl::StrSplit(source, '\n');
  std::vector<Comment> comments = comments_of(lines);
  for (Comment& comment : comments) {
    if (read_explanations(&comment)) continue;
    *error = absl::StrCat(comment.begin + 1,
                          ": wants the form audit[ORDER to WEAKER, ...] kept: REASON");
    return false;
  }
  for (Site& site : *sites)
    if (Comment* above = comment_above(&comments, lines, site.line - 1)) explain(above, &site);
  for (const Comment& comment : comments) {
    for (const Explanation& e : comment.explanations) {
      if (e.used) continue;
      *error = absl::StrCat(comment.begin + 1, ": below audit[", e.order, " to ", e.weaker,
                            "] is no such order");
      return false;
    }
  }
  return true;
}

}  // namespace audit

// SPDX-License-Identifier: Apache-2.0
#include "replay/emit_words.h"

#include <array>

namespace replay {

std::string number_literal(uint64_t n) {
  return std::to_string(n) + (n >> 31 != 0 ? "u" : "");
}

std::string flags_literal(uint8_t flags) {
  std::string text;
  const auto add = [&](uint8_t flag, const char* word) {
    if ((flags & flag) != 0)
      text += (text.empty() ? "percpu::Flags::" : " | percpu::Flags::") + std::string(word);
  };
  add(targets::kFlagAtomic, "kInitAtomic");
  add(targets::kFlagDead, "kInitDead");
  add(targets::kFlagReinit, "kAllowReinit");
  return text.empty() ? "percpu::Flags::kNone" : text;
}

const char* release_word(targets::ReleaseAction action) {
  constexpr std::array<const char*, 4> kWords = {"kMark", "kReinit", "kExit", "kFree"};
  return kWords[static_cast<size_t>(action)];
}

}  // namespace replay

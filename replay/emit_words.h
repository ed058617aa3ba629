// SPDX-License-Identifier: Apache-2.0
// Parts of programs as C++: what both kinds of emitted tests say (emit_test.h).
#ifndef LASTPUT_REPLAY_EMIT_WORDS_H_
#define LASTPUT_REPLAY_EMIT_WORDS_H_

#include <cstdint>
#include <string>

#include "targets/program.h"

namespace replay {

// A literal: "64", "4294967296u".
std::string number_literal(uint64_t n);
// "percpu::Flags::kInitDead | percpu::Flags::kAllowReinit"
std::string flags_literal(uint8_t flags);
// "kMark"
const char* release_word(targets::ReleaseAction action);

}  // namespace replay

#endif  // LASTPUT_REPLAY_EMIT_WORDS_H_

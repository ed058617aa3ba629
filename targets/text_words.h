// SPDX-License-Identifier: Apache-2.0
// The words of the text form that stand for numbers: one list for printing and parsing.
#ifndef LASTPUT_TARGETS_TEXT_WORDS_H_
#define LASTPUT_TARGETS_TEXT_WORDS_H_

#include <cstdint>
#include <string_view>

#include "targets/program.h"

namespace targets {

struct FlagWord {
  RefFlags flag;
  std::string_view word;
};
inline constexpr FlagWord kFlagWords[] = {
    {kFlagAtomic, "atomic"},
    {kFlagDead, "dead"},
    {kFlagReinit, "reinit"},
    {kFlagManaged, "managed"},
};
struct ClassWord {
  OperationClass flag;
  std::string_view word;
};
inline constexpr ClassWord kClassWords[] = {
    {kClassMany, "many"},     {kClassTry, "try"},         {kClassKill, "kill"},
    {kClassSwitch, "switch"}, {kClassRevive, "revive"},   {kClassHand, "hand"},
    {kClassAsk, "ask"},       {kClassManager, "manager"},
};
// Indexed by the enumeration's numbers.
inline constexpr std::string_view kReleaseWords[] = {"mark", "reinit", "exit", "free"};
inline constexpr std::string_view kEndingWords[] = {"kill", "confirm", "put", "put_only", "exit"};
inline constexpr std::string_view kLeftoversWords[] = {"thread", "main", "main_after_kill"};
inline constexpr std::string_view kPoolEndingWords[] = {"destroy", "empty", "small_fill",
                                                        "refilled"};
inline constexpr std::string_view kFormWords[] = {"locked", "tryget", "deferred", "blocking"};
inline constexpr std::string_view kMemoryWords[] = {"weak", "sc"};

}  // namespace targets

#endif  // LASTPUT_TARGETS_TEXT_WORDS_H_

// SPDX-License-Identifier: Apache-2.0
#include "targets/abilities.h"

namespace targets {
namespace {

void fit_ref(const Abilities& abilities, RefSetup* ref) {
  const bool kills = abilities.has(OpCode::kKill);
  const bool revives = abilities.has(OpCode::kReinit) || abilities.has(OpCode::kResurrect);
  if (!abilities.has(OpCode::kSwitchToPercpu)) ref->flags &= static_cast<uint8_t>(~kFlagAtomic);
  if (!abilities.has(OpCode::kReinit)) ref->flags &= static_cast<uint8_t>(~kFlagDead);
  if (!revives) ref->flags &= static_cast<uint8_t>(~kFlagReinit);
  if (!kills) ref->flags = kFlagAtomic;
  if (ref->release == ReleaseAction::kReinit &&
      (!abilities.has(OpCode::kReinit) || !ref->reinitable()))
    ref->release = ReleaseAction::kMark;
  if (!kills || (ref->ending == Ending::kPutOnly && ref->may_put_only())) {
    ref->ending = Ending::kPutOnly;
    return;
  }
  const bool can_confirm =
      ref->ending == Ending::kConfirm && abilities.has(OpCode::kKillAndConfirm);
  const bool can_put = ref->ending == Ending::kPut && ref->reinitable() &&
                       abilities.has(OpCode::kSwitchToAtomicSync);
  if (!can_confirm && !can_put) ref->ending = Ending::kKill;
}

// Where there is no kill, the initial reference goes by put_initial: of the first thread that would kill, for it
// alone may.
void put_instead_of_kill(Program* program) {
  for (unsigned ref = 0; ref < program->refs.size(); ++ref) {
    bool first = true;
    for (unsigned t = 0; t < program->threads.size(); ++t)
      for (Operation& op : program->threads[t]) {
        if (op.ref != ref || (op.code != OpCode::kKill && op.code != OpCode::kKillAndConfirm))
          continue;
        op.code = OpCode::kPutInitial;
        if (first) program->refs[ref].controller = static_cast<uint8_t>(t);
        first = false;
      }
  }
}

}  // namespace

unsigned fit(const Abilities& abilities, Program* program) {
  if (abilities.own_core) return 0;
  program->misuse = false;
  for (RefSetup& ref : program->refs) fit_ref(abilities, &ref);
  if (!abilities.has(OpCode::kKill)) put_instead_of_kill(program);
  size_t dropped = 0;
  for (auto& operations : program->threads)
    dropped +=
        std::erase_if(operations, [&](const Operation& op) { return !abilities.has(op.code); });
  return static_cast<unsigned>(dropped) + drop_illegal(*program);
}

}  // namespace targets

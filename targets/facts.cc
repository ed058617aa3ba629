// SPDX-License-Identifier: Apache-2.0
#include "targets/facts.h"

namespace targets {
namespace {

bool kills(const Program& program, unsigned ref, int except) {
  return has_operation(program, OpCode::kKill, ref, except) ||
         has_operation(program, OpCode::kKillAndConfirm, ref, except);
}

}  // namespace

RefFacts ref_facts(const Program& program, unsigned ref) {
  const RefSetup& setup = program.refs[ref];
  RefFacts facts;
  facts.release = setup.release;
  facts.lives_to_end =
      setup.release == ReleaseAction::kMark || setup.release == ReleaseAction::kReinit;
  facts.begins_dead = (setup.flags & kFlagDead) != 0;
  facts.managed = setup.managed();
  facts.put_only = setup.ending == Ending::kPutOnly;
  facts.controller = setup.controller;
  facts.may_revive = may_be_revived(program, ref);
  const bool killed = kills(program, ref, -1);
  facts.quiet = !killed && !has_operation(program, OpCode::kPutInitial, ref) && !facts.begins_dead;
  for (int t = 0; killed && t < static_cast<int>(program.threads.size()); ++t)
    if (!kills(program, ref, t)) facts.only_killer = t;
  return facts;
}

}  // namespace targets

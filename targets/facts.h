// SPDX-License-Identifier: Apache-2.0
// What a program's text alone says about a ref: the grounds on which the harness decides, with no
// lock and no word between threads, whether a thread may make a call.
#ifndef LASTPUT_TARGETS_FACTS_H_
#define LASTPUT_TARGETS_FACTS_H_

#include "targets/program.h"

namespace targets {

struct RefFacts {
  bool lives_to_end = false;  // release neither frees nor exits it
  bool begins_dead = false;
  bool managed = false;  // from the start: nobody ever kills it, or changes its mode
  bool quiet = false;  // no thread ever drops the initial reference, and it is there from the start
  bool may_revive = false;  // by resurrect or reinit, of whomever
  bool put_only = false;
  int only_killer = -1;  // the thread, if all kills of the ref are its
  unsigned controller = 0;
  ReleaseAction release = ReleaseAction::kMark;
};
RefFacts ref_facts(const Program& program, unsigned ref);

}  // namespace targets

#endif  // LASTPUT_TARGETS_FACTS_H_

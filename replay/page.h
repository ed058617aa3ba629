// SPDX-License-Identifier: Apache-2.0
// A failure of the reference counts as a page (sched/page.h), with the words of that trade.
#ifndef LASTPUT_REPLAY_PAGE_H_
#define LASTPUT_REPLAY_PAGE_H_

#include <string>

#include "replay/rerun.h"
#include "targets/text.h"

namespace replay {

// `command`: the one that replays it.
std::string failure_page(const targets::Artifact& artifact, const Outcome& outcome,
                         const std::string& command);

// "ref0" is the word that holds a ref's mode, "ref0+8" its shared count; "" for what is neither.
std::string ref_label(const std::string& object);
// What a mode word says, of describe_value(): "percpu", "dead, atomic"; "" for another object, or a value
// that is no mode.
std::string ref_meaning(const std::string& object, const std::string& value);

}  // namespace replay

#endif  // LASTPUT_REPLAY_PAGE_H_

// SPDX-License-Identifier: Apache-2.0
// Comments that say why an order stays although nothing is found without it:
//
//   // audit[seq_cst to acq_rel, acquire] kept: on hardware with ..., which the engine has not.
//
// stands right above the order, or above the statement that it is in. The reason goes on to the end of
// the comment, or to the next audit[...] or sync[...].
#ifndef LASTPUT_AUDIT_KEPT_H_
#define LASTPUT_AUDIT_KEPT_H_

#include <string>
#include <vector>

#include "audit/site.h"

namespace audit {

// Sets Mutant::kept in the sites of `source`. ERRORS: false, and *error "LINE: sentence": a comment that has
// another form, no reason, or no such order below it.
bool read_kept(const std::string& source, std::vector<Site>* sites, std::string* error);

}  // namespace audit

#endif  // LASTPUT_AUDIT_KEPT_H_

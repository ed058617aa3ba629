// SPDX-License-Identifier: Apache-2.0
// What this binary was built with. A file of its own, so that a variant of the core relinks cheaply.
#ifndef LASTPUT_TARGETS_BUILD_INFO_H_
#define LASTPUT_TARGETS_BUILD_INFO_H_

namespace targets {

// Name of the known bug in the core that is linked; "" for the right core.
const char* built_with_bug();

// Compiler and instrumentation: traces compare between builds of one name and one source. On real threads "real", the
// preset and the platform of the core come first: "real tsan linux, ...".
const char* build_name();

}  // namespace targets

#endif  // LASTPUT_TARGETS_BUILD_INFO_H_

// SPDX-License-Identifier: Apache-2.0
// What this binary was built with. A file of its own, so that a variant of the core relinks cheaply.
#ifndef LASTPUT_TARGETS_BUILD_INFO_H_
#define LASTPUT_TARGETS_BUILD_INFO_H_

#include <string>

namespace targets {

// Name of the known bug in the core that is linked; "" for the right core.
const char* built_with_bug();

// Name of the count that programs run on, where that is not the core's (lastput_add_count); "" for the core.
const char* built_with_count();

// The folder of this program below bin/: "", "bugs/NAME", "counts/NAME".
std::string programs_folder();

// "bug none", "bug no_bias", "count atomic_count": for a person.
std::string build_in_words();

// What replays the artifact at `path`: "./lastput replay PATH --bug=no_bias".
std::string replay_command(const std::string& path);

// Compiler and instrumentation: traces compare between builds of one name and one source. On real threads "real", the
// preset and the platform of the core come first: "real tsan linux, ...".
const char* build_name();

}  // namespace targets

#endif  // LASTPUT_TARGETS_BUILD_INFO_H_

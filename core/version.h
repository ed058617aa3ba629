// SPDX-License-Identifier: Apache-2.0
// The version of the library. While MAJOR is 0, another MINOR may break source and binaries; PATCH
// breaks neither. get and put are inline, so a program is built anew for each MINOR.
//
// This is the one place where it is told: the CMake project, its package and pkg-config read it
// here.
#ifndef PERCPU_CORE_VERSION_H_
#define PERCPU_CORE_VERSION_H_

#define PERCPU_VERSION_MAJOR 0
#define PERCPU_VERSION_MINOR 1
#define PERCPU_VERSION_PATCH 0

#define PERCPU_VERSION_WORDS_(major, minor, patch) #major "." #minor "." #patch
#define PERCPU_VERSION_WORDS(major, minor, patch) PERCPU_VERSION_WORDS_(major, minor, patch)

namespace percpu {

inline constexpr int kVersionMajor = PERCPU_VERSION_MAJOR;
inline constexpr int kVersionMinor = PERCPU_VERSION_MINOR;
inline constexpr int kVersionPatch = PERCPU_VERSION_PATCH;
// "MAJOR.MINOR.PATCH"
inline constexpr const char* kVersion =
    PERCPU_VERSION_WORDS(PERCPU_VERSION_MAJOR, PERCPU_VERSION_MINOR, PERCPU_VERSION_PATCH);

}  // namespace percpu

#undef PERCPU_VERSION_WORDS
#undef PERCPU_VERSION_WORDS_

#endif  // PERCPU_CORE_VERSION_H_

// SPDX-License-Identifier: Apache-2.0
// SHA-1 (FIPS 180-4): libFuzzer names its crash files by it. Not for security.
#ifndef LASTPUT_TARGETS_SHA1_H_
#define LASTPUT_TARGETS_SHA1_H_

#include <cstdint>
#include <span>
#include <string>

namespace targets {

std::string sha1_hex(std::span<const uint8_t> bytes);

}  // namespace targets

#endif  // LASTPUT_TARGETS_SHA1_H_

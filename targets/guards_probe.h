// SPDX-License-Identifier: Apache-2.0
// What guards_test.cc calls: instrumented as the fuzz targets are.
#pragma once

#include <string>

namespace targets {

// Whether each '(' has its ')'.
bool closes(const std::string& text);
bool closes(const char* text);

}  // namespace targets

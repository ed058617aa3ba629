// SPDX-License-Identifier: Apache-2.0
#include "targets/guards_probe.h"

namespace targets {
namespace {

bool step(char c, int* open) {
  if (c == '(') ++*open;
  return c != ')' || --*open >= 0;
}

}  // namespace

bool closes(const std::string& text) {
  int open = 0;
  for (const char c : text) {
    if (!step(c, &open)) return false;
  }
  return open == 0;
}

bool closes(const char* text) {
  int open = 0;
  for (; *text != '\0'; ++text) {
    if (!step(*text, &open)) return false;
  }
  return open == 0;
}

}  // namespace targets

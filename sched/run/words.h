// SPDX-License-Identifier: Apache-2.0
// What a run says: text to our own standard output, and files written whole.
#ifndef LASTPUT_SCHED_RUN_WORDS_H_
#define LASTPUT_SCHED_RUN_WORDS_H_

#include <string>

namespace sched::program {

// MAY BLOCK.
void say(const std::string& text);
[[gnu::format(printf, 1, 2)]] std::string format(const char* how, ...);
// With its quotes.
std::string json_string(const std::string& text);
// ERRORS: false, and errno.
bool write_file(const std::string& path, const std::string& contents);

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_WORDS_H_

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
// To a temporary file beside, which is then renamed; a link, or what is no regular file (/dev/stdout), is written to.
// ERRORS: false, and errno; the file is as it was.
bool write_file(const std::string& path, const std::string& contents);

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_WORDS_H_

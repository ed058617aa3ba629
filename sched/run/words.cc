// SPDX-License-Identifier: Apache-2.0
#include "sched/run/words.h"

#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "sched/run/process.h"

namespace sched::program {

void say(const std::string& text) {
  for (size_t done = 0; done < text.size();) {
    ssize_t n = write(own_output(), text.data() + done, text.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n <= 0) return;
    done += static_cast<size_t>(n);
  }
}

std::string format(const char* how, ...) {
  char text[512];
  va_list arguments;
  va_start(arguments, how);
  vsnprintf(text, sizeof text, how, arguments);
  va_end(arguments);
  return text;
}

std::string json_string(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (static_cast<unsigned char>(c) < 0x20)
      out += format("\\u%04x", static_cast<unsigned>(c));
    else
      out += c;
  }
  return out + "\"";
}

bool write_file(const std::string& path, const std::string& contents) {
  std::error_code ignored;
  const bool special =
      std::filesystem::is_symlink(path, ignored) ||
      (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored));
  const std::string temporary = special ? path : path + ".tmp" + std::to_string(getpid());
  std::ofstream out(temporary, std::ios::binary);
  out << contents;
  if (out.flush() && (special || rename(temporary.c_str(), path.c_str()) == 0)) return true;
  const int why = errno;
  if (!special) unlink(temporary.c_str());
  errno = why;
  return false;
}

}  // namespace sched::program

// SPDX-License-Identifier: Apache-2.0
#include "sched/run/process.h"

#include <fcntl.h>
#include <link.h>
#include <poll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <iostream>
#include <vector>

#include "sched/arena.h"
#include "sched/engine.h"
#include "sched/fatal.h"
#include "sched/run/real_function.h"
#include "sched/sync.h"

namespace sched::program {
namespace {

constexpr int kFirstOwn = 900;  // descriptors from here on are ours
constexpr unsigned kMaxFiles = 256;

int null_in, null_out, own_in, own_out, own_err;
bool muted_now, standard_touched;
bool input_read;

// The program's open streams; those beyond kMaxFiles stay open.
FILE* files[kMaxFiles];
unsigned file_count;

// An object of a library, put back byte by byte.
struct Object {
  void* address;
  size_t size;
  std::vector<char> saved;
};
std::vector<Object> objects;
char buffers[3][BUFSIZ];

std::vector<char*> environment;
char** environment_address;

template <class T>
void keep(T& object) {
  auto* bytes = reinterpret_cast<char*>(&object);
  objects.push_back({bytes, sizeof object, std::vector<char>(bytes, bytes + sizeof object)});
}

// A stream, and its lock, which an abandoned thread may hold.
void keep_stream(FILE* f) {
  struct Lock {
    int word, depth;
    void* owner;
  };
  keep(*f);
  keep(*static_cast<Lock*>(f->_lock));
}

int move_up(int fd) {
  int up = fcntl(fd, F_DUPFD_CLOEXEC, kFirstOwn);
  SCHED_CHECK(up >= 0 || fd <= 2, "no descriptors are left");
  return up;
}

int open_null(int flags) {
  int fd = open("/dev/null", flags | O_CLOEXEC);
  SCHED_CHECK(fd >= 0, "cannot open /dev/null");
  int up = move_up(fd);
  close(fd);
  return up;
}

int find_library(dl_phdr_info* info, size_t, void* inside) {
  for (int i = 0; i < info->dlpi_phnum; ++i) {
    const auto& p = info->dlpi_phdr[i];
    TextRange text{info->dlpi_addr + p.p_vaddr, p.p_memsz};
    if (p.p_type != PT_LOAD || !text.holds(reinterpret_cast<uintptr_t>(inside))) continue;
    library_text = text;
    return 1;
  }
  return 0;
}

void direct(bool muted) {
  if (muted == muted_now && !standard_touched) return;
  dup2(null_in, 0);
  dup2(muted ? null_out : own_out, 1);
  dup2(muted ? null_out : own_err, 2);
  muted_now = muted;
  standard_touched = false;
}

void close_files() {
  // A stream goes with its buffer; a lock that an abandoned thread holds must not stop us.
  while (file_count != 0) {
    FILE* f = files[--file_count];
    memset(f->_lock, 0, 16);
    std::fclose(f);
  }
  syscall(SYS_close_range, 3u, static_cast<unsigned>(kFirstOwn - 1), 0u);
}

void restore_environment() {
  if (environ != environment_address) environ = environment_address;
  memcpy(environ, environment.data(), environment.size() * sizeof(char*));
}

FILE* add_file(FILE* f) {
  if (f != nullptr && here() && file_count < kMaxFiles) files[file_count++] = f;
  return f;
}

void forget_file(FILE* f) {
  for (unsigned i = 0; i < file_count; ++i)
    if (files[i] == f) files[i] = files[--file_count];
}

void touch(int fd) {
  if (fd >= 0 && fd <= 2 && here()) standard_touched = true;
}

SCHED_RUN_REAL(FILE*, fopen, (const char* path, const char* mode), (path, mode))
SCHED_RUN_REAL(FILE*, fdopen, (int fd, const char* mode), (fd, mode))
SCHED_RUN_REAL(FILE*, tmpfile, (), ())
SCHED_RUN_REAL(FILE*, freopen, (const char* path, const char* mode, FILE* f), (path, mode, f))
SCHED_RUN_REAL(int, fclose, (FILE * f), (f))

}  // namespace

void process_setup() {
  own_in = move_up(0);
  own_out = move_up(1);
  own_err = move_up(2);
  null_in = open_null(O_RDONLY);
  null_out = open_null(O_WRONLY);
  standard_touched = true;
  setvbuf(stdin, buffers[0], _IOFBF, sizeof buffers[0]);
  setvbuf(stdout, buffers[1], _IOFBF, sizeof buffers[1]);
  for (FILE* f : {stdin, stdout, stderr}) keep_stream(f);
  keep(std::cin);
  keep(std::cout);
  keep(std::cerr);
  keep(std::clog);
  environment_address = environ;
  for (char** e = environ; *e != nullptr; ++e) environment.push_back(*e);
  environment.push_back(nullptr);
  dl_iterate_phdr(find_library, dlsym(RTLD_NEXT, "malloc"));
}

void process_restore(bool muted) {
  if ((stdin->_flags & _IO_EOF_SEEN) != 0) input_read = true;
  close_files();
  for (const Object& o : objects) memcpy(o.address, o.saved.data(), o.size);
  direct(muted);
  restore_environment();
  random_restore();
}

void process_hand_over() {
  dup2(own_in, 0);
  dup2(own_out, 1);
  dup2(own_err, 2);
  standard_touched = true;
}

void process_flush() {
  if (!muted_now) fflush(stdout);
  if ((stdin->_flags & _IO_EOF_SEEN) != 0) input_read = true;
}

int own_output() {
  return own_out >= 0 ? own_out : null_out;
}

bool has_read_input() {
  return input_read;
}

}  // namespace sched::program

using namespace sched;
using namespace sched::program;

// --- Streams and descriptors: only noted, but where they would stop the one OS thread -----------------

namespace {

void refuse_to_wait(int fd, short event, const char* call) {
  pollfd one = {fd, event, 0};
  if (poll(&one, 1, 0) == 0 && (fcntl(fd, F_GETFL) & O_NONBLOCK) == 0)
    refuse(call, "put a queue with a condition variable in its place");
}

}  // namespace

SCHED_RUN_EXPORT FILE* fopen(const char* path, const char* mode) {
  return add_file(real_fopen(path, mode));
}
SCHED_RUN_EXPORT FILE* fopen64(const char* path, const char* mode) {
  return fopen(path, mode);
}
SCHED_RUN_EXPORT FILE* fdopen(int fd, const char* mode) {
  return add_file(real_fdopen(fd, mode));
}
SCHED_RUN_EXPORT FILE* tmpfile() {
  return add_file(real_tmpfile());
}
SCHED_RUN_EXPORT FILE* freopen(const char* path, const char* mode, FILE* f) {
  touch(fileno(f));
  return real_freopen(path, mode, f);
}
SCHED_RUN_EXPORT int fclose(FILE* f) {
  touch(fileno(f));
  forget_file(f);
  return real_fclose(f);
}
SCHED_RUN_EXPORT int close(int fd) {
  touch(fd);
  return static_cast<int>(syscall(SYS_close, fd));
}
SCHED_RUN_EXPORT int dup2(int from, int to) {
  touch(to);
  return static_cast<int>(syscall(SYS_dup2, from, to));
}
SCHED_RUN_EXPORT ssize_t read(int fd, void* to, size_t n) {
  if (here()) {
    input_read |= fd == 0;
    refuse_to_wait(fd, POLLIN, "read() that has to wait");
  }
  return static_cast<ssize_t>(syscall(SYS_read, fd, to, n));
}
SCHED_RUN_EXPORT ssize_t write(int fd, const void* from, size_t n) {
  // Whoever reads the standard ones does so without the program.
  if (fd > 2 && here()) refuse_to_wait(fd, POLLOUT, "write() that has to wait");
  return static_cast<ssize_t>(syscall(SYS_write, fd, from, n));
}

// SPDX-License-Identifier: Apache-2.0
// Calls that the engine does not control: a logical thread that makes one would block, or leave, the
// one OS thread that all of them share. So it ends the execution with a message that names the call,
// and says what to do.
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/msg.h>
#include <sys/select.h>
#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <vector>

#include "sched/engine.h"
#include "sched/interpose.h"
#include "sched/sync.h"

namespace {

template <class F>
F* next(const char* name) {
  return reinterpret_cast<F*>(dlsym(RTLD_NEXT, name));
}

}  // namespace

SCHED_INTERPOSERS(refused)

// The real function is looked up by a constructor, as in real.cc, or by a caller that is earlier.
#define SCHED_REFUSE(ret, name, parameters, arguments, advice) \
  static ret(*real_##name) parameters;                         \
  [[gnu::constructor(101)]] static void resolve_##name() {     \
    real_##name = next<ret parameters>(#name);                 \
  }                                                            \
  SCHED_EXPORT_WEAK ret name parameters {                      \
    if (sched::here()) sched::refuse(#name "()", advice);      \
    if (real_##name == nullptr) resolve_##name();              \
    return real_##name arguments;                              \
  }

constexpr char kEndItself[] = "let the thread see a flag, and return";
constexpr char kOneProcess[] = "test what one process does, with threads in place of processes";
constexpr char kUnnamed[] = "use sem_init()";
constexpr char kNoSignals[] = "use a condition variable or a semaphore";
constexpr char kNoSockets[] = "put a queue with a condition variable in its place";

SCHED_REFUSE(int, pthread_cancel, (pthread_t t), (t), kEndItself)
SCHED_REFUSE(int, pthread_kill, (pthread_t t, int s), (t, s), kNoSignals)

SCHED_REFUSE(pid_t, fork, (), (), kOneProcess)
SCHED_REFUSE(int, system, (const char* command), (command), kOneProcess)
SCHED_REFUSE(pid_t, wait, (int* status), (status), kOneProcess)
SCHED_REFUSE(pid_t, waitpid, (pid_t p, int* status, int o), (p, status, o), kOneProcess)
SCHED_REFUSE(FILE*, popen, (const char* command, const char* mode), (command, mode), kOneProcess)
SCHED_REFUSE(int, posix_spawn,
             (pid_t * p, const char* path, const posix_spawn_file_actions_t* a,
              const posix_spawnattr_t* t, char* const* v, char* const* e),
             (p, path, a, t, v, e), kOneProcess)
SCHED_REFUSE(int, posix_spawnp,
             (pid_t * p, const char* file, const posix_spawn_file_actions_t* a,
              const posix_spawnattr_t* t, char* const* v, char* const* e),
             (p, file, a, t, v, e), kOneProcess)
SCHED_REFUSE(int, execv, (const char* path, char* const* v), (path, v), kOneProcess)
SCHED_REFUSE(int, execvp, (const char* file, char* const* v), (file, v), kOneProcess)
SCHED_REFUSE(int, execve, (const char* path, char* const* v, char* const* e), (path, v, e),
             kOneProcess)
SCHED_REFUSE(int, execvpe, (const char* file, char* const* v, char* const* e), (file, v, e),
             kOneProcess)
SCHED_REFUSE(int, semop, (int id, sembuf* b, size_t n), (id, b, n), kUnnamed)
SCHED_REFUSE(ssize_t, msgrcv, (int id, void* m, size_t n, long type, int f), (id, m, n, type, f),
             kNoSockets)

SCHED_REFUSE(int, sem_close, (sem_t * s), (s), kUnnamed)
SCHED_REFUSE(int, sem_unlink, (const char* name), (name), kUnnamed)

SCHED_REFUSE(int, sigwait, (const sigset_t* set, int* s), (set, s), kNoSignals)
SCHED_REFUSE(int, sigwaitinfo, (const sigset_t* set, siginfo_t* s), (set, s), kNoSignals)
SCHED_REFUSE(int, sigtimedwait, (const sigset_t* set, siginfo_t* s, const timespec* t), (set, s, t),
             kNoSignals)
SCHED_REFUSE(int, sigsuspend, (const sigset_t* set), (set), kNoSignals)
SCHED_REFUSE(int, pause, (), (), kNoSignals)

SCHED_REFUSE(int, ppoll, (pollfd * f, nfds_t n, const timespec* t, const sigset_t* s), (f, n, t, s),
             kNoSockets)
SCHED_REFUSE(int, pselect,
             (int n, fd_set* r, fd_set* w, fd_set* e, const timespec* t, const sigset_t* s),
             (n, r, w, e, t, s), kNoSockets)
SCHED_REFUSE(int, epoll_wait, (int fd, epoll_event* e, int n, int t), (fd, e, n, t), kNoSockets)
SCHED_REFUSE(int, epoll_pwait, (int fd, epoll_event* e, int n, int t, const sigset_t* s),
             (fd, e, n, t, s), kNoSockets)
SCHED_REFUSE(int, accept, (int fd, sockaddr* a, socklen_t* n), (fd, a, n), kNoSockets)
SCHED_REFUSE(int, accept4, (int fd, sockaddr* a, socklen_t* n, int f), (fd, a, n, f), kNoSockets)
SCHED_REFUSE(int, connect, (int fd, const sockaddr* a, socklen_t n), (fd, a, n), kNoSockets)
SCHED_REFUSE(ssize_t, recv, (int fd, void* b, size_t n, int f), (fd, b, n, f), kNoSockets)
SCHED_REFUSE(ssize_t, recvfrom, (int fd, void* b, size_t n, int f, sockaddr* a, socklen_t* l),
             (fd, b, n, f, a, l), kNoSockets)
SCHED_REFUSE(ssize_t, recvmsg, (int fd, msghdr* m, int f), (fd, m, f), kNoSockets)

// Returns twice, so it cannot be passed on; what else it does, fork does.
SCHED_EXPORT_WEAK pid_t vfork() {
  if (sched::here()) sched::refuse("vfork()", kOneProcess);
  return fork();
}

// Those that take any number of arguments, up to a null; `execle` has the environment behind that.
#define SCHED_REFUSE_LIST(name, arguments)                            \
  SCHED_EXPORT_WEAK int name(const char* path, const char* v, ...) {  \
    if (sched::here()) sched::refuse(#name "()", kOneProcess);        \
    std::vector<char*> all = {const_cast<char*>(v)};                  \
    va_list rest;                                                     \
    va_start(rest, v);                                                \
    while (all.back() != nullptr) all.push_back(va_arg(rest, char*)); \
    const int code = arguments;                                       \
    va_end(rest);                                                     \
    return code;                                                      \
  }
SCHED_REFUSE_LIST(execl, execv(path, all.data()))
SCHED_REFUSE_LIST(execlp, execvp(path, all.data()))
SCHED_REFUSE_LIST(execle, execve(path, all.data(), va_arg(rest, char**)))

// sem_open takes more arguments only if it creates.
SCHED_EXPORT_WEAK sem_t* sem_open(const char* name, int flags, ...) {
  if (sched::here()) sched::refuse("sem_open()", kUnnamed);
  va_list args;
  va_start(args, flags);
  const mode_t mode = va_arg(args, mode_t);
  const unsigned value = va_arg(args, unsigned);
  va_end(args);
  return next<sem_t*(const char*, int, ...)>("sem_open")(name, flags, mode, value);
}

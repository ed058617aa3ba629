// SPDX-License-Identifier: Apache-2.0
// One end for each argument.
#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char* how;
static int handled;

static volatile sig_atomic_t signals;
static void count_signal(int signal) {
  (void)signal;
  signals = signals + 1;
}

static void* for_ever(void* unused) {
  for (;;) usleep(1000);
  return unused;
}

static void* end(void* unused) {
  if (strcmp(how, "exit") == 0) exit(4);
  if (strcmp(how, "exit0") == 0) exit(0);
  if (strcmp(how, "_exit") == 0) _exit(5);
  if (strcmp(how, "abort") == 0) abort();
  if (strcmp(how, "assert") == 0) assert(handled == 1);
  if (strcmp(how, "segv") == 0) *(volatile int*)unused = 1;
  if (strcmp(how, "fpe") == 0) raise(SIGFPE);
  if (strcmp(how, "term") == 0) raise(SIGTERM);
  if (strcmp(how, "kill") == 0) kill(getpid(), SIGKILL);
  if (strcmp(how, "handled") == 0) {
    signal(SIGSEGV, SIG_IGN);
    signal(SIGUSR1, count_signal);
    raise(SIGUSR1);
    assert(signals == 1);
    raise(SIGCHLD);
    alarm(1);
    *(volatile int*)unused = 1;
  }
  if (strcmp(how, "pipe") == 0) {
    int ends[2];
    char byte = 0;
    assert(pipe(ends) == 0 && write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
    handled = (int)read(ends[0], &byte, 1);
  }
  if (strcmp(how, "double-free") == 0) {
    void* p = malloc(8);
    free(p);
    free(p);
  }
  if (strcmp(how, "strdup") == 0) {
    char* p = strdup(how);
    free(p);
    p[1] = 1;
  }
  if (strcmp(how, "use-after-free") == 0) {
    char* p = malloc(8);
    free(p);
    p[1] = 1;
  }
  if (strcmp(how, "out-of-bounds") == 0) {
    char* p = malloc(8);
    p[8] = 1;
  }
  if (strcmp(how, "overflow") == 0) {
    char room[4096];
    memset(room, 0, sizeof room);
    end(room);
    room[1] = room[2];
  }
  if (strcmp(how, "stdin") == 0) {
    int c = getchar();
    assert(c == EOF);
  }
  return NULL;
}

static void handler(void) {
  handled = 1;
}
static void failing_handler(void) {
  assert(handled == 2);
}

__attribute__((destructor)) static void destructor(void) {
  assert(strcmp(how, "destructor") != 0);
}

int main(int argc, char** argv) {
  how = argc > 1 ? argv[1] : "return";
  atexit(handler);
  if (strcmp(how, "early") == 0) return 0;
  if (strcmp(how, "early-status") == 0) return 6;
  if (strcmp(how, "handler") == 0) atexit(failing_handler);
  pthread_t threads[2];
  pthread_create(&threads[0], NULL, for_ever, NULL);
  pthread_create(&threads[1], NULL, end, NULL);
  if (strcmp(how, "leaks-threads") == 0) return 0;
  pthread_join(threads[1], NULL);
  return 0;
}

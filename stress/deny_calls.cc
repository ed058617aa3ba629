// SPDX-License-Identifier: Apache-2.0
// For tests: runs a program whose kernel forbids some calls, as containers do.
//
//   deny_calls CALL... -- PROGRAM ARGUMENT...     CALL: affinity, breakpoints, membarrier, priority
//
// They answer EPERM. Exit codes: the program's; 1 usage; 3 this kernel filters no calls.
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstddef>
#include <cstdio>
#include <cstring>
#include <string_view>
#include <vector>

namespace {

constexpr struct {
  std::string_view name;
  unsigned number;
} kCalls[] = {{"affinity", SYS_sched_setaffinity},
              {"breakpoints", SYS_perf_event_open},
              {"membarrier", SYS_membarrier},
              {"priority", SYS_setpriority}};

constexpr unsigned kDeny = SECCOMP_RET_ERRNO | EPERM;

bool add(std::string_view name, std::vector<sock_filter>& filter) {
  for (const auto& call : kCalls) {
    if (call.name != name) continue;
    filter.push_back(BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call.number, 0, 1));
    filter.push_back(BPF_STMT(BPF_RET | BPF_K, kDeny));
    return true;
  }
  return false;
}

}  // namespace

int main(int argc, char** argv) {
  std::vector<sock_filter> filter = {
      BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  int i = 1;
  while (i < argc && std::string_view(argv[i]) != "--" && add(argv[i], filter)) ++i;
  if (i + 1 >= argc || std::string_view(argv[i]) != "--") {
    std::fprintf(stderr, "usage: deny_calls CALL... -- PROGRAM ARGUMENT...\n");
    return 1;
  }
  filter.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog program = {static_cast<unsigned short>(filter.size()), filter.data()};
  if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
      prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0) {
    std::fprintf(stderr, "deny_calls: this kernel filters no calls: %s\n", std::strerror(errno));
    return 3;
  }
  execv(argv[i + 1], argv + i + 1);
  std::fprintf(stderr, "deny_calls: %s: %s\n", argv[i + 1], std::strerror(errno));
  return 1;
}

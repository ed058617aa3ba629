// SPDX-License-Identifier: Apache-2.0
// Bugs that were put into small programs to be hard to find, for comparing strategies. A bug's depth is
// the number of turns of threads that must come in order (so many context switches, less one, where all
// are preemptions).
#ifndef LASTPUT_BENCH_PLANTED_BUGS_H_
#define LASTPUT_BENCH_PLANTED_BUGS_H_

#include <span>

namespace bench {

struct PlantedBug {
  const char* name;
  const char* what;  // must happen, in a few words
  unsigned threads;  // main included
  unsigned depth;
  bool weak;  // needs weak memory; the others run under sequential consistency
  void (*body)(void*);
};
std::span<const PlantedBug> planted_bugs();

}  // namespace bench

#endif  // LASTPUT_BENCH_PLANTED_BUGS_H_

// SPDX-License-Identifier: Apache-2.0
// Programs with known faults, for tests: operations of percpu_ref's programs, with other meanings. Included
// by code under test.
#ifndef LASTPUT_REPLAY_TOY_H_
#define LASTPUT_REPLAY_TOY_H_

#include <atomic>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "sched/sched.h"
#include "targets/text.h"

namespace replay::toy {

inline std::atomic<int> flag, data, noise;

// One thread for each of the program's, which does `apply` for each of its operations.
template <class Apply>
void run_threads(const targets::Program& program, Apply apply) {
  flag.store(0, std::memory_order_relaxed);
  data.store(0, std::memory_order_relaxed);
  noise.store(0, std::memory_order_relaxed);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    sched::name_next_thread(targets::thread_name(t).c_str());
    threads.emplace_back([&program, t, apply] {
      uint32_t op = 0;
      for (const targets::Operation& operation : program.threads[t]) {
        sched::begin_op(++op);
        apply(operation.code);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

inline void make_noise() {
  noise.fetch_add(1, std::memory_order_relaxed);
}

// tryget between kill and put of another thread, or after a kill without put.
inline void window(const targets::Program& program) {
  run_threads(program, [](targets::OpCode code) {
    switch (code) {
      case targets::OpCode::kKill:
        return flag.store(1, std::memory_order_relaxed);
      case targets::OpCode::kPut:
        return flag.store(0, std::memory_order_relaxed);
      case targets::OpCode::kTryget:
        if (flag.load(std::memory_order_relaxed) == 1) sched::fail("G2", "seen in between");
        return;
      default:
        make_noise();
    }
  });
}

// kill publishes without release: tryget may see the flag, and not the data.
inline void message(const targets::Program& program) {
  run_threads(program, [](targets::OpCode code) {
    switch (code) {
      case targets::OpCode::kKill:
        data.store(1, std::memory_order_relaxed);
        return flag.store(1, std::memory_order_relaxed);
      case targets::OpCode::kTryget:
        if (flag.load(std::memory_order_relaxed) == 1 && data.load(std::memory_order_relaxed) == 0)
          sched::fail("G7", "the flag without the data");
        return;
      default:
        make_noise();
    }
  });
}

// A program of these lines, which has no schedule of its own.
inline targets::Artifact parse(const std::string& lines) {
  targets::Artifact artifact;
  targets::ParseError error;
  const std::string text =
      "lastput 1\ntarget percpu_ref\nsetup schedules 16\nsetup interval 4\n" + lines + "end\n";
  if (!targets::parse(text, &artifact, &error)) sched::fail("", error.to_string().c_str());
  artifact.program.schedules = 16;
  artifact.program.interval = 4;
  return artifact;
}

}  // namespace replay::toy

#endif  // LASTPUT_REPLAY_TOY_H_

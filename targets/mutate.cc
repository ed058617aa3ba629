// SPDX-License-Identifier: Apache-2.0
#include "targets/mutate.h"

#include <algorithm>

#include "targets/generate.h"

namespace targets {
namespace {

using Operations = std::vector<Operation>;

unsigned size_of(const Operations& ops) {
  return static_cast<unsigned>(ops.size());
}

Operations& any_thread(Random& random, Program& program, unsigned* thread) {
  *thread = random.below(static_cast<unsigned>(program.threads.size()));
  return program.threads[*thread];
}

void insert_operation(Random& random, Program& program) {
  unsigned thread = 0;
  Operations& ops = any_thread(random, program, &thread);
  const Operation op = generate_operation(random, program, thread);
  if (size_of(ops) < kMaxOperations) ops.insert(ops.begin() + random.below(size_of(ops) + 1), op);
}

void erase_operation(Random& random, Program& program) {
  unsigned thread = 0;
  Operations& ops = any_thread(random, program, &thread);
  if (!ops.empty()) ops.erase(ops.begin() + random.below(size_of(ops)));
}

void replace_operation(Random& random, Program& program) {
  unsigned thread = 0;
  Operations& ops = any_thread(random, program, &thread);
  const Operation op = generate_operation(random, program, thread);
  if (!ops.empty()) ops[random.below(size_of(ops))] = op;
}

void swap_operations(Random& random, Program& program) {
  unsigned thread = 0;
  Operations& ops = any_thread(random, program, &thread);
  if (!ops.empty()) std::swap(ops[random.below(size_of(ops))], ops[random.below(size_of(ops))]);
}

// The threads keep their operations; the schedules are others.
void reroll_schedules(Random& random, Program& program) {
  program.seed = static_cast<uint32_t>(random.next());
  program.interval = static_cast<uint8_t>(2 + random.below(20));
  program.schedules = static_cast<uint8_t>(4 + random.below(kMaxSchedules - 3));
}

// A prefix of the preemptions stays, the rest is new.
void reroll_preemptions(Random& random, Program& program) {
  const auto keep = random.below(static_cast<unsigned>(program.preemptions.size()) + 1);
  program.preemptions.resize(keep);
  for (unsigned n = random.below(6); n > 0 && program.preemptions.size() < kMaxPreemptions; --n)
    program.preemptions.push_back(
        {static_cast<uint8_t>(random.below(64)), static_cast<uint8_t>(random.below(8))});
}

// Setup of another random program with as many threads, around the same operations.
void change_setup(Random& random, Kind kind, Program& program) {
  Program other = generate_program(random, kind);
  other.threads.resize(program.threads.size());
  for (RefSetup& ref : other.refs) {
    ref.controller = static_cast<uint8_t>(ref.controller % program.threads.size());
    for (size_t t = program.threads.size(); t < kMaxThreads; ++t) ref.tokens[t] = 0;
  }
  other.threads = program.threads;
  for (Operations& ops : other.threads) {
    for (Operation& op : ops) {
      if (const size_t subjects = subject_count(other, operation_info(op.code).needs))
        op.ref = static_cast<uint8_t>(op.ref % subjects);
      const Argument argument = operation_info(op.code).argument;
      if (argument == Argument::kCpu) op.argument %= other.cpus;
      if (argument == Argument::kRefNumber) op.argument %= other.refs.size();
      if (argument == Argument::kPoolNumber) op.argument %= other.pools.size();
    }
  }
  program = std::move(other);
}

void mutate_once(Random& random, Kind kind, Program& program) {
  switch (random.below(16)) {
    case 0:
      program = generate_program(random, kind);
      break;
    case 1:
      change_setup(random, kind, program);
      break;
    case 2:
    case 3:
      reroll_schedules(random, program);
      break;
    case 4:
      reroll_preemptions(random, program);
      break;
    case 5:
    case 6:
      erase_operation(random, program);
      break;
    case 7:
      swap_operations(random, program);
      break;
    case 8:
    case 9:
    case 10:
      replace_operation(random, program);
      break;
    default:
      insert_operation(random, program);
      break;
  }
}

}  // namespace

void mutate_program(Random& random, Kind kind, Program& program) {
  for (unsigned n = 1 + random.below(4); n > 0; --n) mutate_once(random, kind, program);
  if (is_concurrent(kind)) drop_illegal(program);
}

}  // namespace targets

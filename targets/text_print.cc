// SPDX-License-Identifier: Apache-2.0
#include <cinttypes>
#include <cstdio>

#include "targets/text.h"
#include "targets/text_words.h"

namespace targets {
namespace {

std::string number(uint64_t value) {
  return std::to_string(value);
}

template <typename Words>
std::string print_words(uint8_t flags, const Words& words) {
  std::string text;
  for (const auto& word : words) {
    if ((flags & word.flag) == 0) continue;
    text += (text.empty() ? "" : "|") + std::string(word.word);
  }
  return text.empty() ? "none" : text;
}

std::string print_ref(const RefSetup& ref, size_t threads) {
  std::string text = "setup ref flags " + print_words(ref.flags, kFlagWords);
  text += " release " + std::string(kReleaseWords[static_cast<size_t>(ref.release)]);
  text += " ending " + std::string(kEndingWords[static_cast<size_t>(ref.ending)]);
  text += " controller " + thread_name(ref.controller) + " tokens ";
  for (size_t t = 0; t < threads; ++t) text += (t ? "," : "") + number(ref.tokens[t]);
  return text + "\n";
}

std::string print_pool(const PoolSetup& pool) {
  return "setup pool low " + number(pool.low) + " high " + number(pool.high) + " size " +
         number(pool.size) + " align " + number(pool.align) + " ending " +
         std::string(kPoolEndingWords[static_cast<size_t>(pool.ending)]) + "\n";
}

std::string print_list(const ListSetup& list) {
  return "setup list form " + std::string(kFormWords[static_cast<size_t>(list.form)]) +
         " elements " + number(list.elements) + "\n";
}

std::string print_setup(const Program& program) {
  std::string text = "setup cpus " + number(program.cpus) + "\n";
  text += "setup schedules " + number(program.schedules) + "\n";
  text += "setup interval " + number(program.interval) + "\n";
  text += "setup seed " + number(program.seed) + "\n";
  if (program.fail_allocation)
    text += "setup fail_allocation " + number(program.fail_allocation) + "\n";
  if (program.plain_points) text += "setup plain_points\n";
  if (program.misuse) text += "setup misuse\n";
  if (program.slow_callbacks) text += "setup slow_callbacks\n";
  if (program.without != 0)
    text += "setup without " + print_words(program.without, kClassWords) + "\n";
  text += "setup leftovers " +
          std::string(kLeftoversWords[static_cast<size_t>(program.leftovers)]) + "\n";
  if (program.manager.scan_count != 0)
    text += "setup manager scan_count " + number(program.manager.scan_count) +
            (program.manager.thread ? " thread\n" : "\n");
  for (const RefSetup& ref : program.refs) text += print_ref(ref, program.threads.size());
  for (const PoolSetup& pool : program.pools) text += print_pool(pool);
  for (const ListSetup& list : program.lists) text += print_list(list);
  return text;
}

std::string print_program(const Program& program) {
  std::string text = print_setup(program);
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    text += "thread " + thread_name(t) + "\n";
    for (const Operation& op : program.threads[t]) text += "  " + print_operation(op) + "\n";
  }
  for (const Preemption& preemption : program.preemptions)
    text += "preempt " + number(preemption.points) + " " + number(preemption.thread) + "\n";
  return text;
}

}  // namespace

std::string thread_name(unsigned thread) {
  return "T" + number(thread + 1);
}

std::string print_operation(const Operation& op) {
  const OpInfo& info = operation_info(op.code);
  std::string text = info.name;
  if (const char* subject = subject_word(info.needs))
    text += " " + std::string(subject) + number(op.ref);
  if (info.argument == Argument::kThread) {
    text += " " + thread_name(static_cast<unsigned>(op.argument));
  } else if (const char* thing = argument_word(info.argument)) {
    text += " " + std::string(thing) + number(op.argument);
  } else if (info.argument != Argument::kNone) {
    text += " " + number(op.argument);
  }
  return text;
}

std::string print_choice(const sched::Choice& choice) {
  return choice.thread + " op " + number(choice.op) + " point " + number(choice.point) + " -> " +
         choice.to;
}

std::string print(const Artifact& artifact) {
  std::string text = "lastput " + number(kTextVersion) + "\ntarget " + artifact.target + "\n";
  if (!artifact.bug.empty()) text += "bug " + artifact.bug + "\n";
  if (!artifact.count.empty()) text += "count " + artifact.count + "\n";
  if (artifact.memory != Memory::kWeak)
    text += "memory " + std::string(kMemoryWords[static_cast<size_t>(artifact.memory)]) + "\n";
  if (!artifact.guarantee.empty()) {
    text += "fails " + artifact.guarantee;
    text += artifact.message.empty() ? "\n" : " " + artifact.message + "\n";
  }
  if (!artifact.build.empty()) text += "build " + artifact.build + "\n";
  if (artifact.steps) text += "steps " + number(artifact.steps) + "\n";
  if (artifact.hash) {
    char hash[24];
    std::snprintf(hash, sizeof hash, "0x%" PRIx64, artifact.hash);
    text += "hash " + std::string(hash) + "\n";
  }
  text += print_program(artifact.program);
  if (artifact.has_schedule) {
    text += "schedule\n";
    for (const sched::Choice& choice : artifact.schedule)
      text += "  " + print_choice(choice) + "\n";
  }
  return text + "end\n";
}

}  // namespace targets

// SPDX-License-Identifier: Apache-2.0
#include "targets/mutate.h"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <utility>

#include "targets/codec.h"
#include "targets/generate.h"

namespace targets {
namespace {

using Operations = std::vector<Operation>;

unsigned size_of(const auto& sequence) {
  return static_cast<unsigned>(sequence.size());
}

unsigned any_index(Random& random, const auto& sequence) {
  return random.below(size_of(sequence));
}

// Where something may be inserted.
unsigned any_place(Random& random, const auto& sequence) {
  return random.below(size_of(sequence) + 1);
}

Operations& any_thread(Random& random, Program& program) {
  return program.threads[any_index(random, program.threads)];
}

bool insert_at(Operations& ops, unsigned place, const Operation& op) {
  if (ops.size() >= kMaxOperations) return false;
  ops.insert(ops.begin() + place, op);
  return true;
}

bool insert_operation(Random& random, Program& program) {
  const unsigned thread = any_index(random, program.threads);
  Operations& ops = program.threads[thread];
  const Operation op = generate_operation(random, program, thread);
  return insert_at(ops, any_place(random, ops), op);
}

bool erase_operation(Random& random, Program& program) {
  Operations& ops = any_thread(random, program);
  if (ops.empty()) return false;
  ops.erase(ops.begin() + any_index(random, ops));
  return true;
}

bool replace_operation(Random& random, Program& program) {
  const unsigned thread = any_index(random, program.threads);
  Operations& ops = program.threads[thread];
  if (ops.empty()) return false;
  const Operation op = generate_operation(random, program, thread);
  return std::exchange(ops[any_index(random, ops)], op) != op;
}

bool swap_operations(Random& random, Program& program) {
  Operations& ops = any_thread(random, program);
  if (ops.size() < 2) return false;
  Operation& a = ops[any_index(random, ops)];
  Operation& b = ops[any_index(random, ops)];
  std::swap(a, b);
  return a != b;
}

bool duplicate_operation(Random& random, Program& program) {
  Operations& ops = any_thread(random, program);
  if (ops.empty()) return false;
  const Operation op = ops[any_index(random, ops)];
  return insert_at(ops, any_place(random, ops), op);
}

bool move_operation(Random& random, Program& program) {
  const unsigned threads = size_of(program.threads);
  const unsigned from = any_index(random, program.threads);
  Operations& ops = program.threads[from];
  if (ops.empty() || threads == 1) return false;
  Operations& to = program.threads[(from + 1 + random.below(threads - 1)) % threads];
  const unsigned index = any_index(random, ops);
  if (!insert_at(to, any_place(random, to), ops[index])) return false;
  ops.erase(ops.begin() + index);
  return true;
}

// The threads keep their operations; the schedules are others.
bool change_schedules(Random& random, Program& program) {
  program.seed = static_cast<uint32_t>(random.next());
  program.interval = static_cast<uint8_t>(2 + random.below(20));
  program.schedules = static_cast<uint8_t>(4 + random.below(kMaxSchedules - 3));
  return true;
}

Preemption any_preemption(Random& random) {
  return {static_cast<uint8_t>(random.below(64)), static_cast<uint8_t>(random.below(kMaxThreads))};
}

bool reroll_preemptions(Random& random, Program& program) {
  program.preemptions.resize(any_place(random, program.preemptions));
  for (unsigned n = random.below(6); n > 0 && program.preemptions.size() < kMaxPreemptions; --n)
    program.preemptions.push_back(any_preemption(random));
  program.seed = static_cast<uint32_t>(random.next());
  return true;
}

bool add_preemption(Random& random, Program& program) {
  std::vector<Preemption>& all = program.preemptions;
  if (all.size() >= kMaxPreemptions) return false;
  all.insert(all.begin() + any_place(random, all), any_preemption(random));
  return true;
}

bool move_preemption(Random& random, Program& program) {
  if (program.preemptions.empty()) return false;
  Preemption& one = program.preemptions[any_index(random, program.preemptions)];
  if (random.one_in(4))
    one.thread =
        static_cast<uint8_t>((one.thread + 1u + random.below(kMaxThreads - 1)) % kMaxThreads);
  else if (random.one_in(2))
    one.points = static_cast<uint8_t>(one.points + 1 + random.below(4));
  else
    one.points = static_cast<uint8_t>(one.points - 1 - random.below(4));
  return true;
}

bool remove_preemption(Random& random, Program& program) {
  std::vector<Preemption>& all = program.preemptions;
  if (all.empty()) return false;
  all.erase(all.begin() + any_index(random, all));
  return true;
}

// Makes an operation of another program name what this one has.
Operation fitted(const Program& program, Operation op) {
  const OpInfo& info = operation_info(op.code);
  if (const size_t subjects = subject_count(program, info.needs))
    op.ref = static_cast<uint8_t>(op.ref % subjects);
  if (info.argument == Argument::kCpu) op.argument %= program.cpus;
  if (info.argument == Argument::kThread) op.argument %= program.threads.size();
  if (info.argument == Argument::kRefNumber) op.argument %= program.refs.size();
  if (info.argument == Argument::kPoolNumber) op.argument %= program.pools.size();
  return op;
}

// Setup of another random program with as many threads, around the same operations.
bool change_setup(Random& random, Kind kind, Program& program) {
  Program other = generate_program(random, kind);
  other.threads.resize(program.threads.size());
  for (RefSetup& ref : other.refs) {
    ref.controller = static_cast<uint8_t>(ref.controller % program.threads.size());
    for (size_t t = program.threads.size(); t < kMaxThreads; ++t) ref.tokens[t] = 0;
  }
  for (size_t t = 0; t < program.threads.size(); ++t) {
    other.threads[t].clear();
    for (const Operation& op : program.threads[t]) other.threads[t].push_back(fitted(other, op));
  }
  program = std::move(other);
  return true;
}

// A whole thread, with what main hands it.
bool splice_thread(const Program& other, unsigned from, Program& program) {
  const size_t to = program.threads.size();
  if (to >= kMaxThreads) return false;
  program.threads.emplace_back();
  for (const Operation& op : other.threads[from])
    program.threads[to].push_back(fitted(program, op));
  for (size_t r = 0; r < program.refs.size(); ++r)
    if (!(program.refs[r].flags & kFlagDead))
      program.refs[r].tokens[to] = other.refs[r % other.refs.size()].tokens[from];
  return true;
}

bool splice(Random& random, Kind kind, const Program* other, Program& program) {
  if (other == nullptr) return false;
  const unsigned from = any_index(random, other->threads);
  const Operations& source = other->threads[from];
  if (source.empty()) return false;
  if (is_concurrent(kind) && random.one_in(3)) return splice_thread(*other, from, program);
  Operations& ops = any_thread(random, program);
  const unsigned begin = any_index(random, source);
  const unsigned count = 1 + random.below(size_of(source) - begin);
  unsigned place = any_place(random, ops);
  bool made = false;
  for (unsigned i = 0; i < count && insert_at(ops, place, fitted(program, source[begin + i]));
       ++i) {
    made = true;
    ++place;
  }
  return made;
}

constexpr unsigned bit(Mutation mutation) {
  return 1u << static_cast<unsigned>(mutation);
}

// By weight, of the mutations in `among`, of which one at least has a weight; else kNew.
Mutation pick(Random& random, const Mix& mix, uint32_t among) {
  unsigned total = 0;
  for (size_t i = 0; i < mix.size(); ++i) total += among >> i & 1 ? mix[i] : 0;
  unsigned left = total == 0 ? 0 : random.below(total);
  for (size_t i = 0; total != 0; ++i) {
    if (!(among >> i & 1)) continue;
    if (left < mix[i]) return static_cast<Mutation>(i);
    left -= mix[i];
  }
  return Mutation::kNew;
}

std::vector<uint8_t> encode_within(const Program& program, size_t max_size) {
  std::vector<uint8_t> bytes = encode(program);
  if (bytes.size() > max_size) bytes.clear();
  return bytes;
}

}  // namespace

Mix default_mix(Kind kind, Engine engine) {
  Mix mix{};
  for (size_t i = 0; i < mix.size(); ++i)
    mix[i] = kMutations[i].weight[static_cast<size_t>(engine)];
  if (!is_concurrent(kind)) mix[static_cast<size_t>(Mutation::kNew)] = 1;
  return mix;
}

std::string parse_mix(std::string_view text, Mix* mix) {
  for (size_t at = text.find_first_not_of(' '); at != text.npos;
       at = text.find_first_not_of(' ', at)) {
    const std::string_view word = text.substr(at, text.find(' ', at) - at);
    at += word.size();
    const size_t equals = word.find('=');
    const auto info = std::find_if(std::begin(kMutations), std::end(kMutations),
                                   [&](const auto& m) { return word.substr(0, equals) == m.word; });
    if (info == std::end(kMutations) || equals == word.npos)
      return "'" + std::string(word) + "' is no MUTATION=WEIGHT (mutations: targets/mutate.h)";
    unsigned& weight = (*mix)[static_cast<size_t>(info->mutation)];
    const auto [end, error] =
        std::from_chars(word.data() + equals + 1, word.data() + word.size(), weight);
    if (error != std::errc() || end != word.data() + word.size() || weight > 1000)
      return "'" + std::string(word) + "': a weight is a number from 0 to 1000";
  }
  if (std::all_of(mix->begin(), mix->end(), [](unsigned weight) { return weight == 0; }))
    return "no mutation is left";
  return "";
}

Mix mix_of_run(Kind kind, Engine engine) {
  Mix mix = default_mix(kind, engine);
  const char* text = std::getenv("LASTPUT_MUTATIONS");
  const std::string problem = text == nullptr ? "" : parse_mix(text, &mix);
  if (problem.empty()) return mix;
  std::fprintf(stderr, "lastput: LASTPUT_MUTATIONS: %s\n", problem.c_str());
  std::exit(1);
}

bool mutate_once(Mutation mutation, Random& random, Kind kind, const Program* other,
                 Program& program) {
  switch (mutation) {
    case Mutation::kNew:
      program = generate_program(random, kind);
      return true;
    case Mutation::kBytes:
      return false;
    case Mutation::kSetup:
      return change_setup(random, kind, program);
    case Mutation::kSchedules:
      return change_schedules(random, program);
    case Mutation::kReroll:
      return reroll_preemptions(random, program);
    case Mutation::kPreempt:
      return add_preemption(random, program);
    case Mutation::kShift:
      return move_preemption(random, program);
    case Mutation::kForget:
      return remove_preemption(random, program);
    case Mutation::kInsert:
      return insert_operation(random, program);
    case Mutation::kErase:
      return erase_operation(random, program);
    case Mutation::kReplace:
      return replace_operation(random, program);
    case Mutation::kSwap:
      return swap_operations(random, program);
    case Mutation::kDuplicate:
      return duplicate_operation(random, program);
    case Mutation::kMove:
      return move_operation(random, program);
    case Mutation::kSplice:
      return splice(random, kind, other, program);
  }
  return false;
}

uint32_t mutate_program(Random& random, Kind kind, const Mix& mix, const Program* other,
                        Program& program) {
  uint32_t edits = (1u << kMutationKinds) - 1 - bit(Mutation::kNew) - bit(Mutation::kBytes);
  if (other == nullptr) edits -= bit(Mutation::kSplice);
  uint32_t made = 0;
  for (unsigned n = 1 + random.below(4); n > 0; --n) {
    const Mutation mutation = pick(random, mix, edits);
    if (mutate_once(mutation, random, kind, other, program)) made |= bit(mutation);
  }
  if (is_concurrent(kind)) drop_illegal(program);
  return made;
}

std::vector<uint8_t> mutate_input(Random& random, Kind kind, const Mix& mix,
                                  const MutationInput& input, uint32_t* made) {
  const Mutation first = pick(random, mix, (1u << kMutationKinds) - 1);
  uint32_t changes = bit(first);
  std::vector<uint8_t> bytes;
  if (first == Mutation::kNew) {
    bytes = encode_within(generate_program(random, kind), input.max_size);
  } else if (first != Mutation::kBytes) {
    Program program = decode(input.bytes, kind).program;
    const Program other = decode(input.other, kind).program;
    changes = mutate_program(random, kind, mix, input.other.empty() ? nullptr : &other, program);
    bytes = encode_within(program, input.max_size);
  }
  if (made != nullptr) *made = changes;
  return bytes;
}

std::vector<uint8_t> splice_inputs(Random& random, Kind kind, const MutationInput& input) {
  Program program = decode(input.bytes, kind).program;
  const Program other = decode(input.other, kind).program;
  if (!splice(random, kind, &other, program)) return {};
  if (is_concurrent(kind)) drop_illegal(program);
  return encode_within(program, input.max_size);
}

}  // namespace targets

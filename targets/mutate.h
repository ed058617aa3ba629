// SPDX-License-Identifier: Apache-2.0
// Mutations that know what a program is. Bytes alone reach the interesting programs late: several
// threads must share a ref, hold references, and one of them kill or switch. One implementation, for
// libFuzzer (fuzzer_support.h) and for AFL++ (afl_mutator.cc).
#ifndef LASTPUT_TARGETS_MUTATE_H_
#define LASTPUT_TARGETS_MUTATE_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "targets/program.h"
#include "targets/random.h"

namespace targets {

// LASTPUT_MUTATION(Constant, word, weight under libFuzzer, under AFL++, what it does). Weights are parts of an input's
// chances. kNew and kBytes are an input's only change, of the others one to four are made. Under libFuzzer those
// that bench/README.md shows to pay; AFL++ changes bytes in stages of its own.
#define LASTPUT_MUTATIONS(LASTPUT_MUTATION)                                                        \
  LASTPUT_MUTATION(kNew, "new", 60, 60, "another random program")                                  \
  LASTPUT_MUTATION(kBytes, "bytes", 5, 0, "the engine's own change of the bytes")                  \
  LASTPUT_MUTATION(kSetup, "setup", 1, 1, "another setup around the same operations")              \
  LASTPUT_MUTATION(kSchedules, "schedules", 2, 2, "other schedules, more of them")                 \
  LASTPUT_MUTATION(kReroll, "reroll", 1, 1, "a prefix of the preemptions stays, the rest is new")  \
  LASTPUT_MUTATION(kPreempt, "preempt", 0, 1, "one preemption more")                               \
  LASTPUT_MUTATION(kShift, "shift", 0, 1, "a preemption comes sooner or later, or goes elsewhere") \
  LASTPUT_MUTATION(kForget, "forget", 0, 1, "one preemption less")                                 \
  LASTPUT_MUTATION(kInsert, "insert", 5, 5, "a random operation more")                             \
  LASTPUT_MUTATION(kErase, "erase", 2, 2, "an operation less")                                     \
  LASTPUT_MUTATION(kReplace, "replace", 3, 3, "a random operation in the place of another")        \
  LASTPUT_MUTATION(kSwap, "swap", 1, 1, "two operations of a thread change places")                \
  LASTPUT_MUTATION(kDuplicate, "duplicate", 0, 1, "an operation of a thread once more, elsewhere") \
  LASTPUT_MUTATION(kMove, "move", 0, 1, "an operation goes to another thread")                     \
  LASTPUT_MUTATION(kSplice, "splice", 0, 2, "operations, or a thread, of a second program come in")

enum class Engine : uint8_t { kLibFuzzer, kAfl };

enum class Mutation : uint8_t {
#define LASTPUT_MUTATION(constant, word, libfuzzer, afl, what) constant,
  LASTPUT_MUTATIONS(LASTPUT_MUTATION)
#undef LASTPUT_MUTATION
};

struct MutationInfo {
  Mutation mutation;
  const char* word;
  unsigned weight[2];  // by Engine
};
inline constexpr MutationInfo kMutations[] = {
#define LASTPUT_MUTATION(constant, word, libfuzzer, afl, what) \
  {Mutation::constant, word, {libfuzzer, afl}},
    LASTPUT_MUTATIONS(LASTPUT_MUTATION)
#undef LASTPUT_MUTATION
};
inline constexpr size_t kMutationKinds = std::size(kMutations);

// Weights, by number of the mutation.
using Mix = std::array<unsigned, kMutationKinds>;
// Sequential programs are led by coverage: few of them are new.
Mix default_mix(Kind kind, Engine engine);
// Changes the weights that `text` names: "new=0 splice=3".
// ERRORS: what is wrong with it; empty: nothing.
std::string parse_mix(std::string_view text, Mix* mix);
// Of a run: the default, changed by $LASTPUT_MUTATIONS. ERRORS: says so on stderr, and exits with 1.
Mix mix_of_run(Kind kind, Engine engine);

// Makes one change; `other`, of the same kind, is what kSplice takes from. The program may have become illegal.
// False: there was nothing to change, or (kBytes) it is not a change of programs.
bool mutate_once(Mutation mutation, Random& random, Kind kind, const Program* other,
                 Program& program);

// Changes a few things of a valid program, which stays valid. Same generator, same changes.
// Returns which changes were made: bits by number of the mutation.
uint32_t mutate_program(Random& random, Kind kind, const Mix& mix, const Program* other,
                        Program& program);

// What an engine gives and wants: bytes.
struct MutationInput {
  std::span<const uint8_t> bytes;
  std::span<const uint8_t> other;  // empty: there is none to splice
  size_t max_size = 0;
};
// The bytes of a valid program, max_size at most; none where it is the bytes' turn (kBytes), or nothing fits.
std::vector<uint8_t> mutate_input(Random& random, Kind kind, const Mix& mix,
                                  const MutationInput& input, uint32_t* made = nullptr);
// The same with kSplice as the only change.
std::vector<uint8_t> splice_inputs(Random& random, Kind kind, const MutationInput& input);

}  // namespace targets

#endif  // LASTPUT_TARGETS_MUTATE_H_

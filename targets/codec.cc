// SPDX-License-Identifier: Apache-2.0
#include "targets/codec.h"

#include <algorithm>

#include "targets/count.h"

namespace targets {
namespace {

constexpr size_t kRefBytes = 4;
constexpr size_t kFirstRef = 12;
constexpr size_t kFirstPool = 24;
constexpr size_t kPoolBytes = 2;
constexpr size_t kFirstList = 28;
constexpr uint8_t kSecondThing = 16;  // bit of the first pool's, and of the first list's, last byte
constexpr uint8_t kNoFailureBelow = 192;
constexpr unsigned kOperationNumbersOfVersion1 = 32;

struct Bytes {
  std::span<const uint8_t> span;
  uint8_t operator[](size_t i) const { return i < span.size() ? span[i] : uint8_t{0}; }
};

constexpr uint8_t kManagedBit = 128;
// Two bits hold the endings of refs that are not managed; those that are have two of their own.
constexpr Ending kEndingOfManagedExit = Ending::kPut;

RefSetup decode_ref(const Bytes& bytes, size_t at, unsigned threads, bool has_manager) {
  RefSetup ref;
  ref.flags = bytes[at] & 7;
  if (has_manager && (bytes[at] & kManagedBit)) ref.flags |= kFlagManaged;
  ref.release = static_cast<ReleaseAction>(bytes[at] >> 3 & 3);
  ref.ending = static_cast<Ending>(bytes[at] >> 5 & 3);
  ref.controller = static_cast<uint8_t>(bytes[at + 1] % threads);
  const unsigned tokens = bytes[at + 2] | unsigned{bytes[at + 3]} << 8;
  for (unsigned t = 0; t < threads; ++t)
    ref.tokens[t] = static_cast<uint8_t>(tokens >> (2 * t) & 3);
  // Combinations that no legal program has become their nearest neighbour.
  if (ref.flags & kFlagDead) ref.tokens = {};
  if (ref.managed())
    ref.ending = ref.ending == kEndingOfManagedExit ? Ending::kExit : Ending::kPutOnly;
  if (ref.ending == Ending::kPutOnly && !ref.may_put_only()) ref.ending = Ending::kKill;
  if (ref.ending == Ending::kPut && !ref.reinitable()) ref.ending = Ending::kKill;
  if (ref.release == ReleaseAction::kReinit && !ref.reinitable())
    ref.release = ReleaseAction::kMark;
  return ref;
}

PoolSetup decode_pool(const Bytes& bytes, size_t at) {
  PoolSetup pool;
  pool.low = bytes[at] & kMaxLow;
  pool.high = static_cast<uint8_t>(pool.low + (bytes[at] >> 2 & kMaxAboveLow));
  pool.size = kPoolSizes[bytes[at] >> 5 & 3];
  pool.align = kPoolAlignments[bytes[at + 1] & 3];
  pool.ending = static_cast<PoolEnding>(bytes[at + 1] >> 2 & 3);
  return pool;
}

template <size_t n>
size_t index_of(const uint8_t (&values)[n], uint8_t value) {
  return static_cast<size_t>(std::find(values, values + n, value) - values);
}

void encode_pool(const PoolSetup& pool, uint8_t* bytes) {
  bytes[0] = static_cast<uint8_t>(pool.low | static_cast<unsigned>(pool.high - pool.low) << 2 |
                                  index_of(kPoolSizes, pool.size) << 5);
  bytes[1] = static_cast<uint8_t>(index_of(kPoolAlignments, pool.align) |
                                  static_cast<size_t>(pool.ending) << 2);
}

ListSetup decode_list(uint8_t byte) {
  return {static_cast<ListForm>(byte & 3), static_cast<uint8_t>(byte >> 2 & 3)};
}

void decode_pools_and_lists(const Bytes& bytes, Kind kind, Program& program) {
  const unsigned pools = (bytes[kFirstPool + 1] & kSecondThing) ? 2 : 1;
  for (size_t p = 0; has_part(kind, kPartPools) && p < pools; ++p)
    program.pools.push_back(decode_pool(bytes, kFirstPool + p * kPoolBytes));
  const unsigned lists = (bytes[kFirstList] & kSecondThing) ? 2 : 1;
  for (size_t l = 0; has_part(kind, kPartLists) && l < lists; ++l)
    program.lists.push_back(decode_list(bytes[kFirstList + l]));
}

void encode_pools_and_lists(const Program& program, std::vector<uint8_t>& bytes) {
  for (size_t p = 0; p < program.pools.size(); ++p)
    encode_pool(program.pools[p], &bytes[kFirstPool + p * kPoolBytes]);
  if (program.pools.size() > 1) bytes[kFirstPool + 1] |= kSecondThing;
  for (size_t l = 0; l < program.lists.size(); ++l)
    bytes[kFirstList + l] = static_cast<uint8_t>(static_cast<unsigned>(program.lists[l].form) |
                                                 program.lists[l].elements * 4u);
  if (program.lists.size() > 1) bytes[kFirstList] |= kSecondThing;
}

void decode_setup(const Bytes& bytes, unsigned threads, Kind kind, Program& program) {
  const bool has_manager = has_part(kind, kPartManager);
  if (has_manager) {
    program.manager.thread = (bytes[30] & 1) != 0;
    program.manager.scan_count = static_cast<uint8_t>((bytes[30] >> 1 & 7) + 1);
  }
  program.leftovers = static_cast<Leftovers>((bytes[1] & 3) % 3);
  program.plain_points = (bytes[1] & 4) != 0;
  if (bytes[0] != 1 && is_concurrent(kind)) {
    program.misuse = (bytes[1] & 8) != 0;
    program.slow_callbacks = (bytes[1] & 16) != 0;
    program.without = bytes[31];
  }
  program.cpus = static_cast<uint8_t>(bytes[3] % kMaxCpus + 1);
  program.schedules = static_cast<uint8_t>(bytes[5] % kMaxSchedules + 1);
  program.interval = static_cast<uint8_t>(bytes[6] % (kMaxInterval + 1));
  program.fail_allocation =
      static_cast<uint8_t>(bytes[7] < kNoFailureBelow ? 0 : bytes[7] - kNoFailureBelow + 1);
  program.seed =
      bytes[8] | uint32_t{bytes[9]} << 8 | uint32_t{bytes[10]} << 16 | uint32_t{bytes[11]} << 24;
  program.threads.resize(threads);
  program.refs.clear();
  for (size_t r = 0; has_part(kind, kPartRefs) && r < bytes[2] % kMaxRefs + 1u; ++r)
    program.refs.push_back(decode_ref(bytes, kFirstRef + r * kRefBytes, threads, has_manager));
  decode_pools_and_lists(bytes, kind, program);
}

uint64_t decode_argument(const Program& program, Argument argument, uint8_t byte) {
  switch (argument) {
    case Argument::kNone:
      return 0;
    case Argument::kCount:
      return count_from_byte(byte);
    case Argument::kCpu:
      return byte % program.cpus;
    case Argument::kThread:
      return byte % program.threads.size();
    case Argument::kSmall:
      return byte & kMaxSmall;
    case Argument::kRuns:
      return byte % kMaxRuns + 1u;
    case Argument::kAllocation:
      return byte % kMaxFailAllocation + 1u;
    case Argument::kRefNumber:
      return byte % program.refs.size();
    case Argument::kPoolNumber:
      return byte % program.pools.size();
  }
  return 0;
}

uint8_t encode_argument(const Operation& op) {
  const Argument argument = operation_info(op.code).argument;
  if (argument == Argument::kCount) return count_to_byte(op.argument).value_or(0);
  if (argument == Argument::kRuns || argument == Argument::kAllocation)
    return static_cast<uint8_t>(op.argument - 1);
  return static_cast<uint8_t>(op.argument);
}

// Returns false if the record is dropped.
bool decode_record(std::span<const uint8_t> record, unsigned operations, Program& program) {
  if (record[0] >= kPreemptionRecord) {
    if (program.preemptions.size() == kMaxPreemptions) return false;
    program.preemptions.push_back({record[1], record[2]});
    return true;
  }
  const OpInfo* info = find_operation(record[0] % operations);
  auto& thread = program.threads[(record[1] & 7) % program.threads.size()];
  if (info == nullptr || thread.size() == kMaxOperations) return false;
  if ((info->needs & kJoined) && !joins_parts(program)) return false;  // takes nobody's room
  Operation op{info->code, 0, decode_argument(program, info->argument, record[2])};
  if (subject_word(info->needs) != nullptr) {
    const size_t subjects = subject_count(program, info->needs);
    if (subjects == 0) return false;
    op.ref = static_cast<uint8_t>((record[1] >> 3 & 3) % subjects);
  }
  thread.push_back(op);
  return true;
}

}  // namespace

Decoded decode(std::span<const uint8_t> span, Kind kind) {
  Decoded result;
  if (!span.empty() && !is_known_version(span[0])) {
    result.unknown_version = true;
    result.program = smallest_program(kind);
    return result;
  }
  const Bytes bytes{span};
  const unsigned threads = is_concurrent(kind) ? bytes[4] % kMaxThreads + 1 : 1;
  decode_setup(bytes, threads, kind, result.program);
  const unsigned operations = bytes[0] == 1 ? kOperationNumbersOfVersion1 : kOperationNumbers;
  for (size_t at = kSetupBytes; at + kRecordBytes <= span.size(); at += kRecordBytes)
    if (!decode_record(span.subspan(at, kRecordBytes), operations, result.program))
      ++result.dropped;
  if (is_concurrent(kind)) result.dropped += drop_illegal(result.program);
  return result;
}

std::vector<uint8_t> encode(const Program& program) {
  std::vector<uint8_t> bytes(kSetupBytes, 0);
  const auto put = [&](size_t at, size_t value) { bytes[at] = static_cast<uint8_t>(value); };
  put(0, kCodecVersion);
  put(1, static_cast<size_t>(program.leftovers) | (program.plain_points ? 4u : 0u) |
             (program.misuse ? 8u : 0u) | (program.slow_callbacks ? 16u : 0u));
  put(2, program.refs.empty() ? 0 : program.refs.size() - 1);
  put(3, program.cpus - 1u);
  put(4, program.threads.size() - 1);
  put(5, program.schedules - 1u);
  put(6, program.interval);
  put(7, program.fail_allocation == 0 ? 0u : program.fail_allocation + kNoFailureBelow - 1u);
  put(31, program.without);
  if (program.manager.scan_count != 0)
    put(30, (program.manager.thread ? 1u : 0u) | (program.manager.scan_count - 1u) << 1);
  for (unsigned i = 0; i < 4; ++i) put(8 + i, program.seed >> (8 * i));
  for (size_t r = 0; r < program.refs.size(); ++r) {
    const RefSetup& ref = program.refs[r];
    const size_t at = kFirstRef + r * kRefBytes;
    unsigned tokens = 0;
    for (unsigned t = 0; t < kMaxThreads; ++t) tokens |= unsigned{ref.tokens[t]} << (2 * t);
    const Ending ending = ref.ending == Ending::kExit ? kEndingOfManagedExit : ref.ending;
    put(at, (ref.flags & 7u) | static_cast<size_t>(ref.release) << 3 |
                static_cast<size_t>(ending) << 5 | (ref.managed() ? kManagedBit : 0u));
    put(at + 1, ref.controller);
    put(at + 2, tokens & 255);
    put(at + 3, tokens >> 8);
  }
  encode_pools_and_lists(program, bytes);
  for (size_t t = 0; t < program.threads.size(); ++t) {
    for (const Operation& op : program.threads[t]) {
      bytes.push_back(static_cast<uint8_t>(op.code));
      bytes.push_back(static_cast<uint8_t>(t | size_t{op.ref} << 3));
      bytes.push_back(encode_argument(op));
    }
  }
  for (const Preemption& preemption : program.preemptions)
    bytes.insert(bytes.end(), {kPreemptionRecord, preemption.points, preemption.thread});
  return bytes;
}

}  // namespace targets

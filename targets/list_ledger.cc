// SPDX-License-Identifier: Apache-2.0
#include "targets/list_ledger.h"

#include <atomic>
#include <cstdlib>

namespace targets {
namespace {

constexpr auto kRelaxed = std::memory_order_relaxed;
constexpr unsigned kMaxListed = kMaxThreads * kMaxOperations + kMaxLists * kMaxElements;

struct ElementLedger {
  std::atomic<uint64_t> held = 0;
  std::atomic<bool> freed = false, removed = false;
  std::array<std::atomic<uint64_t>, kActors> written = {};
  std::array<std::atomic<uint32_t>, kActors> readers = {};  // when it was removed
};
std::array<ElementLedger, kMaxListed> elements;
std::atomic<unsigned> listed = 0;
std::array<std::atomic<uint32_t>, kActors> turns = {};  // of readers
std::array<std::atomic<unsigned>, kActors> queued = {}, ran = {};

}  // namespace

void reset_list_ledger() {
  listed.store(0, kRelaxed);
  for (unsigned actor = 0; actor < kActors; ++actor) {
    turns[actor].store(0, kRelaxed);
    queued[actor].store(0, kRelaxed);
    ran[actor].store(0, kRelaxed);
  }
}

void reader_entered(unsigned actor) {
  turns[actor].fetch_add(1, kRelaxed);
}
void reader_leaves(unsigned actor) {
  turns[actor].fetch_add(1, kRelaxed);
}

ReaderMarks mark_readers() {
  ReaderMarks marks;
  for (unsigned actor = 0; actor < kActors; ++actor) marks[actor] = turns[actor].load(kRelaxed);
  return marks;
}

bool has_missed_a_reader(const ReaderMarks& marks) {
  for (unsigned actor = 0; actor < kActors; ++actor)
    if (marks[actor] % 2 != 0 && turns[actor].load(kRelaxed) == marks[actor]) return true;
  return false;
}

unsigned element_listed() {
  const unsigned element = listed.fetch_add(1, kRelaxed);
  if (element >= kMaxListed) std::abort();
  ElementLedger& entry = elements[element];
  entry.held.store(1, kRelaxed);
  entry.freed.store(false, kRelaxed);
  entry.removed.store(false, kRelaxed);
  for (auto& value : entry.written) value.store(0, kRelaxed);
  return element;
}
unsigned elements_listed() {
  return listed.load(kRelaxed);
}

void element_raised(unsigned element) {
  elements[element].held.fetch_add(1, kRelaxed);
}
void element_dropping(unsigned element) {
  elements[element].held.fetch_sub(1, kRelaxed);
}
uint64_t element_held(unsigned element) {
  return elements[element].held.load(kRelaxed);
}

void element_written(unsigned element, unsigned actor, uint64_t value) {
  elements[element].written[actor].store(value, kRelaxed);
}
uint64_t last_written(unsigned element, unsigned actor) {
  return elements[element].written[actor].load(kRelaxed);
}

void element_removed(unsigned element) {
  ElementLedger& entry = elements[element];
  const ReaderMarks marks = mark_readers();
  for (unsigned actor = 0; actor < kActors; ++actor)
    entry.readers[actor].store(marks[actor], kRelaxed);
  entry.removed.store(true, kRelaxed);
}
bool was_removed(unsigned element, ReaderMarks* readers) {
  const ElementLedger& entry = elements[element];
  for (unsigned actor = 0; actor < kActors; ++actor)
    (*readers)[actor] = entry.readers[actor].load(kRelaxed);
  return entry.removed.load(kRelaxed);
}

bool element_freed(unsigned element) {
  return !elements[element].freed.exchange(true, kRelaxed);
}
bool was_freed(unsigned element) {
  return elements[element].freed.load(kRelaxed);
}

unsigned callback_queued(unsigned actor) {
  return queued[actor].fetch_add(1, kRelaxed);
}
unsigned callback_ran(unsigned actor) {
  return ran[actor].fetch_add(1, kRelaxed);
}
bool all_callbacks_ran(unsigned actor) {
  return ran[actor].load(kRelaxed) == queued[actor].load(kRelaxed);
}

}  // namespace targets

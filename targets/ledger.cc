// SPDX-License-Identifier: Apache-2.0
#include "targets/ledger.h"

#include <bit>

namespace targets {
namespace {

// All of it relaxed: see the header.
constexpr auto kRelaxed = std::memory_order_relaxed;

template <typename T>
T get(const std::atomic<T>& count) {
  return count.load(kRelaxed);
}
uint32_t bump(std::atomic<uint32_t>& count) {
  return count.fetch_add(1, kRelaxed) + 1;
}

std::array<RefLedger, kMaxRefs> ledgers;
std::atomic<uint32_t> dropped = 0;
std::atomic<uint32_t> running_by_thread = 0;

}  // namespace

void RefLedger::reset(const RefSetup& setup) {
  begins_live_ = (setup.flags & kFlagDead) == 0;
  held_.store(0, kRelaxed);
  for (Count* count : {&kills_begun_, &plain_kills_begun_, &kills_won_, &initial_puts_,
                       &resurrects_, &reinits_, &releases_, &confirms_, &confirms_running_})
    count->store(0, kRelaxed);
  for (auto* counts : {&confirms_won_, &confirms_run_, &switches_begun_, &switch_callbacks_})
    for (Count& count : *counts) count.store(0, kRelaxed);
  for (Slots* slots : {&written_, &returned_})
    for (auto& word : *slots) word.store(0, kRelaxed);
  for (Slots& slots : remembered_)
    for (auto& word : slots) word.store(0, kRelaxed);
  for (auto& has : has_remembered_) has.store(false, kRelaxed);
}

void RefLedger::raised(uint64_t n) {
  held_.fetch_add(n, kRelaxed);
}
void RefLedger::dropping(uint64_t n) {
  held_.fetch_sub(n, kRelaxed);
}
uint64_t RefLedger::held() const {
  return get(held_);
}

void RefLedger::kill_begun(bool confirm) {
  bump(kills_begun_);
  if (!confirm) bump(plain_kills_begun_);
}
void RefLedger::kill_ended(unsigned actor, bool confirm, bool won) {
  if (!won) return;
  bump(kills_won_);
  if (confirm) bump(confirms_won_[actor]);
}
void RefLedger::initial_put_begun() {
  bump(initial_puts_);
}
void RefLedger::resurrect_begun() {
  bump(resurrects_);
}
void RefLedger::reinit_begun() {
  bump(reinits_);
}
uint32_t RefLedger::lives_begun() const {
  return (begins_live_ ? 1u : 0u) + get(reinits_);
}
bool RefLedger::live() const {
  return lives_begun() + get(resurrects_) > get(kills_won_) + get(initial_puts_);
}

void RefLedger::confirm_begun(unsigned actor) {
  bump(confirms_running_);
  bump(confirms_run_[actor]);
}
void RefLedger::confirm_ended() {
  bump(confirms_);
  confirms_running_.fetch_sub(1, kRelaxed);
}
void RefLedger::switch_begun(unsigned actor) {
  bump(switches_begun_[actor]);
}
void RefLedger::switch_callback(unsigned actor) {
  bump(switch_callbacks_[actor]);
}

RefLedger::Verdict RefLedger::release_begun() {
  const uint32_t ended = bump(releases_) + get(resurrects_);
  if (get(releases_) > lives_begun()) return {"release ran twice in one life", Verdict::kG1};
  if (get(held_) != 0) return {"release ran while references are held", Verdict::kG2};
  if (get(kills_begun_) + get(initial_puts_) < ended)
    return {"release ran while the initial reference is held", Verdict::kG2};
  if (get(confirms_running_) != 0)
    return {"release began before confirm had returned", Verdict::kG4};
  if (get(confirms_) + get(plain_kills_begun_) + get(initial_puts_) < ended)
    return {"release began before confirm was called", Verdict::kG4};
  return {};
}

RefLedger::Verdict RefLedger::at_end() const {
  const uint32_t begun = lives_begun() + get(resurrects_);
  if (get(kills_won_) + get(initial_puts_) > begun)
    return {"kill returned true more than once in one life", Verdict::kG1};
  const uint32_t due = get(kills_won_) + get(initial_puts_) - get(resurrects_);
  if (get(releases_) > due) return {"release ran more often than lives ended", Verdict::kG1};
  if (get(releases_) < due) return {"nothing holds the ref, and release never ran", Verdict::kG3};
  for (unsigned actor = 0; actor < kActors; ++actor) {
    if (get(confirms_run_[actor]) < get(confirms_won_[actor]))
      return {"the confirm of the kill that won never ran", Verdict::kG4};
    if (get(confirms_run_[actor]) > get(confirms_won_[actor]))
      return {"a confirm ran twice, or for a kill that lost", Verdict::kG4};
    if (get(switch_callbacks_[actor]) != get(switches_begun_[actor]))
      return {"a switch's callback did not run exactly once", Verdict::kG6};
  }
  return {};
}

uint32_t RefLedger::releases() const {
  return get(releases_);
}

void RefLedger::mark_written(unsigned slot) {
  written_[slot / 64].fetch_or(uint64_t{1} << (slot % 64), kRelaxed);
}
void RefLedger::mark_returned(unsigned slot) {
  // sync[returned] release: who sees the mark knows that the put has been counted.
  returned_[slot / 64].fetch_or(uint64_t{1} << (slot % 64), std::memory_order_release);
}
void RefLedger::remember_returned(unsigned actor) {
  if (has_remembered_[actor].exchange(true, kRelaxed)) return;
  // sync[returned] relaxed where acquire would be usual: the core itself must order what this thread
  // does next after the puts whose marks it sees.
  for (size_t i = 0; i < returned_.size(); ++i)
    remembered_[actor][i].store(get(returned_[i]), kRelaxed);
}

unsigned RefLedger::next_in(const Slots& slots, unsigned slot) {
  for (unsigned word = slot / 64; word < slots.size(); ++word) {
    uint64_t bits = get(slots[word]);
    if (word == slot / 64) bits &= ~uint64_t{0} << (slot % 64);
    if (bits != 0) return word * 64 + static_cast<unsigned>(std::countr_zero(bits));
  }
  return kSlots;
}
unsigned RefLedger::next_written(unsigned slot) const {
  return next_in(written_, slot);
}
unsigned RefLedger::next_remembered(unsigned actor, unsigned slot) const {
  return next_in(remembered_[actor], slot);
}

RefLedger& ledger(unsigned ref) {
  return ledgers[ref];
}
void count_dropped_operation() {
  dropped.fetch_add(1, kRelaxed);
}
uint32_t dropped_operations() {
  return get(dropped);
}
void reset_ledgers(const Program& program) {
  dropped.store(0, kRelaxed);
  running_by_thread.store(0, kRelaxed);
  for (size_t r = 0; r < program.refs.size(); ++r) ledgers[r].reset(program.refs[r]);
}

void release_by_thread_begun() {
  bump(running_by_thread);
}
void release_by_thread_ended() {
  running_by_thread.fetch_sub(1, kRelaxed);
}
uint32_t releases_by_thread() {
  return get(running_by_thread);
}

}  // namespace targets

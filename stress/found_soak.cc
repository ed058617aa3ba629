// SPDX-License-Identifier: Apache-2.0
#include "stress/found_soak.h"

#include <new>
#include <optional>

#include "core/domain.h"
#include "core/manager.h"
#include "core/pool.h"
#include "core/rcu.h"
#include "core/ref.h"
#include "stress/allocation_faults.h"
#include "stress/soak.h"
#include "targets/guarantees.h"

namespace stress {
namespace {

using namespace targets;
constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr unsigned kSlots = 16;
constexpr unsigned kHands = 6;           // references that a worker holds at most
constexpr unsigned kBatch = 32;          // operations of a step
constexpr uint64_t kMostEntries = 4096;  // that exist at a time; then nobody makes more
constexpr uint64_t kAlive = 0x6c61737470757431, kFreed = 0x6672656564667265;
constexpr unsigned kAreaWords = 4;
constexpr unsigned kScanCount = 64;

class FoundSoak;

struct Entry : percpu::Ref, Aging {
  uint64_t header = kAlive;  // plain, written before it is listed
  unsigned slot = 0;
  bool managed = false;
  bool confirms = false;
  std::atomic<bool> let_go = false, released = false, confirm_began = false, confirmed = false;
  uint64_t* area = nullptr;  // cargo: plain, as the header
  FoundSoak* soak = nullptr;
};

struct alignas(128) Hands {
  std::array<std::atomic<Entry*>, kHands> hold =
      {};  // written by the worker alone: after tryget, before put
};

class FoundSoak final : public Scenario {
 public:
  FoundSoak(const Setup& setup, const FoundMix& mix);
  ~FoundSoak() override;
  void begin_round() override {}
  void step(Worker& worker) override;
  void end_round() override;

 private:
  Entry* make_entry(Worker& worker, unsigned slot);
  bool load_cargo(Entry& entry);
  void find(Worker& worker);
  void use(Worker& worker, Entry& entry);
  void drop(Worker& worker, unsigned hand);
  void replace(Worker& worker);
  void take_off(unsigned slot, Entry* in_its_place);
  void end_in_place(Worker& worker);
  void let_go(Entry& entry);
  void change_parent(Worker& worker);
  void end_parent();
  void scan_twice();
  static void release(percpu::Ref& ref);
  static void confirm(percpu::Ref& ref);
  static void free(Aging& aging);
  static void parent_released(percpu::Ref& ref);

  const FoundMix mix_;
  const unsigned workers_;
  percpu::Domain domain_;
  percpu::Rcu rcu_;
  percpu::Manager manager_;
  std::optional<percpu::Pool> pool_;
  struct Parent : percpu::Ref {
    std::atomic<unsigned> releases = 0, lives = 1;
  } parent_;
  std::array<std::atomic<Entry*>, kSlots> slots_ = {};
  std::array<Hands, kMaxWorkers> hands_;
  std::atomic<uint64_t> made_ = 0, freed_ = 0;  // at the rate of replace, not of find
};

FoundSoak::FoundSoak(const Setup& setup, const FoundMix& mix)
    : mix_(mix),
      workers_(static_cast<unsigned>(setup.workers.size())),
      domain_(domain_options()),
      rcu_(domain_),
      manager_(domain_) {
  if (mix_.managed && manager_.start({std::chrono::milliseconds(1),
                                      static_cast<int>(kScanCount)}) != percpu::Status::kOk)
    throw std::bad_alloc();
  if (!mix_.cargo) return;
  pool_.emplace(domain_, sizeof(uint64_t) * kAreaWords, alignof(uint64_t),
                percpu::Watermarks{16, 64});
  if (parent_.init(domain_, parent_released, percpu::Flags::kAllowReinit) != percpu::Status::kOk)
    throw std::bad_alloc();
}

FoundSoak::~FoundSoak() {
  manager_.stop();
  domain_.drain();
  parent_.exit();
}

// --- Lives of entries ----------------------------------------------------------------------------------------

Entry* FoundSoak::make_entry(Worker& worker, unsigned slot) {
  if (made_.load(kRelaxed) - freed_.load(kRelaxed) > kMostEntries) return nullptr;
  Entry* const entry = new Entry;
  entry->slot = slot;
  entry->soak = this;
  entry->rcu = &rcu_;
  entry->free = free;
  entry->managed = mix_.managed && (!mix_.killed || worker.random.one_in(2));
  entry->confirms = !entry->managed && worker.random.one_in(2);
  const percpu::Flags flags = entry->managed            ? percpu::Flags::kManaged
                              : worker.random.one_in(8) ? percpu::Flags::kInitAtomic
                                                        : percpu::Flags::kNone;
  percpu::Status status;
  {
    const AllocationFaults faults(worker.random);
    status = entry->init(domain_, release, flags);
  }
  if (status != percpu::Status::kOk || !load_cargo(*entry)) {
    if (status == percpu::Status::kOk) entry->cancel_init();
    delete entry;
    return nullptr;
  }
  count(Stat::kMade);
  made_.fetch_add(1, kRelaxed);
  return entry;
}

bool FoundSoak::load_cargo(Entry& entry) {
  if (!mix_.cargo) return true;
  auto* const area = static_cast<uint64_t*>(pool_->alloc());
  if (area == nullptr) return false;
  for (unsigned cpu = 0; cpu < domain_.cpus(); ++cpu)
    for (unsigned i = 0; i < kAreaWords; ++i)
      if (percpu::per_cpu_ptr(area, cpu)[i] != 0)
        guarantee_P1_alloc_answers_a_fresh_area("an area is not all zero");
  if (!parent_.tryget_live()) {
    domain_.free_percpu(area);
    return false;
  }
  area[0] = reinterpret_cast<uintptr_t>(&entry);
  entry.area = area;
  return true;
}

void FoundSoak::confirm(percpu::Ref& ref) {
  auto& entry = static_cast<Entry&>(ref);
  count(Stat::kConfirms);
  if (entry.confirm_began.exchange(true, kRelaxed)) guarantee_G4_confirm("confirm ran twice");
  disturb_callback();
  // release: who sees it comes after the start of confirm (G4).
  entry.confirmed.store(true, std::memory_order_release);
}

void FoundSoak::release(percpu::Ref& ref) {
  auto& entry = static_cast<Entry&>(ref);
  FoundSoak& soak = *entry.soak;
  count(Stat::kReleases);
  if (entry.released.exchange(true, kRelaxed))
    guarantee_G1_release_exactly_once("release of an entry ran twice");
  if (entry.confirms && !entry.confirmed.load(kRelaxed))
    guarantee_G4_confirm("release began before confirm had returned");
  // What a worker holds, it has written down before its put.
  for (unsigned w = 0; w < soak.workers_; ++w)
    for (const auto& hold : soak.hands_[w].hold)
      if (hold.load(kRelaxed) == &entry)
        guarantee_G2_no_release_while_held(
            Sentence("release of an entry ran while worker %u holds it", w).text);
  disturb_callback();
  // Off the list, where nobody has taken it off. acquire and release: what is listed is looked at by whoever finds it.
  Entry* listed = &entry;
  soak.slots_[entry.slot].compare_exchange_strong(listed, nullptr, std::memory_order_acq_rel,
                                                  kRelaxed);
  entry.become(kReleased);
  retire(entry);
}

void FoundSoak::free(Aging& aging) {
  auto& entry = static_cast<Entry&>(aging);
  FoundSoak& soak = *entry.soak;
  entry.header = kFreed;
  entry.exit();
  if (entry.area != nullptr) {
    if (entry.area[0] != reinterpret_cast<uintptr_t>(&entry))
      guarantee_P1_alloc_answers_a_fresh_area("an area was given to two");
    soak.domain_.free_percpu(entry.area);
    soak.parent_.put();
  }
  delete &entry;
  soak.freed_.fetch_add(1, kRelaxed);
}

// By whoever comes first.
void FoundSoak::let_go(Entry& entry) {
  if (entry.let_go.exchange(true, kRelaxed)) return;
  count(Stat::kKills);
  if (entry.managed) {
    entry.put();  // the initial reference: the manager finds out
  } else if (!(entry.confirms ? entry.kill_and_confirm(confirm) : entry.kill())) {
    guarantee_G1_release_exactly_once("the only kill of a life answered false");
  }
}

// --- What workers do -----------------------------------------------------------------------------------------

void FoundSoak::find(Worker& worker) {
  const unsigned slot = worker.random.below(kSlots);
  std::atomic<Entry*>* free_hand = nullptr;
  for (auto& hold : hands_[worker.number].hold)
    if (hold.load(kRelaxed) == nullptr) free_hand = &hold;
  if (free_hand == nullptr) return;
  worker.begin(OpCode::kFindTrygetLive, slot);
  const percpu::RcuReader inside(rcu_);
  // acquire: the other side of listing it.
  Entry* const entry = slots_[slot].load(std::memory_order_acquire);
  if (entry == nullptr) {
    worker.answered(false);
    return;
  }
  const bool confirmed = entry->confirmed.load(std::memory_order_acquire);
  if (worker.answered(entry->tryget_live())) {
    free_hand->store(entry, kRelaxed);
    if (confirmed) guarantee_G4_confirm("tryget_live of an entry succeeded after confirm");
    check_holders_age(worker, entry->now(), "an entry");
  }
  if (worker.random.one_in(16)) disturb(worker.random);
  if (entry->header != kAlive)
    guarantee_U1_grace_periods_wait_for_readers("an entry was freed under a reader");
  check_readers_age(worker, entry->now(), kReleased, "an entry");
}

void FoundSoak::use(Worker& worker, Entry& entry) {
  worker.begin(OpCode::kGet, entry.slot);
  entry.get();
  check_holders_age(worker, entry.now(), "an entry");
  if (entry.header != kAlive)
    guarantee_G2_no_release_while_held("an entry was freed while a reference is held");
  if (entry.area != nullptr && entry.area[0] != reinterpret_cast<uintptr_t>(&entry))
    guarantee_P1_alloc_answers_a_fresh_area("an area was given to two");
  worker.begin(OpCode::kPut, entry.slot);
  entry.put();
}

void FoundSoak::drop(Worker& worker, unsigned hand) {
  auto& hold = hands_[worker.number].hold[hand];
  Entry* const entry = hold.load(kRelaxed);
  if (entry == nullptr) return;
  worker.begin(OpCode::kPut, entry->slot);
  hold.store(nullptr, kRelaxed);
  entry->put();
}

// Lists a new one, and ends what was listed.
void FoundSoak::replace(Worker& worker) {
  const unsigned slot = worker.random.below(kSlots);
  worker.begin(OpCode::kListInsert, slot);
  if (Entry* const made = make_entry(worker, slot); made != nullptr) take_off(slot, made);
}

// As a reader: somebody may have ended it in its place, so that its release is at it, too.
void FoundSoak::take_off(unsigned slot, Entry* in_its_place) {
  const percpu::RcuReader inside(rcu_);
  // acq_rel: the entry is whole for who finds it, and that of another is for this thread.
  Entry* const old = slots_[slot].exchange(in_its_place, std::memory_order_acq_rel);
  if (old == nullptr) return;
  unsigned expected = kListed;
  old->age.compare_exchange_strong(expected, kUnlisted, kRelaxed);
  let_go(*old);
}

// Its release takes it off the list.
void FoundSoak::end_in_place(Worker& worker) {
  const unsigned slot = worker.random.below(kSlots);
  worker.begin(OpCode::kKill, slot);
  const percpu::RcuReader inside(rcu_);
  // acquire: the other side of listing it.
  if (Entry* const entry = slots_[slot].load(std::memory_order_acquire); entry != nullptr)
    let_go(*entry);
}

// By one worker, which nobody else does: what the entries hold a reference of goes to atomic mode and back.
void FoundSoak::change_parent(Worker& worker) {
  if (!mix_.cargo || worker.number != 0) return;
  worker.begin(OpCode::kSwitchToAtomic, kSlots);
  count(Stat::kSwitches);
  if (!parent_.switch_to_atomic() || !parent_.switch_to_percpu())
    guarantee_G10_misuse("a switch was refused");
}

void FoundSoak::step(Worker& worker) {
  Hands& hands = hands_[worker.number];
  for (unsigned i = 0; i < kBatch; ++i) {
    const unsigned dice = worker.random.below(64), hand = worker.random.below(kHands);
    if (dice < 20) {
      find(worker);
    } else if (dice < 46) {
      if (Entry* entry = hands.hold[hand].load(kRelaxed); entry != nullptr) use(worker, *entry);
    } else if (dice < 62) {
      drop(worker, hand);
    } else if (dice < 63) {
      worker.random.one_in(4) ? end_in_place(worker) : replace(worker);
    } else if (worker.random.one_in(8)) {
      change_parent(worker);
    }
  }
}

// --- What main checks ----------------------------------------------------------------------------------------

void FoundSoak::parent_released(percpu::Ref& ref) {
  auto& parent = static_cast<Parent&>(ref);
  if (parent.releases.fetch_add(1, kRelaxed) + 1 > parent.lives.load(kRelaxed))
    guarantee_G1_release_exactly_once("release of the parent ran twice in one life");
}

// All entries have been freed, and with them their references.
void FoundSoak::end_parent() {
  if (!mix_.cargo) return;
  if (!parent_.kill()) guarantee_G1_release_exactly_once("the only kill of a life answered false");
  domain_.drain();
  if (parent_.releases.load(kRelaxed) != parent_.lives.load(kRelaxed))
    guarantee_G3_release_once_nothing_holds(
        Sentence("nothing holds the parent, and release never ran (%s)", parent_.state()).text);
  parent_.lives.fetch_add(1, kRelaxed);
  if (!parent_.reinit()) guarantee_G10_misuse("reinit was refused");
}

// Two full passes of the manager, whatever its thread does (M2).
void FoundSoak::scan_twice() {
  if (!mix_.managed) return;
  const uint64_t listed = made_.load(kRelaxed) - freed_.load(kRelaxed);
  for (uint64_t runs = 2 * (listed / kScanCount + 1); runs > 0; --runs) {
    count(Stat::kScans);
    manager_.scan_once(static_cast<int>(kScanCount));
  }
}

void FoundSoak::end_round() {
  for (unsigned slot = 0; slot < kSlots; ++slot) take_off(slot, nullptr);
  for (unsigned w = 0; w < workers_; ++w)
    for (auto& hold : hands_[w].hold)
      if (Entry* const entry = hold.exchange(nullptr, kRelaxed); entry != nullptr) entry->put();
  domain_.drain();
  scan_twice();
  for (unsigned stage = 0; stage <= kLastAge; ++stage) domain_.drain();
  const uint64_t left = made_.load(kRelaxed) - freed_.load(kRelaxed);
  if (left != 0) {
    const Sentence sentence("nothing holds %llu entries, and release never ran",
                            static_cast<unsigned long long>(left));
    if (mix_.managed) guarantee_M2_release_in_two_passes(sentence.text);
    guarantee_G3_release_once_nothing_holds(sentence.text);
  }
  end_parent();
}

}  // namespace

std::unique_ptr<Scenario> make_found_soak(const Setup& setup, const FoundMix& mix) {
  return std::make_unique<FoundSoak>(setup, mix);
}

}  // namespace stress

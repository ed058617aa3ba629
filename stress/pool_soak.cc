// SPDX-License-Identifier: Apache-2.0
#include "stress/pool_soak.h"

#include <new>
#include <optional>

#include "core/domain.h"
#include "core/pool.h"
#include "stress/allocation_faults.h"
#include "stress/soak.h"
#include "targets/guarantees.h"

namespace stress {
namespace {

using namespace targets;
constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr unsigned kHands = 16;      // areas that a worker holds at most
constexpr unsigned kMailboxes = 16;  // areas between two workers
constexpr unsigned kBatch = 32;      // operations of a step
constexpr size_t kLow = 32, kHigh = 256, kMostFilled = 384;

struct Area {
  uint64_t owner;
  uint64_t words[3];
};

struct alignas(128) Hands {
  std::array<Area*, kHands> hold = {};
  std::array<uint64_t, kHands> marks = {};  // what each holds on every CPU
  // The signal handler's: filled by it, emptied by the worker.
  std::atomic<Area*> from_handler = nullptr;
  uint64_t next_mark = 0;
};
struct Letter {
  Area* area = nullptr;
  uint64_t mark = 0;
};

class PoolSoak final : public Scenario {
 public:
  explicit PoolSoak(const Setup& setup);
  void begin_round() override {}
  void step(Worker& worker) override;
  void interrupted(Worker& worker) noexcept override;
  void end_round() override;

 private:
  void alloc(Worker& worker, unsigned hand);
  void keep(Worker& worker, unsigned hand, Area* area);
  void check(const Hands& hands, unsigned hand) const;
  void free(Worker& worker, unsigned hand);
  void swap_with_mailbox(Worker& worker, unsigned hand);
  void fill(Worker& worker);
  void take_from_handler(Worker& worker, unsigned hand);

  const unsigned workers_;
  percpu::Domain domain_;
  percpu::TypedPool<Area> pool_;
  std::array<Hands, kMaxWorkers> hands_;
  std::array<std::atomic<Letter*>, kMailboxes> mailboxes_;
  std::vector<Letter> letters_;
};

PoolSoak::PoolSoak(const Setup& setup)
    : workers_(static_cast<unsigned>(setup.workers.size())),
      domain_(domain_options()),
      pool_(domain_, {kLow, kHigh}),
      letters_(kMailboxes) {
  // Letters go round between mailboxes and workers: each worker swaps the one that it finds.
  for (unsigned i = 0; i < kMailboxes; ++i) mailboxes_[i].store(&letters_[i], kRelaxed);
  for (unsigned w = 0; w < workers_; ++w) hands_[w].next_mark = uint64_t{w + 1} << 48;
}

void PoolSoak::keep(Worker& worker, unsigned hand, Area* area) {
  Hands& hands = hands_[worker.number];
  const uint64_t mark = ++hands.next_mark;
  for (unsigned cpu = 0; cpu < domain_.cpus(); ++cpu) {
    Area* const part = percpu::per_cpu_ptr(area, cpu);
    if (part->owner != 0 || part->words[0] != 0 || part->words[2] != 0)
      guarantee_P1_alloc_answers_a_fresh_area(
          Sentence("an area is not all zero on CPU %u", cpu).text);
    part->owner = part->words[2] = mark;
  }
  hands.hold[hand] = area;
  hands.marks[hand] = mark;
}

void PoolSoak::alloc(Worker& worker, unsigned hand) {
  worker.begin(OpCode::kAreaAlloc, hand);
  Area* const area = pool_.alloc();
  if (!worker.answered(area != nullptr)) return;
  count(Stat::kMade);
  keep(worker, hand, area);
}

void PoolSoak::check(const Hands& hands, unsigned hand) const {
  for (unsigned cpu = 0; cpu < domain_.cpus(); ++cpu) {
    const Area* const part = percpu::per_cpu_ptr(hands.hold[hand], cpu);
    if (part->owner != hands.marks[hand] || part->words[2] != hands.marks[hand])
      guarantee_P1_alloc_answers_a_fresh_area(
          Sentence("an area was written by another, on CPU %u, while it was held", cpu).text);
  }
}

void PoolSoak::free(Worker& worker, unsigned hand) {
  Hands& hands = hands_[worker.number];
  worker.begin(OpCode::kAreaFree, hand);
  check(hands, hand);
  domain_.free_percpu(hands.hold[hand]);
  hands.hold[hand] = nullptr;
  count(Stat::kFreed);
}

// Puts the area, or nothing, into a letter, and takes what was there.
void PoolSoak::swap_with_mailbox(Worker& worker, unsigned hand) {
  Hands& hands = hands_[worker.number];
  auto& mailbox = mailboxes_[worker.random.below(kMailboxes)];
  // acquire, release: the letter and its area come and go whole.
  Letter* const letter = mailbox.exchange(nullptr, std::memory_order_acquire);
  if (letter == nullptr) return;
  worker.begin(OpCode::kAreaGive, hand);
  std::swap(letter->area, hands.hold[hand]);
  std::swap(letter->mark, hands.marks[hand]);
  mailbox.store(letter, std::memory_order_release);
}

void PoolSoak::fill(Worker& worker) {
  if (worker.random.one_in(8)) {
    worker.begin(OpCode::kPoolEmpty, 0);
    if (!pool_.empty()) guarantee_G10_misuse("empty was refused");
    return;
  }
  const unsigned target = worker.random.below(kMostFilled);
  worker.begin(OpCode::kPoolFill, 0, target);
  const AllocationFaults faults(worker.random);
  if (pool_.fill(target) == percpu::Status::kInvalidArgument)
    guarantee_G10_misuse("fill was refused");
}

void PoolSoak::take_from_handler(Worker& worker, unsigned hand) {
  // relaxed: the handler runs on this thread.
  Area* const area = hands_[worker.number].from_handler.exchange(nullptr, kRelaxed);
  if (area != nullptr) keep(worker, hand, area);
}

// In the middle of any call: P2.
void PoolSoak::interrupted(Worker& worker) noexcept {
  std::atomic<Area*>& own = hands_[worker.number].from_handler;
  if (own.load(kRelaxed) != nullptr) return;
  count(Stat::kHandled);
  Area* const area = pool_.alloc();
  if (area != nullptr) count(Stat::kMade);
  own.store(area, kRelaxed);
}

void PoolSoak::step(Worker& worker) {
  Hands& hands = hands_[worker.number];
  for (unsigned i = 0; i < kBatch; ++i) {
    const unsigned dice = worker.random.below(256), hand = worker.random.below(kHands);
    if (hands.hold[hand] == nullptr) {
      if (dice < 8) take_from_handler(worker, hand);
      if (dice >= 8 && dice < 160) alloc(worker, hand);
    } else if (dice < 96) {
      free(worker, hand);
    } else if (dice < 224) {
      worker.begin(OpCode::kAreaCheck, hand);
      check(hands, hand);
    } else if (dice < 240) {
      swap_with_mailbox(worker, hand);
    } else if (dice == 255 && worker.random.one_in(16)) {
      fill(worker);
    }
  }
}

void PoolSoak::end_round() {
  const auto give_back = [this](Area* area) {
    if (area == nullptr) return;
    domain_.free_percpu(area);
    count(Stat::kFreed);
  };
  for (unsigned w = 0; w < workers_; ++w) {
    Hands& hands = hands_[w];
    for (unsigned hand = 0; hand < kHands; ++hand) {
      if (hands.hold[hand] != nullptr) check(hands, hand);
      give_back(hands.hold[hand]);
      hands.hold[hand] = nullptr;
    }
    give_back(hands.from_handler.exchange(nullptr, kRelaxed));
  }
  for (Letter& letter : letters_) {
    give_back(letter.area);
    letter = {};
  }
  domain_.drain();
  if (pool_.cached() > kMostFilled)
    guarantee_P4_fill_meets_its_target(
        Sentence("%zu areas are in stock; %zu were asked for", pool_.cached(), kMostFilled).text);
  if (!pool_.empty()) guarantee_G10_misuse("empty was refused");
  domain_.drain();
  if (pool_.cached() != 0)
    guarantee_P6_empty_is_the_last_word(
        Sentence("%zu areas are in a pool that was emptied", pool_.cached()).text);
  // Nobody asked for any since: an alloc that finds none starts a refill.
  if (Area* const area = pool_.alloc(); area != nullptr) {
    count(Stat::kMade);
    give_back(area);
  }
}

}  // namespace

std::unique_ptr<Scenario> make_pool_soak(const Setup& setup) {
  return std::make_unique<PoolSoak>(setup);
}

}  // namespace stress

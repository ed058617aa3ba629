// SPDX-License-Identifier: Apache-2.0
#include "pool.h"

#include <bit>
#include <new>
#include <stdexcept>

#include "callback_scope.h"
#include "domain_state.h"
#include "refill_worker.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {
namespace {

DomainState& checked(DomainState& domain, size_t size, size_t alignment, Watermarks watermarks) {
  if (!PercpuMemory::possible(size, alignment)) {
    throw std::invalid_argument("percpu: no area has this size and alignment");
  }
  if (watermarks.low > watermarks.high || watermarks.high > Pool::kMaxAreas) {
    throw std::invalid_argument("percpu: watermarks must be low <= high <= kMaxAreas");
  }
  return domain;
}

}  // namespace

Pool::Pool(Domain& domain, size_t size, size_t alignment, Watermarks watermarks)
    : domain_(checked(*domain.state_, size, alignment, watermarks)),
      worker_(domain_.refills()),
      size_(size),
      alignment_(alignment),
      low_(watermarks.low),
      high_(watermarks.high) {
  worker_.add(this);
}

Pool::~Pool() {
  // Nothing that is waited for here waits for callbacks, so a callback's end is not put at risk; a
  // pool that stayed behind would be.
  refuse_in_callback("~Pool");
  worker_.hold(this);
  free_stock();
  worker_.remove(this);
  for (Slot* chunk : slot_chunks_) delete[] chunk;
}

bool Pool::refuse_in_callback(const char* call) noexcept {
  if (!CallbackScope::active()) return false;
  domain_.report(MisuseKind::kWaitInCallback, nullptr, call, "in a callback", this);
  return true;
}

void* Pool::alloc() noexcept {
  // relaxed: the exchange settles it; a pool that somebody fills at the same time may be found
  // empty.
  uint64_t seen = stock_.load(std::memory_order_relaxed);
  uint64_t left;
  do {
    left = number(seen) <= 1 ? 0 : seen - 1;  // empty: refills are on again
    if (seen == 0) break;
    // sync[stock] acquire: as many areas as the number says are seen in their slots; otherwise the
    // search below runs in circles. What follows says "low" only after it (sync[refill]).
  } while (!stock_.compare_exchange_weak(seen, left, std::memory_order_acquire,
                                         std::memory_order_relaxed));
  void* const area = number(seen) == 0 ? nullptr : take_from_slot(number(seen) - 1);
  if (runs_low(left)) ask_for_refill();
  return area;
}

bool Pool::runs_low(uint64_t stock) const noexcept {
  if (high_ == 0) return false;
  return number(stock) == 0 || ((stock & kInhibited) == 0 && number(stock) < low_);
}

void Pool::ask_for_refill() noexcept {
  // sync[refill] release: the worker that finds this set finds the stock as low as the caller left
  // it; otherwise it may think the pool full, and nobody asks again (P3). Who finds it set leaves
  // the kick to whoever has set it.
  const uint32_t before = refills_.state.fetch_or(RefillRecord::kWanted, std::memory_order_release);
  if ((before & RefillRecord::kWanted) == 0) worker_.kick();
}

void Pool::refill() noexcept {
  // relaxed: whoever holds the pool waits for the end of this; a late look costs it one area's time.
  while (refills_.state.load(std::memory_order_relaxed) < RefillRecord::kHolder &&
         add(high_, Filler::kRefill) == Added::kYes) {
  }
}

Status Pool::fill(size_t target) noexcept {
  if (refuse_in_callback("fill") || target > kMaxAreas) return Status::kInvalidArgument;
  const bool inhibits = target != 0 && target < low_;
  set_inhibited(inhibits);
  const Filler filler = inhibits ? Filler::kInhibitingFill : Filler::kFill;
  Added added;
  do {
    added = add(target == 0 ? high_ : target, filler);
  } while (added == Added::kYes);
  return added == Added::kEnough ? Status::kOk : Status::kOutOfMemory;
}

void Pool::set_inhibited(bool inhibited) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // relaxed (both): the flag says nothing about any area; refills look at it under the lock.
  if (inhibited) {
    stock_.fetch_or(kInhibited, std::memory_order_relaxed);
  } else {
    stock_.fetch_and(~kInhibited, std::memory_order_relaxed);
  }
}

// One area more, unless `target` are there. The number grows under the lock only, so the look at it
// cannot come out too low, and no two callers fill the same gap (P4).
Pool::Added Pool::add(size_t target, Filler filler) noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // relaxed: raised under the lock; that somebody lowers it meanwhile is made up for by whoever does.
  uint64_t stock = stock_.load(std::memory_order_relaxed);
  if (filler == Filler::kRefill && (stock & kInhibited) != 0) return Added::kEnough;
  if (number(stock) >= target) return Added::kEnough;
  Slot* const slot = free_slot(number(stock));
  if (slot == nullptr) return Added::kOutOfMemory;
  void* const area = domain_.memory.allocate(size_, alignment_);
  if (area == nullptr) return Added::kOutOfMemory;
  // sync[slot] release: the area is seen zeroed by whoever takes it (P1).
  slot->store(area, std::memory_order_release);
  // With each area: an alloc that found the pool empty since the last one has switched refills on.
  const uint64_t inhibited = filler == Filler::kInhibitingFill ? kInhibited : 0;
  // sync[stock] release: the area is in its slot before it is counted.
  while (!stock_.compare_exchange_weak(stock, (stock + 1) | inhibited, std::memory_order_release,
                                       std::memory_order_relaxed)) {
  }
  return Added::kYes;
}

bool Pool::empty() noexcept {
  if (refuse_in_callback("empty")) return false;
  worker_.hold(this);
  free_stock();
  worker_.let_go(this);
  return true;
}

void Pool::free_stock() noexcept {
  std::lock_guard<std::mutex> lock(mutex_);
  // relaxed: areas come into their slots, and the number grows, under the lock that this has.
  size_t left = number(stock_.exchange(0, std::memory_order_relaxed));
  for (; left != 0; --left) domain_.memory.free(take_from_slot(left - 1));
}

size_t Pool::cached() const noexcept {
  // relaxed: a number to look at.
  return number(stock_.load(std::memory_order_relaxed));
}

// Whoever has lowered the stock by one finds one area, and never has to wait for a particular
// thread: where a whole round finds nothing, others have taken what it missed. REQUIRES: first <
// capacity.
void* Pool::take_from_slot(size_t first) noexcept {
  while (true) {
    // sync[slot] acquire: the chunks of these slots are seen.
    const size_t capacity = capacity_.load(std::memory_order_acquire);
    for (size_t i = 0; i < capacity; ++i) {
      Slot& slot = slot_at(first + i < capacity ? first + i : first + i - capacity);
      // relaxed: the exchange settles it.
      if (slot.load(std::memory_order_relaxed) == nullptr) continue;
      // sync[slot] acquire: the area is seen zeroed (P1).
      void* const area = slot.exchange(nullptr, std::memory_order_acquire);
      if (area != nullptr) return area;
    }
  }
}

Pool::Slot& Pool::slot_at(size_t index) noexcept {
  const size_t chunk = static_cast<size_t>(std::bit_width(index / kFirstSlots + 1)) - 1;
  return slot_chunks_[chunk][index - ((kFirstSlots << chunk) - kFirstSlots)];
}

// Null: out of memory. REQUIRES: the lock.
Pool::Slot* Pool::free_slot(size_t first) noexcept {
  // relaxed: grows under the lock.
  const size_t capacity = capacity_.load(std::memory_order_relaxed);
  for (size_t i = 0; first < capacity && i < capacity; ++i) {
    Slot& slot = slot_at(first + i < capacity ? first + i : first + i - capacity);
    // relaxed: only who has the lock fills a slot, so one that is found free stays so.
    if (slot.load(std::memory_order_relaxed) == nullptr) return &slot;
  }
  return add_slots(capacity) ? &slot_at(capacity) : nullptr;
}

bool Pool::add_slots(size_t capacity) noexcept {
  const size_t chunk = static_cast<size_t>(std::bit_width(capacity / kFirstSlots + 1)) - 1;
  const size_t count = kFirstSlots << chunk;
  if (chunk == kSlotChunks) return false;
  slot_chunks_[chunk] = new (std::nothrow) Slot[count]();
  if (slot_chunks_[chunk] == nullptr) return false;
  // sync[slot] release: the chunk is seen by whoever looks at its slots.
  capacity_.store(capacity + count, std::memory_order_release);
  return true;
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

// SPDX-License-Identifier: Apache-2.0
// Pool: percpu areas of one size for those who may neither wait nor allocate.
//
// A pool keeps areas in stock. alloc takes one, from any context; when the stock runs low, a worker
// of the domain refills it. What alloc hands out is an ordinary area: it is freed by
// Domain::free_percpu, and does not come back to the pool.
//
//   call      anywhere else   in a callback      in a signal handler   after the domain's end, leaked
//   --------  --------------  -----------------  --------------------  ------------------------------
//   alloc     ok              ok                 ok                    ok: nothing is refilled
//   cached    ok              ok                 ok                    ok
//   fill      ok              misuse (1)         not allowed           ok
//   empty     ok              misuse (1)         not allowed           ok
//   Pool      ok              ok                 not allowed           -
//   ~Pool     ok              misuse (2)         not allowed           ok
//   (1) reported (misuse.h) and refused   (2) reported, and done all the same
//
// Guarantees
//   P1   alloc answers an area that is all zero on every CPU and that nobody else has, or nullptr.
//   P2   alloc never waits, takes no lock, does not enter the allocator, and keeps errno; who is
//        interrupted by a signal handler holds up no alloc there.
//   P3   an alloc that leaves fewer than low, or none, starts a refill to high, unless high is 0
//        (P5 says when else). One that fails is tried again by the next such alloc, not before.
//   P4   fill adds areas until `target` are in stock; it and other fills and refills at the same
//        time never leave more than the largest of their targets.
//   P5   a fill with a target that is not 0 and below low switches refills off until an alloc leaves
//        or finds the pool empty; any other fill switches them on. A refill under way looks before
//        each area, and no refill changes this.
//   P6   empty frees every area that is in stock; when it has returned nothing refills or uses the
//        pool until somebody calls it again. Requests of allocs that have returned are forgotten.
//   P7   out of memory, the pool stays as full as it got, and nothing is lost.
//   P8   areas handed out stay valid without the pool, until they or their domain end.
//   P9   a refill holds up no callback. Domain::drain waits for the refills asked for before it, and
//        so does the domain's end.
//   P10  a domain that ends before its pool reports that, and frees nothing of it.
//
// Who may call what, when: anything from any thread, between constructor and destructor. The
// destructor comes when no other call is under way, and before the domain's end. So a pool may have
// static storage if its domain outlives it: one that is defined earlier in the same file does.
// Where the portable platform's standard library builds atomic waits on locks, alloc is not for
// signal handlers; those on Linux do not.
//
// How it works. The stock is a number, changed by compare and exchange; and beside it slots, which
// hold the areas. alloc lowers the number, which entitles it to one area, and then looks for a slot
// that has one, beginning where the number says; it finds one, since an area is in its slot before
// the number says so. fill raises the number under the pool's lock, which alloc never takes. Nothing
// links the areas to each other, so alloc never looks into one that somebody else has already; and
// slots are freed by the destructor alone, so there is nothing to reclaim.
#ifndef PERCPU_CORE_POOL_H_
#define PERCPU_CORE_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <type_traits>

#include "domain.h"
#include "percpu_platform.h"
#include "refill_record.h"
#include "status.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

class DomainState;
class RefillWorker;

// Numbers of areas in stock.
struct Watermarks {
  size_t low = 0;   // with fewer a refill begins
  size_t high = 0;  // up to which refills go; 0: there are none
};

class Pool {
 public:
  static constexpr size_t kMaxAreas = size_t{1} << 30;

  // An empty pool. The first of a domain starts the domain's refill worker. ERRORS:
  // std::invalid_argument (low > high, high > kMaxAreas, or alloc_percpu could give no such area),
  // std::bad_alloc, std::system_error (no thread).
  Pool(Domain& domain, size_t size, size_t alignment, Watermarks watermarks);
  // Empties the pool. MAY BLOCK: as empty.
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // An area, or nullptr: there is none just now. ORDERING: what its last user did before
  // free_percpu happens before the return.
  void* alloc() noexcept;

  // Adds areas until `target` are in stock; 0: high. ERRORS: kOutOfMemory (P7); kInvalidArgument
  // (target > kMaxAreas, so any negative number; or a callback calls, which is reported, too).
  // MAY BLOCK: for other fills, in the allocator.
  Status fill(size_t target = 0) noexcept;

  // Frees what is in stock. False: refused and reported. MAY BLOCK: for a refill under way, at most
  // until it has its next area; for other fills.
  bool empty() noexcept;

  // How many areas were in stock at some moment of the call. ORDERING: none.
  size_t cached() const noexcept;

  // --- End of the public part
  // ---------------------------------------------------------------------

 private:
  friend class DomainState;
  friend class RefillWorker;
  using Slot = std::atomic<void*>;

  enum class Filler { kFill, kInhibitingFill, kRefill };
  enum class Added { kYes, kEnough, kOutOfMemory };

  // The stock word: the number in its low half, and whether refills are switched off (P5).
  static constexpr uint64_t kNumber = 0xffffffff;
  static constexpr uint64_t kInhibited = uint64_t{1} << 32;
  static_assert(kMaxAreas <= kNumber);
  static constexpr size_t number(uint64_t stock) noexcept { return stock & kNumber; }

  // Slot chunk k has kFirstSlots << k of them.
  static constexpr size_t kFirstSlots = 64;
  static constexpr size_t kSlotChunks = 25;
  static_assert((kFirstSlots << kSlotChunks) - kFirstSlots > kMaxAreas);

  bool refuse_in_callback(const char* call) noexcept;
  bool runs_low(uint64_t stock) const noexcept;
  void ask_for_refill() noexcept;
  void refill() noexcept;  // for the worker
  void set_inhibited(bool inhibited) noexcept;
  Added add(size_t target, Filler filler) noexcept;
  void free_stock() noexcept;

  void* take_from_slot(size_t first) noexcept;
  Slot& slot_at(size_t index) noexcept;
  Slot* free_slot(size_t first) noexcept;
  bool add_slots(size_t capacity) noexcept;

  DomainState& domain_;
  RefillWorker& worker_;
  const size_t size_;
  const size_t alignment_;
  const size_t low_;
  const size_t high_;

  std::atomic<uint64_t> stock_ = 0;      // raised under mutex_, lowered by anybody
  std::atomic<size_t> capacity_ = 0;     // slots; grows under mutex_
  Slot* slot_chunks_[kSlotChunks] = {};  // those below capacity_ never change
  RefillRecord refills_;
  std::mutex mutex_;  // who fills a slot; taken before the domain's lock
};

// A pool of one T for each CPU. All zero has to be a good T, and nobody destroys it.
template <typename T>
class TypedPool : public Pool {
 public:
  static_assert(std::is_trivially_destructible_v<T>);
  static_assert(sizeof(T) <= Domain::kMaxAreaSize && alignof(T) <= Domain::kMaxAreaAlignment);

  TypedPool(Domain& domain, Watermarks watermarks)
      : Pool(domain, sizeof(T), alignof(T), watermarks) {}
  // The T of CPU 0; per_cpu_ptr finds the others.
  T* alloc() noexcept { return static_cast<T*>(Pool::alloc()); }
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_POOL_H_

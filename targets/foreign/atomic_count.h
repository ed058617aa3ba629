// SPDX-License-Identifier: Apache-2.0
// An example of a count from elsewhere: a plain atomic one whose end is put off to a reclaimer thread. It counts in
// a block of its own, as the control block of a weak pointer, which tryget may look at without a reference.
//
//   last put    queues the count; the reclaimer takes the block away, waits until no tryget is under way that
//               may have seen it, calls release, and frees it
//   tryget      true unless there is no block, or its count is 0
#ifndef LASTPUT_TARGETS_FOREIGN_ATOMIC_COUNT_H_
#define LASTPUT_TARGETS_FOREIGN_ATOMIC_COUNT_H_

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <thread>

#include "targets/foreign/count_adapter.h"

namespace atomic_count {

class Count;

class Domain {
 public:
  Domain();
  // REQUIRES: no reference is left. Does what is put off.
  ~Domain();
  // Returns when every count queued before it has been released. MAY BLOCK.
  void drain();

 private:
  friend class Count;
  void retire(Count& count);
  void reclaim();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Count*> retired_;  // under mutex_, as the next two
  bool reclaiming_ = false;     // the reclaimer is at one that it has taken off
  bool ends_ = false;
  std::atomic<uint32_t> trygets_ = 0;  // under way, of any count of the domain
  std::thread reclaimer_;
};

class Count : public targets::CountAdapter<Count> {
 public:
  using Callback = void (*)(Count&);

  // Count 1. False: no memory.
  bool init(Domain& domain, Callback release, uint8_t flags);
  void get();
  // The last one has release called, by the reclaimer.
  void put();
  // Any thread that knows that the object is there.
  bool tryget();
  bool is_zero() const;

 private:
  friend class Domain;
  struct Block {
    std::atomic<uint64_t> references = 1;
  };
  // What the reclaimer does; the object may be gone afterwards.
  void end();

  std::atomic<Block*> block_ = nullptr;
  Domain* domain_ = nullptr;
  Callback release_ = nullptr;
};

}  // namespace atomic_count

namespace targets {

using DomainUnderTest = atomic_count::Domain;
using RefUnderTest = atomic_count::Count;

}  // namespace targets

#endif  // LASTPUT_TARGETS_FOREIGN_ATOMIC_COUNT_H_

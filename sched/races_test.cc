// SPDX-License-Identifier: Apache-2.0
// Which accesses race, and what orders them.
#include <sys/mman.h>

#include <atomic>
#include <cstdint>
#include <cstring>
#include <mutex>
#include <thread>

#include "sched/engine_test.h"

namespace engine_test {
namespace {

template <memory_order kStore, memory_order kLoad>
void message_passing() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        flag.store(1, kStore);
      },
      [&] {
        if (flag.load(kLoad) == 1) data = 2;
      });
}
TEST(Races, ReleaseAcquireOrdersPlainData) {
  expect_clean(message_passing<kRelease, kAcquire>);
}
TEST(Races, SeqCstOrdersPlainData) {
  expect_clean(message_passing<kSeqCst, kSeqCst>);
}
TEST(Races, RelaxedStoreDoesNot) {
  expect_found(FailureKind::kDataRace, message_passing<kRelaxed, kAcquire>);
}
TEST(Races, RelaxedLoadDoesNot) {
  expect_found(FailureKind::kDataRace, message_passing<kRelease, kRelaxed>);
}

// main knows nothing of the thread whose end `other` has seen, and whose slot is free.
void slot_of_a_thread_that_another_joined() {
  std::atomic<bool> joined{false};
  std::mutex mutex;
  [[maybe_unused]] volatile int data = 0;
  const auto pass = [&] { std::lock_guard lock(mutex); };
  std::thread other([&] {
    {
      std::lock_guard lock(mutex);
      data = 1;
    }
    std::thread(pass).join();
    joined.store(true, kRelaxed);
  });
  while (!joined.load(kRelaxed)) std::this_thread::yield();
  std::thread([&] {
    std::lock_guard lock(mutex);
    data = 2;
  }).join();
  other.join();
}
TEST(Races, AThreadDoesNotPassForTheOneThatEndedBeforeIt) {
  expect_clean(slot_of_a_thread_that_another_joined);
}

template <memory_order kFence>
void fences() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        std::atomic_thread_fence(kFence == kRelaxed ? kAcquire : kRelease);
        flag.store(1, kRelaxed);
      },
      [&] {
        if (flag.load(kRelaxed) != 1) return;
        std::atomic_thread_fence(kAcquire);
        data = 2;
      });
}
TEST(Races, FencesOrderPlainData) {
  expect_clean(fences<kSeqCst>);
}
TEST(Races, AcquireFenceReleasesNothing) {
  expect_found(FailureKind::kDataRace, fences<kRelaxed>);
}

void write_after_release_fence() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        std::atomic_thread_fence(kRelease);
        data = 1;  // not covered by the fence before it
        flag.store(1, kRelaxed);
      },
      [&] {
        if (flag.load(kAcquire) == 1) data = 2;
      });
}
TEST(Races, ReleaseFenceCoversOnlyWhatPrecedesIt) {
  expect_found(FailureKind::kDataRace, write_after_release_fence);
}

template <memory_order kMiddle, bool kPlainStore>
void release_sequence() {
  std::atomic<int> flag{0};
  [[maybe_unused]] volatile int data = 0;
  parallel(
      [&] {
        data = 1;
        flag.store(1, kRelease);
      },
      [&] {
        if (kPlainStore) {
          if (flag.load(kRelaxed) == 1) flag.store(2, kMiddle);
        } else {
          int one = 1;
          flag.compare_exchange_strong(one, 2, kMiddle);
        }
      },
      [&] {
        if (flag.load(kAcquire) == 2) data = 2;
      });
}
TEST(Races, RmwContinuesReleaseSequence) {
  expect_clean(release_sequence<kRelaxed, false>);
}
TEST(Races, PlainStoreEndsReleaseSequence) {
  expect_found(FailureKind::kDataRace, release_sequence<kRelaxed, true>);
}

template <memory_order kPut>
void reference_count() {
  struct Object {
    std::atomic<int> count{2};
    int a = 0, b = 0;
  };
  auto* o = new Object;
  auto put = [o] {
    if (o->count.fetch_sub(1, kPut) == 1) delete o;
  };
  parallel(
      [=] {
        o->a = 1;
        put();
      },
      [=] {
        o->b = 1;
        put();
      });
}
TEST(Races, AcqRelPutIsRight) {
  expect_clean(reference_count<kAcqRel>);
}
TEST(Races, RelaxedPutIsFound) {
  expect_found(FailureKind::kDataRace, reference_count<kRelaxed>);
}
TEST(Races, ReleaseOnlyPutIsFound) {
  expect_found(FailureKind::kDataRace, reference_count<kRelease>);
}

void neighbours() {  // different bytes and bit-sizes of one granule never race
  struct {
    uint32_t a = 0;
    uint16_t b = 0;
    uint8_t c = 0, d = 0;
  } s;
  parallel(
      [&] {
        s.a++;
        s.b++;
      },
      [&] { s.c++; },
      [&] {
        s.d++;
        s.d++;
      });
  s.a = s.b = s.c = s.d = 0;
}
TEST(Races, NeighbouringBytesAreApart) {
  expect_clean(neighbours);
}

void atomic_neighbour() {
  struct {
    std::atomic<uint32_t> a{0};
    uint32_t b = 0;
  } s;
  parallel([&] { s.a.fetch_add(1, kRelaxed); }, [&] { s.b++; });
}
TEST(Races, AtomicAndPlainNeighboursAreApart) {
  expect_clean(atomic_neighbour);
}

void shared_readers(bool with_writer) {
  int data = 1;
  std::atomic<int> sum{0};
  auto read = [&] { sum.fetch_add(data, kRelaxed); };
  if (with_writer)
    parallel(read, read, [&] { data = 2; });
  else
    parallel(read, read, read);
}
TEST(Races, ReadersMayShare) {
  expect_clean([] { shared_readers(false); });
}
TEST(Races, WriterAmongReadersIsFound) {
  expect_found(FailureKind::kDataRace, [] { shared_readers(true); });
}

void partial_overlap() {
  alignas(8) char b[8] = {};
  parallel(
      [&] {
        uint32_t v = 1;
        memcpy(b, &v, 4);
      },
      [&] { *const_cast<volatile char*>(b + 3) = 1; });
}
TEST(Races, OverlappingSizesAreFound) {
  expect_found(FailureKind::kDataRace, partial_overlap);
}

void atomic_against_plain() {
  alignas(4) int x = 0;
  parallel([&] { __atomic_store_n(&x, 1, __ATOMIC_RELAXED); }, [&] { x = 2; });
}
TEST(Races, AtomicAgainstPlainIsFound) {
  expect_found(FailureKind::kDataRace, atomic_against_plain);
}

int global_counter;
TEST(Races, GlobalsAreWatched) {
  expect_found(FailureKind::kDataRace,
               [] { parallel([] { global_counter++; }, [] { global_counter++; }); });
}

// The kernel hands the pages of one to the other.
void use_page() {
  void* page = mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  *static_cast<volatile char*>(page) = 1;
  munmap(page, 4096);
}
TEST(Races, PagesThatAreMappedAgainAreOthers) {
  expect_clean([] { parallel(use_page, use_page); });
}

}  // namespace
}  // namespace engine_test

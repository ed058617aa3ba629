// SPDX-License-Identifier: Apache-2.0
// A list as a program would write it, of elements with a reference count of one of the rcuref forms: a
// head, links that are published by release and followed by acquire, an update lock. In form locked the
// readers take that lock, too, shared; in the others they are RCU readers.
#ifndef LASTPUT_TARGETS_ELEMENT_LIST_H_
#define LASTPUT_TARGETS_ELEMENT_LIST_H_

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "core/domain.h"
#include "core/rcu.h"
#include "targets/cargo.h"
#include "targets/ledger.h"
#include "targets/list_ledger.h"
#include "targets/program.h"

namespace targets {

inline constexpr uint64_t kElementHeader = 0x6c61737470757433;
inline constexpr unsigned kPlaces = 4;  // that operations name

// An RCU reader that the ledger knows of, from here to the end of the block.
class MarkedReader {
 public:
  MarkedReader(percpu::Rcu rcu, unsigned actor) : inside_(rcu), actor_(actor) {
    reader_entered(actor_);
  }
  ~MarkedReader() { reader_leaves(actor_); }
  MarkedReader(const MarkedReader&) = delete;
  MarkedReader& operator=(const MarkedReader&) = delete;

 private:
  percpu::RcuReader inside_;
  const unsigned actor_;
};

// On the heap; ended by free alone.
struct Element {
  uint64_t header = kElementHeader;  // plain, written before it is listed
  unsigned number = 0;               // in the ledger; the same
  ListForm form = ListForm::kLocked;
  std::atomic<Element*> next = nullptr;
  Cargo cargo;                                 // as the header
  std::array<uint64_t, kActors> written = {};  // plain; each actor's, before it puts

  void check() const;
};

class List {
 public:
  // Null: no memory. ERRORS: none else.
  static std::unique_ptr<List> make(ListForm form, percpu::Domain& domain, percpu::Rcu rcu);
  virtual ~List() = default;

  // Lists a new element, first of all. False: no memory; the cargo is still the caller's.
  virtual bool insert(const Cargo& cargo) = 0;
  // Takes off the list what is at the place, or the last, and drops its initial reference. False: it is
  // empty. MAY BLOCK: in form blocking for RCU readers.
  virtual bool remove(unsigned place) = 0;
  // As a reader: looks at an element for a while, on `cpu` from the middle on. False: none there.
  virtual bool read(unsigned place, unsigned actor, unsigned cpu) = 0;
  // As a reader: calls look(element, context). False: none there.
  using Look = void (*)(const Element& element, void* context);
  virtual bool look(unsigned place, unsigned actor, Look look, void* context) = 0;
  // As a reader: takes a reference. Null: none there, or (form tryget) none to be had.
  // `holds(element)`: whether the caller holds one already; `stays`: whether nobody removes anything.
  struct Caller {
    unsigned actor;
    bool stays;
    bool (*holds)(const void* context, const Element* element);
    const void* context;
  };
  virtual Element* get(unsigned place, const Caller& caller) = 0;
  // The same under the update lock, where nothing can fail.
  virtual Element* update_get(unsigned place) = 0;
  virtual void put(Element* element, unsigned actor, uint64_t value) = 0;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_ELEMENT_LIST_H_

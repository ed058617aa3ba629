// SPDX-License-Identifier: Apache-2.0
// What an element of a list carries in programs that have refs and pools, too: a reference of a ref, or an
// area of a pool. The element lets go of it when it is freed; so who finds the element as a reader, or holds
// it, may use what it carries.
#ifndef LASTPUT_TARGETS_CARGO_H_
#define LASTPUT_TARGETS_CARGO_H_

#include "core/domain.h"

namespace targets {

struct Area;
struct Object;
struct Pools;

struct Cargo {
  Object* object = nullptr;
  unsigned slot = 0;  // of the put (ledger.h)
  const Area* area = nullptr;
  unsigned pool = 0;
  const Pools* pools = nullptr;
  percpu::Domain* domain = nullptr;

  // As a reader: what is there must be what was put there.
  void look() const;
  void let_go() const;
};

}  // namespace targets

#endif  // LASTPUT_TARGETS_CARGO_H_

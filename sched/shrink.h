// SPDX-License-Identifier: Apache-2.0
// Delta debugging (Zeller and Hildebrandt, IEEE TSE 2002): what can be left out of a list, so that it still
// does what it did.
#ifndef LASTPUT_SCHED_SHRINK_H_
#define LASTPUT_SCHED_SHRINK_H_

#include <algorithm>
#include <bit>
#include <cstddef>

namespace sched {

// Tries to leave out longer stretches first, later ones before earlier ones. `size()`: items left.
// `remove(first, count)`: leaves these out if that still does it, and says whether; it MAY leave out more.
// Returns whether anything went. ENSURES: then no single item can go, but for what `remove` answers
// otherwise when it is asked again.
template <class Size, class Remove>
bool shrink(Size size, Remove remove) {
  bool any = false;
  for (size_t count = std::bit_floor(size()); count != 0;) {
    bool some = false;
    for (size_t end = size(); end >= count;) {
      const bool gone = remove(end - count, count);
      some |= gone;
      end = gone ? std::min(end - count, size()) : end - count;
    }
    any |= some;
    if (count > 1 || !some) count /= 2;
  }
  return any;
}

}  // namespace sched

#endif  // LASTPUT_SCHED_SHRINK_H_

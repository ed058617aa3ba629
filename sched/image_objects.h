// SPDX-License-Identifier: Apache-2.0
// Names of the executable's variables, static ones included: from its symbol table, which the dynamic
// one that dladdr looks into is only a part of.
#ifndef LASTPUT_SCHED_IMAGE_OBJECTS_H_
#define LASTPUT_SCHED_IMAGE_OBJECTS_H_

#include <cstddef>
#include <cstdint>

namespace sched {

struct ImageObject {
  uintptr_t address;
  size_t size;
  const char* name;  // as the linker knows it
};

// The variable that `address` lies in; null if none is known (a stripped executable). Reads the file the
// first time. REQUIRES: the engine is inactive, so that what is kept lives on the real heap.
const ImageObject* image_object_at(uintptr_t address);

}  // namespace sched

#endif  // LASTPUT_SCHED_IMAGE_OBJECTS_H_

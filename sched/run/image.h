// SPDX-License-Identifier: Apache-2.0
// The program's globals, static locals and function-local statics (.data and .bss between the marks), put
// back before each execution. thread_locals are the engine's matter: a logical thread starts with fresh ones.
//
//   part                           how                                        an execution pays for
//   -----------------------------  -----------------------------------------  ---------------------
//   small (kCopyBytes), or the     copied from a saved image, or zeroed       its size
//     ends of a larger range
//   whole pages of a larger range  mapped privately from the saved image, or  the pages that it
//                                    from nothing; thrown away                  touched
//
// Neither needs to see the writes, so those of uninstrumented code and of the kernel are undone too.
// Not put back: sections with names of their own, and what -fcommon leaves to the linker.
#ifndef LASTPUT_SCHED_RUN_IMAGE_H_
#define LASTPUT_SCHED_RUN_IMAGE_H_

#include <cstddef>

namespace sched::program {

inline constexpr size_t kCopyBytes = 32u << 10;

// REQUIRES: no code of the program has run.
void image_setup();
void image_restore();

}  // namespace sched::program

#endif  // LASTPUT_SCHED_RUN_IMAGE_H_

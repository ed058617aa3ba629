// SPDX-License-Identifier: Apache-2.0
// What the files that interpose on library functions share. Each such function first asks whether its
// caller is a logical thread; everybody else gets the real thing (real.h).
#ifndef LASTPUT_SCHED_INTERPOSE_H_
#define LASTPUT_SCHED_INTERPOSE_H_

#include <cstdint>

#define SCHED_EXPORT extern "C" __attribute__((visibility("default")))
// For names that a program may well have for functions of its own, which then come first. (With
// AddressSanitizer, whose weak interceptors would come first as well, it must not.)
#if SCHED_ASAN
#define SCHED_EXPORT_WEAK SCHED_EXPORT
#else
#define SCHED_EXPORT_WEAK extern "C" __attribute__((visibility("default"), weak))
#endif
#define SCHED_PC() reinterpret_cast<uintptr_t>(__builtin_return_address(0))

// Defines the symbol by which the link asks for a file of interposers, so that they are taken before
// a sanitizer's weak ones, and before the C++ library's from libc.
#define SCHED_INTERPOSERS(name)                 \
  extern "C" const char sched_interpose_##name; \
  const char sched_interpose_##name = 1;

#endif  // LASTPUT_SCHED_INTERPOSE_H_

// SPDX-License-Identifier: Apache-2.0
// Memory orders in sources: where they stand, and what weaker ones could stand there.
//
// Sources are read as text, comments and literals left out: calls of an atomic's members by `.` or
// `->`, with an order or without one (then it is seq_cst), and atomic_thread_fence. Operators of
// atomics (`++a`), and orders that are no constants, are not seen.
#ifndef LASTPUT_AUDIT_SITE_H_
#define LASTPUT_AUDIT_SITE_H_

#include <cstddef>
#include <string>
#include <vector>

namespace audit {

// One change of a source that makes an order weaker.
struct Mutant {
  std::string key;            // "ref.cc Ref::put_shared fetch_sub acq_rel to acquire", at any line
  std::string weaker;         // "acquire"; "nothing" of a fence that is left out
  size_t begin = 0, end = 0;  // bytes of the file, which `text` replaces
  std::string text;
  std::string kept;  // why the code keeps the order although no search finds this (kept.h)
};

// An order that is not relaxed already.
struct Site {
  std::string file;               // within the core
  unsigned line = 0, column = 0;  // from 1
  std::string function;
  std::string operation;  // "fetch_sub"; "fence"; of a second order "compare_exchange_weak failure"
  std::string order;
  std::vector<Mutant> mutants;  // none is followed by one that is stronger
};

// Whether an order forbids all that the other does, and more. "nothing" is the weakest.
bool is_stronger(const std::string& order, const std::string& other);

// In the order of the text.
std::vector<Site> find_sites(const std::string& file, const std::string& source);

// The source with the mutant's change.
std::string mutated(const Mutant& mutant, const std::string& source);
// The source without comments and without space at the ends of lines: what an explanation does not change.
std::string code_of(const std::string& source);

}  // namespace audit

#endif  // LASTPUT_AUDIT_SITE_H_

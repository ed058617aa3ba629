// SPDX-License-Identifier: Apache-2.0
// What a night came to: one JSON object, report.json, of which the page and the JUnit file are made.
//
//   verdict, exit code            a sentence; 0 clean, 77 a failure, 2 a round could not be run, 3 every one lacked something
//   seed, seconds, only, bug, began, facts   what was planned, and the machine
//   ended                         why it ended before its time; "": it did not
//   took                          seconds of all rounds
//   counts                        of rounds: planned, clean, failure, skipped, broken, stopped, "cut off", "not run"
//   operations, executions        of the soaks; of the fuzz targets
//   failures[]                    one for each key (failure.h): guarantee, about, message, summary, stack, times, first (round,
//                                 began, cell), cells, commands, artifacts
//   cells[]                       cell, soaks, rounds, seconds, a number for each result, and operations or executions, rate
//                                 (of these, a second), why (the last, where a round was not clean)
//   ages                          scenario: how often each age was seen
//   aborts[]                      build, breakpoints, forced, sections, used, whole, hits (of each instruction), unseen
//   fuzz[]                        cell, rounds, executions, rate, edges, "edges known", "corpus before", "corpus after"
//   never[]                       in words, what no round has come to
//   "not here"[]                  in words, what the machine does not have or permit
//   probes                        measured; why not; or rows[]: probe, by
//   rounds[]                      number, cell, began, took, result
#ifndef LASTPUT_STRESS_NIGHTLY_SUMMARY_H_
#define LASTPUT_STRESS_NIGHTLY_SUMMARY_H_

#include <string>

#include "stress/nightly/journal.h"

namespace nightly {

Json summary_of(const Night& night);

// Of the name of a cell, "stress/pool/none/linux/clang": "pool", and "none/linux/clang".
std::string subject_of(const std::string& cell);
std::string build_of(const std::string& cell);
// "12.3 M", "456", "1.2 G": to three digits.
std::string short_number(double value);
// "2 h 5 min", "47 s".
std::string duration(double seconds);
// "2026-11-22 03:04 UTC"; "" for 0.
std::string date(int64_t seconds);

}  // namespace nightly

#endif  // LASTPUT_STRESS_NIGHTLY_SUMMARY_H_

// SPDX-License-Identifier: Apache-2.0
#include "verify/small_set.h"

#include <cstdio>
#include <cstdlib>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace verify {
namespace {

struct Row {
  const char* name;
  unsigned cpus;
  const char* ref;      // its setup (targets/text.h)
  const char* threads;  // separated by |, their operations by ;
};

constexpr Row kRows[] = {
    // --- Two threads: percpu for good
    {"percpu: kill, counts", 1, "flags none release free ending kill tokens 1,1",
     "get; kill; put; put | get; put; put"},
    {"percpu: kill, two CPUs", 2, "flags none release free ending kill tokens 1,1",
     "get; kill; put; put | migrate 1; get; put; put"},
    {"percpu: kill, kill", 1, "flags none release mark ending kill tokens 1,1",
     "kill; put; is_zero | kill; put; is_dying"},
    {"percpu: confirm, tryget_live", 1, "flags none release mark ending kill tokens 1,1",
     "kill_and_confirm; put | tryget_live; tryget_live_confirmed; put_all"},
    {"percpu: kill, tryget", 1, "flags none release mark ending confirm tokens 1",
     "kill; put | tryget; put; tryget_live; put_all"},
    {"percpu: kill, large counts", 2, "flags none release exit ending kill tokens 1,1",
     "get_many 4294967296; kill; put_many 4294967296; put | migrate 1; get_many 8; put_many 8; "
     "put"},
    // --- Two threads: percpu, may come back
    {"reinit: resurrect, counts", 1,
     "flags reinit release free ending kill controller T1 tokens 1,1",
     "kill_and_confirm; resurrect; get; put_all | tryget_live; get; put_all"},
    {"reinit: resurrect, confirm", 1,
     "flags reinit release mark ending confirm controller T1 tokens 1,1",
     "kill_and_confirm; resurrect; put | kill_and_confirm; tryget_live; put_all"},
    {"reinit: resurrect, switch", 1,
     "flags reinit release mark ending kill controller T1 tokens 1,1",
     "kill; resurrect; put_all | switch_to_atomic; put_all"},
    {"reinit: release, reinit", 1, "flags reinit release mark ending kill controller T1 tokens 1",
     "kill; put; await_release; reinit | tryget; put; is_zero"},
    {"reinit: reinit in release", 1, "flags reinit release reinit ending kill tokens 1,1",
     "kill; put | tryget; put_all"},
    {"reinit: there and back, counts", 2, "flags reinit release mark ending kill tokens 1,1",
     "switch_to_atomic_sync; switch_to_percpu; put | migrate 1; get; put; put"},
    {"reinit: there and back, kill", 1, "flags reinit release mark ending kill tokens 1,1",
     "switch_to_atomic_sync; switch_to_percpu; put | kill; tryget; put_all"},
    {"reinit: switches with callbacks", 1, "flags reinit release mark ending confirm tokens 1,1",
     "switch_to_atomic_callback; put | switch_to_atomic_callback; put"},
    {"reinit: switch, put of the last", 1, "flags reinit release free ending put tokens 1,1",
     "switch_to_atomic; get; put; put | get; put; put"},
    // --- Two threads: atomic, and dead at first
    {"atomic: kill, tryget", 1, "flags atomic release mark ending kill tokens 1,1",
     "get; kill; put; put | tryget; put; put; is_zero"},
    {"atomic: tryget of a large count", 1, "flags atomic release mark ending put",
     "get_many 4294967295; put_all | tryget; put_all"},
    {"atomic: puts alone", 1, "flags atomic release mark ending put_only controller T1 tokens 1,1",
     "put_initial; put | tryget; put; put; is_zero"},
    {"atomic: puts alone, reinit in release", 1,
     "flags atomic release reinit ending put_only controller T1 tokens 1,1",
     "put_initial; put | tryget; put; put"},
    {"atomic: to percpu, kill", 1, "flags atomic release mark ending kill tokens 1,1",
     "switch_to_percpu; get; put_all | kill; put"},
    {"dead: reinit, tryget", 1, "flags dead release mark ending kill controller T1",
     "reinit; get; put_all; kill | tryget; tryget_live; put_all"},
    // --- Three threads
    {"percpu: three, kill", 1, "flags none release free ending kill tokens 1,1,1",
     "kill; put | get; put_all | put"},
    {"reinit: three, resurrect", 1,
     "flags reinit release mark ending kill controller T1 tokens 1,1",
     "kill; resurrect | put | tryget_live"},
    {"reinit: three, switch and kill", 1, "flags reinit release mark ending kill tokens 1,1",
     "switch_to_atomic; put | kill | put"},
    {"atomic: three, last put", 1,
     "flags atomic release mark ending put_only controller T1 tokens 1,1",
     "put_initial; put | put; is_zero | tryget; put_all"},
    {"atomic: three, to percpu", 1, "flags atomic release mark ending kill tokens 1,1,1",
     "switch_to_percpu; put | put | put"},
};

bool takes_ref(const std::string& word) {
  const targets::OpInfo* info = targets::find_operation(word);
  return info != nullptr && (info->needs & targets::kRef) != 0;
}

// "put_many 4" as a line of text: "put_many ref0 4".
std::string line_of(const std::string& operation) {
  const std::vector<std::string> words = absl::StrSplit(operation, ' ', absl::SkipEmpty());
  std::string line = words[0];
  if (takes_ref(words[0])) line += " ref0";
  if (words.size() > 1) absl::StrAppend(&line, " ", words[1]);
  return line + "\n";
}

std::string text_of(const Row& row) {
  std::string text = absl::StrCat("lastput 1\ntarget percpu_ref\nsetup cpus ", row.cpus,
                                  "\nsetup ref ", row.ref, "\n");
  const std::vector<std::string> threads = absl::StrSplit(row.threads, '|');
  for (unsigned t = 0; t < threads.size(); ++t) {
    absl::StrAppend(&text, "thread ", targets::thread_name(t), "\n");
    const std::vector<std::string> operations = absl::StrSplit(threads[t], ';');
    for (const std::string& operation : operations) text += line_of(operation);
  }
  return text + "end\n";
}

}  // namespace

std::vector<SmallProgram> small_set() {
  std::vector<SmallProgram> set;
  for (const Row& row : kRows) {
    SmallProgram program;
    program.name = row.name;
    targets::ParseError error;
    if (!targets::parse(text_of(row), &program.artifact, &error)) {
      std::fprintf(stderr, "verify: %s: %s\n%s", row.name, error.to_string().c_str(),
                   text_of(row).c_str());
      std::abort();
    }
    set.push_back(std::move(program));
  }
  return set;
}

}  // namespace verify

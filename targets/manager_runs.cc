// SPDX-License-Identifier: Apache-2.0
#include "targets/manager_runs.h"

#include "core/manager.h"
#include "targets/guarantees.h"
#include "targets/ledger.h"
#include "targets/main_operations.h"
#include "targets/runtime.h"

namespace targets {
namespace {

thread_local bool in_program = false;
thread_local bool scanning = false;
thread_local unsigned released_here = 0;  // by the scan

}  // namespace

void enter_program_thread() {
  in_program = true;
}

bool start_manager(percpu::Domain& domain, const Program& program) {
  runtime::name_next_thread(kManagerName);
  percpu::ManagerOptions options;
  options.scan_interval = std::chrono::nanoseconds(runtime::scan_interval_ns());
  options.max_scan_count = program.manager.scan_count;
  const percpu::Status status = percpu::Manager(domain).start(options);
  if (status != percpu::Status::kOk && status != percpu::Status::kOutOfMemory)
    guarantee_G10_misuse("a legal start of the manager was refused");
  return status == percpu::Status::kOk;
}

void stop_manager(percpu::Domain& domain, bool alone) {
  if (!percpu::Manager(domain).stop())
    guarantee_G10_misuse("a legal stop of the manager was refused");
  if (alone && releases_by_thread() != 0)
    guarantee_M5_stop("stop of the manager returned before a release of its run had ended");
}

void scan_by_hand(percpu::Domain& domain, const Program& program) {
  scanning = true;
  released_here = 0;
  const int most = program.manager.scan_count;
  const percpu::Scan scan = percpu::Manager(domain).scan_once(most);
  scanning = false;
  if (scan.visited > static_cast<unsigned>(most))
    guarantee_M3_bounded_runs(
        Sentence("a run of %d visits at most visited %u", most, scan.visited).text);
  if (scan.visited > program.refs.size())
    guarantee_M3_bounded_runs("a run visited a ref twice, for it says more than there are");
  if (scan.released > scan.visited || scan.released != released_here)
    guarantee_M3_bounded_runs(
        Sentence("a run visited %u, released %u, and says that it released %u", scan.visited,
                 released_here, scan.released)
            .text);
}

unsigned runs_of_two_passes(const Program& program) {
  const auto refs = static_cast<unsigned>(program.refs.size());
  return 2 * ((refs + program.manager.scan_count - 1) / program.manager.scan_count);
}

ReleaseInProgress::ReleaseInProgress(unsigned ref, bool managed)
    : by_thread_(managed && !in_program) {
  if (managed && in_program && !scanning)
    guarantee_M1_release_by_manager(
        Sentence("ref%u: released by a thread that is not making a run of the manager", ref).text);
  if (scanning) ++released_here;
  if (by_thread_) release_by_thread_begun();
}

ReleaseInProgress::~ReleaseInProgress() {
  if (by_thread_) release_by_thread_ended();
}

}  // namespace targets

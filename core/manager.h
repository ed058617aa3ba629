// SPDX-License-Identifier: Apache-2.0
// Manager: ends the lives of refs that nobody kills.
//
// For objects that readers find under RCU, and that release unlinks and frees a grace period later:
// their users take and drop references, the initial one is dropped by a plain put, and there is no
// moment at which somebody could call kill. A ref in managed mode is in percpu mode, and the
// manager holds a reference of its own. From time to time it visits the ref: switches it to atomic
// mode, looks whether any reference but its own is left, and either goes back to percpu mode or
// drops its own and calls release.
//
// A ref becomes managed by Flags::kManaged at init or by Ref::switch_to_managed, and stays so until
// exit: by reinit it becomes managed again.
//
//   from, to      atomic   percpu   managed  kill    reinit        resurrect
//   ------------  -------  -------  -------  ------  ------------  ------------
//   atomic,       ok       ok       ok       ok      misuse        misuse
//   percpu (1)
//   percpu        misuse   misuse   misuse   ok      misuse        misuse
//   managed       misuse   misuse   ok (2)   misuse  misuse        misuse
//   dead (1)      later    later    later    false   ok            ok
//   dead, managed misuse   misuse   ok (2)   false   managed       managed
//   dead          misuse   misuse   misuse   false   misuse        misuse
//   (1) with kAllowReinit   (2) nothing to do
// "Later": takes effect at reinit, for a count of 0, or resurrect, for others. "False": answered so,
// and no misuse. Only the manager makes a managed ref dead. Where kAllowReinit is missing nothing
// ends in another state that has it, and the other way round. Misuse changes nothing.
//
// Guarantees
//   M1  release of a managed ref runs once a life, on the manager's thread or in scan_once, never
//       while anybody but the manager holds a reference; it sees all writes made before the puts.
//   M2  while runs are made, no managed ref that nobody else holds stays unreleased for more than
//       two full passes. A full pass: every ref that was managed when it began was visited once.
//   M3  a run visits at most max_scan_count refs, those that it releases included, and goes on
//       where the last one stopped. What becomes managed during a run is visited in a later one.
//   M4  a run has one grace period for all that it visits; init, get, put, exit and everything else
//       may be called during it, and only exit of a ref that is being visited waits: for that grace
//       period, never for a callback.
//   M5  stop returns when the run has ended, releases included; nothing is released until start or
//       scan_once. The refs stay managed.
//   M6  release may reinit, exit or free its ref, and any other managed ref that it may exit. The
//       manager touches no ref after its release has begun, nor after its exit.
//   M7  a visit does not change what get, put, tryget and tryget_live do, answer and order.
//
// Who may call what, when: anything from any thread, but start, stop and scan_once not from
// callbacks. The domain outlives the call; its end stops the manager.
#ifndef PERCPU_CORE_MANAGER_H_
#define PERCPU_CORE_MANAGER_H_

#include <chrono>

#include "domain.h"
#include "percpu_platform.h"
#include "status.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

struct ManagerOptions {
  // From the beginning of a run to that of the next. Above 0.
  std::chrono::nanoseconds scan_interval = std::chrono::milliseconds(5000);
  // Refs that a run visits at most. Above 0.
  int max_scan_count = 100;
};

// What a run has done.
struct Scan {
  unsigned visited = 0;
  unsigned released = 0;  // of these
  bool operator==(const Scan&) const = default;
};

// The manager of one domain. A handle: as good as any other of the same domain, and not needed by
// the refs. The domain outlives it.
class Manager {
 public:
  explicit Manager(Domain& domain) noexcept;

  // Starts the thread. The first run comes after one interval. ERRORS: kInvalidArgument (an option
  // is not above 0), kOutOfMemory (no thread), kRefused (it runs already, in a callback, or the
  // domain has ended; reported). MAY BLOCK: for a stop.
  Status start(const ManagerOptions& options = {}) noexcept;
  // Ends the thread; none: nothing to do. False: refused and reported. MAY BLOCK: for the run, its
  // releases included.
  bool stop() noexcept;
  bool running() const noexcept;

  // Makes one run here, whether the thread runs or not. Visits nothing where max_scan_count is not
  // above 0, or where the call is refused and reported. MAY BLOCK: for another run, and a grace
  // period. Release is called here, with whatever locks the caller holds.
  Scan scan_once(int max_scan_count = ManagerOptions().max_scan_count) noexcept;

 private:
  DomainState* const state_;
};

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

#endif  // PERCPU_CORE_MANAGER_H_

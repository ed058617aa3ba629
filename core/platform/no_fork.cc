// SPDX-License-Identifier: Apache-2.0
// ForkWatch where nobody tells of forks: after one, the child may only exec or _exit.
#include "../fork_watch.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

ForkWatch::ForkWatch(DomainState& domain) : domain_(domain) {}

ForkWatch::~ForkWatch() = default;

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

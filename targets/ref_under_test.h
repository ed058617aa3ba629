// SPDX-License-Identifier: Apache-2.0
// The count under test: the type that the harness makes, calls and ends. The core's, unless the harness is
// compiled for another (lastput_add_count in foreign/CMakeLists.txt), whose header is LASTPUT_COUNT_HEADER.
//
// That header says, in namespace targets:
//
//   class DomainUnderTest     what counts share: reclaimers, epochs; made and ended by main, one an execution
//     DomainUnderTest()       may throw std::bad_alloc, std::system_error: then there is nothing to run
//     void drain()            returns when all that calls before it have put off is done
//   class RefUnderTest        one count; the counted object derives from it. Derives from
//                             CountAdapter<RefUnderTest> (foreign/count_adapter.h), which stands in for each call
//                             that it has not
//     using Callback = void (*)(RefUnderTest&)
//     bool init(DomainUnderTest&, Callback release, uint8_t flags)
//                             count 1. False: no memory, and the ref is as before. flags: RefFlags of program.h
//     void get(), void put()  the put that drops the last reference has release called, once: by put itself, or
//                             later by a thread of the domain's. release may end the ref (exit) and free it
//     and of these what it has, under these names, once each: get_many, put_many, tryget, tryget_many,
//     tryget_live, tryget_live_many, kill, kill_and_confirm, switch_to_atomic, switch_to_atomic_sync,
//     switch_to_percpu, resurrect, reinit, is_zero, is_dying, exit
//
// What they mean, who may call them when, and what is checked is the table at the top of core/ref.h, G1 to G9. What
// a count has not, no program of it asks for (abilities.h). Without kill, the initial reference is put.
#ifndef LASTPUT_TARGETS_REF_UNDER_TEST_H_
#define LASTPUT_TARGETS_REF_UNDER_TEST_H_

#ifdef LASTPUT_COUNT_HEADER
#include LASTPUT_COUNT_HEADER

#include "core/domain.h"
#include "targets/foreign/count_adapter.h"

namespace targets {

static_assert(Countable<RefUnderTest, DomainUnderTest>,
              "RefUnderTest and DomainUnderTest have what targets/ref_under_test.h asks of them");

inline constexpr Abilities kAbilities = abilities_of<RefUnderTest>();

inline DomainUnderTest make_domain(const Program&) {
  return DomainUnderTest();
}

// No program of such a count has pools, lists or a manager.
inline percpu::Domain* core_domain(DomainUnderTest&) {
  return nullptr;
}

inline Begun begin_life(RefUnderTest& ref, DomainUnderTest& domain, RefUnderTest::Callback release,
                        uint8_t flags) {
  return ref.init(domain, release, flags) ? Begun::kLives : Begun::kNoMemory;
}

}  // namespace targets
#else
#include "targets/core_under_test.h"
#endif

#endif  // LASTPUT_TARGETS_REF_UNDER_TEST_H_

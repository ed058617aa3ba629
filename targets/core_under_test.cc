// SPDX-License-Identifier: Apache-2.0
#include "targets/core_under_test.h"

#include <cstring>

#include "core/domain_state.h"
#include "targets/actor.h"
#include "targets/guarantees.h"
#include "targets/misuse_expected.h"
#include "targets/runtime.h"

namespace targets {
namespace {

void on_misuse(const percpu::Misuse& misuse, void* context) {
  if (misuse_was_expected(misuse)) return;
  const Sentence sentence("%s: reported in a legal program, by %s (%s)",
                          percpu::misuse_name(misuse.kind), misuse.call, misuse.state);
  const Program& program = *static_cast<const Program*>(context);
  switch (misuse.kind) {
    case percpu::MisuseKind::kAreaNotFreed:
      if (!program.pools.empty()) guarantee_P7_nothing_is_lost(sentence.text);
      guarantee_G8_memory(sentence.text);
    case percpu::MisuseKind::kRefNotExited:
      guarantee_G8_memory(sentence.text);
    case percpu::MisuseKind::kGetFromZero:
    case percpu::MisuseKind::kPutBelowZero:
    case percpu::MisuseKind::kInitTwice:
      if (misuse.ref == nullptr) guarantee_R5_misuse(sentence.text);  // an element's count
      guarantee_G10_misuse(sentence.text);
    case percpu::MisuseKind::kNotAnArea:
      guarantee_P8_areas_stay_valid(sentence.text);
    default:
      guarantee_G10_misuse(sentence.text);
  }
}

percpu::DomainOptions domain_options(const Program& program) {
  percpu::DomainOptions options;
  options.cpus = program.cpus;
  options.cpu_index = current_cpu;
  options.misuse = on_misuse;
  options.misuse_context = const_cast<Program*>(&program);  // which only reads it
  return options;
}

// A Domain is one pointer to its state; the record of a failure tells its accesses by name. Unseen by the engine: it
// is no part of the execution.
__attribute__((no_sanitize("thread"))) void name_state(const percpu::Domain& domain) {
  static_assert(sizeof domain == sizeof(percpu::DomainState*));
  const percpu::DomainState* state;
  std::memcpy(&state, &domain, sizeof state);
  runtime::name_object(state, sizeof *state, "domain");
  runtime::name_object(&state->mutex, sizeof state->mutex, "domain.mutex");
}

}  // namespace

DomainUnderTest::DomainUnderTest(const Program& program) : percpu::Domain(domain_options(program)) {
  name_state(*this);
}

}  // namespace targets

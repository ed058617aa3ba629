// SPDX-License-Identifier: Apache-2.0
#include "stress/soak.h"

#include "percpu_platform.h"
#include "targets/guarantees.h"

namespace stress {

using namespace targets;

void on_misuse(const percpu::Misuse& misuse, void*) {
  const Sentence sentence("%s: reported in a legal program, by %s (%s)",
                          percpu::misuse_name(misuse.kind), misuse.call, misuse.state);
  switch (misuse.kind) {
    case percpu::MisuseKind::kSumBelowOne:
    case percpu::MisuseKind::kPutBelowZero:
      if (misuse.ref == nullptr) guarantee_R5_misuse(sentence.text);  // an element's count
      guarantee_G6_counts_conserved(sentence.text);
    case percpu::MisuseKind::kAreaNotFreed:
    case percpu::MisuseKind::kRefNotExited:
      guarantee_G8_memory(sentence.text);
    case percpu::MisuseKind::kNotAnArea:
      guarantee_P8_areas_stay_valid(sentence.text);
    default:
      guarantee_G10_misuse(sentence.text);
  }
}

percpu::DomainOptions domain_options() {
  percpu::DomainOptions options;
  options.misuse = on_misuse;
  return options;
}

void check_holders_age(Worker& worker, unsigned age, const char* kind) {
  worker.saw_age(age);
  if (age <= kUnlisted) [[likely]]
    return;
  guarantee_G2_no_release_while_held(
      Sentence("%s was released, and is of age %u, while a reference is held", kind, age).text);
}

void check_readers_age(Worker& worker, unsigned age, unsigned oldest, const char* kind) {
  worker.saw_age(age);
  if (age <= oldest) [[likely]]
    return;
  guarantee_U1_grace_periods_wait_for_readers(
      Sentence("%s has come to age %u while a reader that found it is inside; %u is allowed", kind,
               age, oldest)
          .text);
}

void retire(Aging& aging) {
  const bool queued = aging.rcu->call(aging, [](percpu::RcuHead& head) {
    auto& self = static_cast<Aging&>(head);
    count(Stat::kGracePeriods);
    self.become(self.now() + 1);
    if (self.now() < kLastAge) return retire(self);
    count(Stat::kFreed);
    self.free(self);
  });
  if (!queued) guarantee_U4_callbacks_run_once_in_order("Rcu::call was refused");
}

const char* core_has_no_sections() {
  return percpu::platform::why_no_sections();
}

}  // namespace stress

// SPDX-License-Identifier: Apache-2.0
// For the core's own tests: a handler that records misuse, and a ref that records what happened to
// it.
#ifndef PERCPU_CORE_TEST_SUPPORT_H_
#define PERCPU_CORE_TEST_SUPPORT_H_

#include <atomic>
#include <mutex>
#include <string>
#include <vector>

#include "core/domain.h"
#include "core/ref.h"

namespace percpu_test {

#if defined(__has_feature)
#define PERCPU_TEST_HAS_FEATURE(feature) __has_feature(feature)
#else
#define PERCPU_TEST_HAS_FEATURE(feature) false
#endif
#if defined(__SANITIZE_THREAD__)
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = PERCPU_TEST_HAS_FEATURE(thread_sanitizer);
#endif
#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool kAddressSanitizer = true;
#else
inline constexpr bool kAddressSanitizer = PERCPU_TEST_HAS_FEATURE(address_sanitizer);
#endif

class MisuseLog {
 public:
  static void handler(const percpu::Misuse& misuse, void* context) {
    auto* log = static_cast<MisuseLog*>(context);
    std::lock_guard<std::mutex> lock(log->mutex_);
    log->seen_.push_back(std::string(misuse.call) + ": " + percpu::misuse_name(misuse.kind));
    log->refs_.push_back(misuse.ref);
    log->states_.push_back(misuse.state);
  }
  percpu::DomainOptions options(unsigned cpus = 2) {
    percpu::DomainOptions options;
    options.cpus = cpus;
    options.misuse = handler;
    options.misuse_context = this;
    return options;
  }
  // What was reported since the last take, "call: kind" each.
  std::vector<std::string> take() {
    std::lock_guard<std::mutex> lock(mutex_);
    refs_.clear();
    states_.clear();
    return std::exchange(seen_, {});
  }
  std::vector<const percpu::Ref*> refs() {
    std::lock_guard<std::mutex> lock(mutex_);
    return refs_;
  }
  std::vector<std::string> states() {
    std::lock_guard<std::mutex> lock(mutex_);
    return states_;
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> seen_;
  std::vector<const percpu::Ref*> refs_;
  std::vector<std::string> states_;
};

using Reports = std::vector<std::string>;

struct CountedRef : percpu::Ref {
  std::atomic<int> releases = 0;
  std::atomic<int> confirms = 0;
  void (*in_release)(CountedRef&) = nullptr;
  void (*in_confirm)(CountedRef&) = nullptr;

  static void release(percpu::Ref& ref) {
    auto& self = static_cast<CountedRef&>(ref);
    ++self.releases;
    if (self.in_release != nullptr) self.in_release(self);
  }
  static void confirm(percpu::Ref& ref) {
    auto& self = static_cast<CountedRef&>(ref);
    ++self.confirms;
    if (self.in_confirm != nullptr) self.in_confirm(self);
  }
};

}  // namespace percpu_test

#endif  // PERCPU_CORE_TEST_SUPPORT_H_

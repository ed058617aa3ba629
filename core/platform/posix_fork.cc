// SPDX-License-Identifier: Apache-2.0
// ForkWatch by pthread_atfork.
#include <pthread.h>

#include <mutex>
#include <new>

#include "../domain_state.h"
#include "../fork_watch.h"
#include "rcu_readers.h"

namespace percpu {
inline namespace PERCPU_PLATFORM {

// The watches of the process.
class ForkWatchList {
 public:
  static void add(ForkWatch* watch) {
    install();
    std::lock_guard<std::mutex> lock(mutex_);
    watch->next_ = first_;
    if (first_ != nullptr) first_->previous_ = watch;
    first_ = watch;
  }
  static void remove(ForkWatch* watch) noexcept {
    std::lock_guard<std::mutex> lock(mutex_);
    if (watch->next_ != nullptr) watch->next_->previous_ = watch->previous_;
    if (watch->previous_ != nullptr) {
      watch->previous_->next_ = watch->next_;
    } else {
      first_ = watch->next_;
    }
  }

 private:
  static void install() {
    static const bool installed = [] {
      if (pthread_atfork(before, after_in_parent, after_in_child) != 0) throw std::bad_alloc();
      return true;
    }();
    (void)installed;
  }

  static void before() noexcept {
    platform::RcuReaders::hold_for_fork();
    mutex_.lock();
    for (ForkWatch* watch = first_; watch != nullptr; watch = watch->next_) {
      watch->domain().lock_for_fork();
    }
  }
  static void after(bool in_child) noexcept {
    for (ForkWatch* watch = first_; watch != nullptr; watch = watch->next_) {
      watch->domain().unlock_after_fork(in_child);
    }
    mutex_.unlock();
    platform::RcuReaders::resume_after_fork(in_child);
  }
  static void after_in_parent() noexcept { after(false); }
  static void after_in_child() noexcept { after(true); }

  static constinit inline std::mutex mutex_;
  static constinit inline ForkWatch* first_ = nullptr;
};

ForkWatch::ForkWatch(DomainState& domain) : domain_(domain) {
  ForkWatchList::add(this);
}

ForkWatch::~ForkWatch() {
  ForkWatchList::remove(this);
}

}  // namespace PERCPU_PLATFORM
}  // namespace percpu

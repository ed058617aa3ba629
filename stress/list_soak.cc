// SPDX-License-Identifier: Apache-2.0
#include "stress/list_soak.h"

#include <mutex>
#include <optional>
#include <shared_mutex>
#include <tuple>

#include "core/domain.h"
#include "core/rcu.h"
#include "core/rcuref_blocking.h"
#include "core/rcuref_deferred.h"
#include "core/rcuref_locked.h"
#include "core/rcuref_tryget.h"
#include "stress/soak.h"
#include "targets/guarantees.h"

namespace stress {
namespace {

using namespace targets;
constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr unsigned kSlots = 8;
constexpr unsigned kHands = 4;   // references of one list that a worker holds at most
constexpr unsigned kBatch = 32;  // operations of a step
constexpr uint64_t kMostElements = 2048;
constexpr uint64_t kAlive = 0x6c61737470757432, kFreed = 0x6672656564667265;

// What a list counts, beside how it protects its readers.
template <typename Refs>
struct Element : Refs::Element {
  uint64_t header = kAlive;  // plain, written before it is listed
  std::atomic<bool> freed = false;
  struct Stage : Aging {
    Element* element = nullptr;
  } stage;
  static constexpr bool kTries = requires(Refs refs, typename Refs::Element e) { refs.tryget(e); };
  static constexpr bool kLocked = std::is_same_v<Refs, percpu::LockedRefs>;
};

template <typename Refs>
class SoakedList {
 public:
  using Made = Element<Refs>;

  SoakedList(percpu::Domain& domain, percpu::Rcu& rcu, unsigned workers, unsigned number)
      : rcu_(rcu), refs_(domain, free_element), workers_(workers), number_(number) {
    running = this;
  }

  void step(Worker& worker) {
    const unsigned dice = worker.random.below(64), hand = worker.random.below(kHands);
    auto& hold = hands_[worker.number].hold[hand];
    Made* const held = hold.load(kRelaxed);
    if (dice == 0) return replace(worker);
    if (held == nullptr) return find(worker, hold);
    if (dice < 24) return drop(worker, hold, held);
    worker.begin(OpCode::kListRead, number_);
    look(worker, *held);
  }

  void let_go_of_all() {
    for (auto& slot : slots_) take_off(slot, nullptr);
    for (unsigned w = 0; w < workers_; ++w)
      for (auto& hold : hands_[w].hold)
        if (Made* const held = hold.exchange(nullptr, kRelaxed); held != nullptr) refs_.put(*held);
  }
  void check_all_freed() const {
    if (made_.load(kRelaxed) != freed_.load(kRelaxed))
      guarantee_R3_free_when_the_form_says(Sentence("%llu elements of list %u were not freed",
                                                    static_cast<unsigned long long>(made_ - freed_),
                                                    number_)
                                               .text);
  }

 private:
  struct alignas(128) Hands {
    std::array<std::atomic<Made*>, kHands> hold =
        {};  // written after the reference is taken, and before it is put
  };
  using Slot = std::atomic<Made*>;

  static void look(Worker& worker, const Made& element) {
    if (element.header != kAlive)
      guarantee_R2_no_free_while_held("an element was freed while a reference is held");
    check_holders_age(worker, element.stage.now(), "an element");
  }

  bool take(Made& element) {
    if constexpr (Made::kTries) {
      return refs_.tryget(element);
    } else {
      refs_.get(element);
      return true;
    }
  }

  void find(Worker& worker, Slot& hold) {
    Slot& slot = slots_[worker.random.below(kSlots)];
    worker.begin(OpCode::kListGet, number_);
    std::optional<percpu::RcuReader> inside;
    std::shared_lock<std::shared_mutex> lock(mutex_, std::defer_lock);
    if constexpr (Made::kLocked) {
      lock.lock();
    } else {
      inside.emplace(rcu_);
    }
    // acquire: the other side of listing it.
    Made* const element = slot.load(std::memory_order_acquire);
    if (element == nullptr || !take(*element)) {
      worker.answered(false);
      if (element == nullptr) return;
    } else {
      worker.answered(true);
      hold.store(element, kRelaxed);
    }
    if (worker.random.one_in(16)) disturb(worker.random);
    if (element->header != kAlive)
      guarantee_R7_readers_may_look("an element was freed under a reader");
    check_readers_age(worker, element->stage.now(), kUnlisted, "an element");
  }

  void drop(Worker& worker, Slot& hold, Made* held) {
    worker.begin(OpCode::kListPut, number_);
    hold.store(nullptr, kRelaxed);
    refs_.put(*held);
  }

  void replace(Worker& worker) {
    if (made_.load(kRelaxed) - freed_.load(kRelaxed) > kMostElements) return;
    worker.begin(OpCode::kListInsert, number_);
    Made* const made = new Made;
    made->stage.element = made;
    made->stage.rcu = &rcu_;
    made->stage.free = [](Aging& aging) {
      Made* const element = static_cast<typename Made::Stage&>(aging).element;
      element->header = kFreed;
      delete element;
      running->freed_.fetch_add(1, kRelaxed);
    };
    refs_.init(*made);
    count(Stat::kMade);
    made_.fetch_add(1, kRelaxed);
    take_off(slots_[worker.random.below(kSlots)], made);
  }

  // MAY BLOCK: in form (4) for readers.
  void take_off(Slot& slot, Made* in_its_place) {
    Made* old;
    {
      std::lock_guard<std::shared_mutex> lock(mutex_);
      // acq_rel: the element is whole for who finds it, and that of another is for this thread.
      old = slot.exchange(in_its_place, std::memory_order_acq_rel);
    }
    if (old == nullptr) return;
    old->stage.become(kUnlisted);
    count(Stat::kKills);
    refs_.drop_initial(*old);
  }

  // The form's own end of the element; it stays in the pipe for some grace periods more, where nobody may be found to look at it.
  static void end(Made& element) {
    count(Stat::kReleases);
    if (element.freed.exchange(true, kRelaxed))
      guarantee_R1_free_exactly_once("an element was freed twice");
    for (unsigned w = 0; w < running->workers_; ++w)
      for (const auto& hold : running->hands_[w].hold)
        if (hold.load(kRelaxed) == &element)
          guarantee_R2_no_free_while_held(
              Sentence("an element was freed while worker %u holds it", w).text);
    disturb_callback();
    element.stage.become(kReleased);
    retire(element.stage);
  }
  template <typename Base>
  static void free_element(Base& base) {
    end(static_cast<Made&>(base));
  }

  static inline SoakedList* running = nullptr;  // one list of a form

  percpu::Rcu& rcu_;
  Refs refs_;
  const unsigned workers_, number_;
  std::shared_mutex mutex_;  // the update lock; form (1): the readers', too
  std::array<Slot, kSlots> slots_ = {};
  std::array<Hands, kMaxWorkers> hands_;
  std::atomic<uint64_t> made_ = 0, freed_ = 0;
};

class ListSoak final : public Scenario {
 public:
  explicit ListSoak(const Setup& setup)
      : domain_(domain_options()),
        rcu_(domain_),
        locked_(domain_, rcu_, static_cast<unsigned>(setup.workers.size()), 1),
        tryget_(domain_, rcu_, static_cast<unsigned>(setup.workers.size()), 2),
        deferred_(domain_, rcu_, static_cast<unsigned>(setup.workers.size()), 3),
        blocking_(domain_, rcu_, static_cast<unsigned>(setup.workers.size()), 4) {}
  ~ListSoak() override { domain_.drain(); }

  void begin_round() override {}
  void step(Worker& worker) override {
    // The blocking form waits in its removers: less often.
    for (unsigned i = 0; i < kBatch; ++i) {
      locked_.step(worker);
      tryget_.step(worker);
      deferred_.step(worker);
    }
    if (worker.random.one_in(8)) blocking_.step(worker);
  }
  void end_round() override {
    locked_.let_go_of_all();
    tryget_.let_go_of_all();
    deferred_.let_go_of_all();
    blocking_.let_go_of_all();
    for (unsigned stage = 0; stage <= kLastAge + 1; ++stage) domain_.drain();
    locked_.check_all_freed();
    tryget_.check_all_freed();
    deferred_.check_all_freed();
    blocking_.check_all_freed();
  }

 private:
  percpu::Domain domain_;
  percpu::Rcu rcu_;
  SoakedList<percpu::LockedRefs> locked_;
  SoakedList<percpu::TrygetRefs> tryget_;
  SoakedList<percpu::DeferredRefs> deferred_;
  SoakedList<percpu::BlockingRefs> blocking_;
};

}  // namespace

std::unique_ptr<Scenario> make_list_soak(const Setup& setup) {
  return std::make_unique<ListSoak>(setup);
}

}  // namespace stress

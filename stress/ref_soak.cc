// SPDX-License-Identifier: Apache-2.0
#include "stress/ref_soak.h"

#include <algorithm>

#include "core/ref.h"
#include "stress/soak.h"
#include "targets/guarantees.h"

namespace stress {
namespace {

using namespace targets;
constexpr auto kRelaxed = std::memory_order_relaxed;

constexpr unsigned kObjects = 4;
constexpr unsigned kBatch = 64;  // operations of a step
constexpr uint64_t kMaxHeld =
    1 << 20;  // of one object, by one worker, where they are taken one by one

// One object, which lives as long as the scenario. Workers may look for it at any time.
struct alignas(128) Object : percpu::Ref {
  // What only the controller writes, and main while all are parked.
  enum class State : uint8_t { kLive, kKilled, kEnding };
  State state = State::kLive;
  bool is_percpu = true;  // but for switches that others ask for
  unsigned number = 0;
  bool reinits_itself = false;

  // A death is numbered by its kill. sync below: who has loaded `confirmed` by acquire comes after the start of confirm.
  std::atomic<uint64_t> deaths = 0;     // kills begun
  std::atomic<uint64_t> confirmed = 0;  // the last death whose confirm has begun
  std::atomic<uint64_t> revived = 0;    // the last death that resurrect or reinit has begun to end
  std::atomic<bool> ending = false;     // everybody is asked to let go

  std::atomic<uint64_t> lives = 1, releases = 0;
  std::atomic<uint64_t> confirms_due = 0, confirms = 0;
  std::atomic<uint64_t> switches_due = 0, switches = 0;
  std::atomic<unsigned> age = kListed;
  // Whether who holds a reference may write: false from release to the next life's beginning.
  std::atomic<bool> open = true;

  // Plain; a worker's own slot, written before a put, read by release: G7, and what a race detector looks at.
  struct alignas(64) Slot {
    uint64_t written = 0;
  };
  std::array<Slot, kMaxWorkers> slots = {};
};

// What one worker holds. Raised after the call that takes a reference, lowered before the put: so that release, which comes
// after every put, sees nothing held; and not by locked instructions, so that it is the core that orders them.
struct alignas(128) Holder {
  std::array<OwnCount, kObjects> held;
  std::array<OwnCount, kObjects> in_handler;  // by its signal handler, which may come in between
  std::array<OwnCount, kObjects> written;
};

class RefSoak final : public Scenario {
 public:
  RefSoak(const Setup& setup, const RefMix& mix);
  ~RefSoak() override;
  void begin_round() override;
  void step(Worker& worker) override;
  void interrupted(Worker& worker) noexcept override;
  void end_round() override;

 private:
  void fill_table();
  void apply(Worker& worker, Object& object, OpCode code);
  void control(Worker& worker, Object& object, OpCode code);
  void put(Worker& worker, Object& object, uint64_t n);
  void took(Worker& worker, Object& object, uint64_t n);
  void tryget_live(Worker& worker, Object& object, uint64_t n);
  void kill(Worker& worker, Object& object, bool confirm);
  void let_go_or_revive(Worker& worker, Object& object);
  static bool revived_itself(const Object& object);
  void begin_life_again(Object& object);
  uint64_t amount(Worker& worker) const;
  uint64_t held_by_all(const Object& object) const;
  void end(Object& object);
  void check_counts(const Object& object);
  static void release(percpu::Ref& ref);
  static void confirm(percpu::Ref& ref);
  static void switched(percpu::Ref& ref);

  Object& pick(Worker& worker) { return objects_[worker.random.below(kObjects)]; }
  bool controls(const Worker& worker, const Object& object) const {
    return object.number % workers_ == worker.number;
  }
  OwnCount& held(const Worker& worker, const Object& object) {
    return holders_[worker.number].held[object.number];
  }

  static RefSoak* running;  // for callbacks

  const RefMix mix_;
  const unsigned workers_;
  std::array<OpCode, 256> table_ = {};
  targets::Random random_;  // main's
  percpu::Domain domain_;
  std::array<Object, kObjects> objects_;
  std::array<Holder, kMaxWorkers> holders_;
};

RefSoak* RefSoak::running = nullptr;

RefSoak::RefSoak(const Setup& setup, const RefMix& mix)
    : mix_(mix),
      workers_(static_cast<unsigned>(setup.workers.size())),
      random_(setup.seed),
      domain_(domain_options()) {
  running = this;
  fill_table();
  for (Object& object : objects_) {
    object.number = static_cast<unsigned>(&object - objects_.data());
    object.reinits_itself = mix.kills && object.number == kObjects - 1;
    if (object.init(domain_, release, percpu::Flags::kAllowReinit) != percpu::Status::kOk)
      throw std::bad_alloc();
    count(Stat::kMade);
  }
}

RefSoak::~RefSoak() {
  domain_.drain();
  for (Object& object : objects_) object.exit();
}

void RefSoak::fill_table() {
  size_t next = 0;
  for (const RefMix::Weight& weight : mix_.weights)
    for (unsigned i = 0; i < weight.of_256 && next < table_.size(); ++i)
      table_[next++] = weight.code;
  for (size_t i = 0; next + i < table_.size(); ++i)
    table_[next + i] = i % 2 == 0 ? OpCode::kGet : OpCode::kPut;
}

// --- What the core calls -------------------------------------------------------------------------------------

void RefSoak::release(percpu::Ref& ref) {
  auto& object = static_cast<Object&>(ref);
  count(Stat::kReleases);
  if (object.releases.fetch_add(1, kRelaxed) + 1 > object.lives.load(kRelaxed))
    guarantee_G1_release_exactly_once(
        Sentence("release of object %u ran twice in one life", object.number).text);
  const uint64_t held = running->held_by_all(object);
  if (held != 0)
    guarantee_G2_no_release_while_held(
        Sentence("release of object %u ran while %llu references are held", object.number,
                 static_cast<unsigned long long>(held))
            .text);
  if (object.confirms.load(kRelaxed) != object.confirms_due.load(kRelaxed))
    guarantee_G4_confirm("release began before confirm had returned");
  object.age.store(kReleased, kRelaxed);
  disturb_callback();
  for (unsigned w = 0; w < running->workers_; ++w)
    if (object.slots[w].written != running->holders_[w].written[object.number].get())
      guarantee_G7_release_sees_writes(
          Sentence("release of object %u does not see what worker %u wrote before its put",
                   object.number, w)
              .text);
  // release: what has been read here may be written again in the next life.
  object.open.store(false, std::memory_order_release);
  if (object.reinits_itself) running->begin_life_again(object);
}

void RefSoak::confirm(percpu::Ref& ref) {
  auto& object = static_cast<Object&>(ref);
  count(Stat::kConfirms);
  // release: who sees the number comes after the start of confirm (G4).
  object.confirmed.store(object.deaths.load(kRelaxed), std::memory_order_release);
  disturb_callback();
  object.confirms.fetch_add(1, kRelaxed);
}

void RefSoak::switched(percpu::Ref& ref) {
  disturb_callback();
  static_cast<Object&>(ref).switches.fetch_add(1, kRelaxed);
}

void RefSoak::begin_life_again(Object& object) {
  count(Stat::kRevivals);
  object.lives.fetch_add(1, kRelaxed);
  // release: who sees it comes after the beginning of what ends this death (G4).
  object.revived.store(object.deaths.load(kRelaxed), std::memory_order_release);
  object.age.store(kListed, kRelaxed);
  object.ending.store(false, kRelaxed);
  if (!object.reinit()) guarantee_G10_misuse("reinit was refused");
  // release: what release has read may be written again by who sees it.
  object.open.store(true, std::memory_order_release);
}

// --- What workers do -----------------------------------------------------------------------------------------

uint64_t RefSoak::amount(Worker& worker) const {
  if (!mix_.huge) return 1 + worker.random.below(7);
  const unsigned bits = worker.random.below(RefMix::kHugeBits);
  return (uint64_t{1} << bits) + (worker.random.next() & ((uint64_t{1} << bits) - 1));
}

void RefSoak::took(Worker& worker, Object& object, uint64_t n) {
  held(worker, object).add(n);
}

void RefSoak::put(Worker& worker, Object& object, uint64_t n) {
  Holder& holder = holders_[worker.number];
  // acquire: the other side of `open`. A worker that holds a reference of this life has seen the ref live, which the processor
  // (x86) or the section (portable) puts before this load: so it is no `true` of the life before.
  if (object.open.load(std::memory_order_acquire)) {
    object.slots[worker.number].written++;
    holder.written[object.number].add(1);
  }
  holder.held[object.number].set(holder.held[object.number].get() - n);
  if (n == 1) {
    object.put();
  } else {
    object.put_many(n);
  }
}

void RefSoak::tryget_live(Worker& worker, Object& object, uint64_t n) {
  // acquire: what follows comes after the start of that confirm.
  const uint64_t confirmed = object.confirmed.load(std::memory_order_acquire);
  if (!worker.answered(n == 1 ? object.tryget_live() : object.tryget_live_many(n))) return;
  took(worker, object, n);
  // A live ref that was dead has been revived before: x86 keeps loads in order, and so do seq_cst sections.
  if (confirmed > object.revived.load(std::memory_order_acquire))
    guarantee_G4_confirm(
        Sentence("tryget_live of object %u succeeded after confirm", object.number).text);
}

void RefSoak::kill(Worker& worker, Object& object, bool confirms) {
  if (object.state != Object::State::kLive || !mix_.kills) return;
  // A reference to what reinits itself may be one of the next life, whose controller does not know of it yet.
  const bool revive = !object.reinits_itself && worker.random.one_in(2);
  object.state = revive ? Object::State::kKilled : Object::State::kEnding;
  object.deaths.fetch_add(1, kRelaxed);
  if (!revive) object.ending.store(true, kRelaxed);
  if (confirms) object.confirms_due.fetch_add(1, kRelaxed);
  count(Stat::kKills);
  if (!(confirms ? object.kill_and_confirm(confirm) : object.kill()))
    guarantee_G1_release_exactly_once("the only kill of a life answered false");
}

// Whether a dead object's release has begun the next life, and is over.
bool RefSoak::revived_itself(const Object& object) {
  // acquire (both): the other sides of begin_life_again. `open` was false in between.
  return object.reinits_itself && object.state != Object::State::kLive &&
         object.revived.load(std::memory_order_acquire) == object.deaths.load(kRelaxed) &&
         object.open.load(std::memory_order_acquire);
}

// By the controller, of an object that it has killed.
void RefSoak::let_go_or_revive(Worker& worker, Object& object) {
  if (revived_itself(object)) {
    object.state = Object::State::kLive;
    return;
  }
  const uint64_t own = held(worker, object).get();
  if (object.state == Object::State::kKilled && own != 0) {
    worker.begin(OpCode::kResurrect, object.number);
    count(Stat::kRevivals);
    // release: as in begin_life_again.
    object.revived.store(object.deaths.load(kRelaxed), std::memory_order_release);
    if (!object.resurrect()) guarantee_G10_misuse("resurrect was refused");
    object.state = Object::State::kLive;
    return;
  }
  if (object.state == Object::State::kKilled) {
    object.state = Object::State::kEnding;
    object.ending.store(true, kRelaxed);
  }
  if (object.reinits_itself) return;
  // acquire: release is over.
  if (object.releases.load(kRelaxed) != object.lives.load(kRelaxed) ||
      object.open.load(std::memory_order_acquire))
    return;
  worker.begin(OpCode::kReinit, object.number);
  begin_life_again(object);
  object.state = Object::State::kLive;
}

void RefSoak::control(Worker& worker, Object& object, OpCode code) {
  if (object.state != Object::State::kLive) return let_go_or_revive(worker, object);
  switch (code) {
    case OpCode::kKill:
    case OpCode::kKillAndConfirm:
      if (held(worker, object).get() == 0) break;  // so that it may resurrect
      worker.begin(code, object.number);
      return kill(worker, object, code == OpCode::kKillAndConfirm);
    case OpCode::kSwitchToAtomicSync:
      worker.begin(code, object.number);
      count(Stat::kSwitches);
      if (!object.switch_to_atomic_sync())
        guarantee_G10_misuse("switch_to_atomic_sync was refused");
      break;
    case OpCode::kSwitchToPercpu:
      worker.begin(code, object.number);
      if (!object.switch_to_percpu()) guarantee_G10_misuse("switch_to_percpu was refused");
      break;
    default:
      break;
  }
}

void RefSoak::apply(Worker& worker, Object& object, OpCode code) {
  const uint64_t own = held(worker, object).get();
  if (own != 0) {
    // relaxed: nobody may make it older while it is held.
    const unsigned age = object.age.load(kRelaxed);
    check_holders_age(worker, age, "an object");
    if (object.ending.load(kRelaxed)) {
      worker.begin(OpCode::kPutAll, object.number, own);
      return put(worker, object, own);
    }
  }
  switch (code) {
    case OpCode::kGet:
      if (own == 0 || own >= kMaxHeld) break;
      worker.begin(code, object.number);
      object.get();
      return took(worker, object, 1);
    case OpCode::kPut:
      if (own == 0) break;
      worker.begin(code, object.number);
      return put(worker, object, 1);
    case OpCode::kGetMany:
    case OpCode::kTrygetMany: {
      const uint64_t n = amount(worker);
      if (own == 0 || own >= mix_.most_held()) break;
      worker.begin(code, object.number, n);
      if (code == OpCode::kGetMany) {
        object.get_many(n);
      } else if (!worker.answered(object.tryget_many(n))) {
        guarantee_G5_tryget_true_when_raised("tryget_many failed while a reference is held");
      }
      return took(worker, object, n);
    }
    case OpCode::kPutMany: {
      const uint64_t n = std::min(own, amount(worker));
      if (own == 0) break;
      worker.begin(code, object.number, n);
      return put(worker, object, n);
    }
    case OpCode::kTryget:
      if (own >= kMaxHeld && !mix_.huge) break;
      worker.begin(code, object.number);
      if (worker.answered(object.tryget())) {
        took(worker, object, 1);
      } else if (own != 0) {
        guarantee_G5_tryget_true_when_raised("tryget failed while a reference is held");
      }
      return;
    case OpCode::kTrygetLive:
      if (own >= kMaxHeld && !mix_.huge) break;
      worker.begin(code, object.number);
      return tryget_live(worker, object, 1);
    case OpCode::kIsZero:
      worker.begin(code, object.number);
      if (object.is_zero() && own != 0)
        guarantee_G6_counts_conserved("is_zero while a reference is held");
      return;
    case OpCode::kIsDying:
      worker.begin(code, object.number);
      worker.answered(object.is_dying());
      return;
    case OpCode::kSwitchToAtomicCallback:
      if (own == 0) break;
      worker.begin(code, object.number);
      count(Stat::kSwitches);
      object.switches_due.fetch_add(1, kRelaxed);
      if (!object.switch_to_atomic(switched)) guarantee_G10_misuse("switch_to_atomic was refused");
      return;
    default:
      if (controls(worker, object)) return control(worker, object, code);
      break;
  }
}

void RefSoak::step(Worker& worker) {
  Object& object = pick(worker);
  if (controls(worker, object) && object.state != Object::State::kLive)
    let_go_or_revive(worker, object);
  uint64_t bits = 0;
  for (unsigned i = 0; i < kBatch; ++i) {
    bits = i % 8 == 0 ? worker.random.next() : bits >> 8;
    apply(worker, object, table_[bits & 0xff]);
  }
}

// May interrupt any of the above, inside the calls, too: a handler has references of its own. None of its puts is the last,
// since in a mix with handlers nobody kills during a round.
void RefSoak::interrupted(Worker& worker) noexcept {
  if (!mix_.handlers) return;
  count(Stat::kHandled);
  Object& object = objects_[worker.in_handler.below(kObjects)];
  OwnCount& own = holders_[worker.number].in_handler[object.number];
  if (own.get() != 0 && worker.in_handler.one_in(2)) {
    own.set(own.get() - 1);
    object.put();
  } else if (object.tryget()) {
    own.add(1);
  }
}

// --- What main checks ----------------------------------------------------------------------------------------

uint64_t RefSoak::held_by_all(const Object& object) const {
  uint64_t sum = 0;
  for (unsigned w = 0; w < workers_; ++w)
    sum += holders_[w].held[object.number].get() + holders_[w].in_handler[object.number].get();
  return sum;
}

void RefSoak::begin_round() {
  for (Object& object : objects_) {
    for (unsigned w = 0; w < workers_; ++w) {
      if (holders_[w].held[object.number].get() != 0) continue;
      object.get();
      holders_[w].held[object.number].set(1);
    }
  }
}

void RefSoak::check_counts(const Object& object) {
  if (object.confirms.load(kRelaxed) != object.confirms_due.load(kRelaxed))
    guarantee_G4_confirm("a confirm did not run exactly once");
  if (object.switches.load(kRelaxed) != object.switches_due.load(kRelaxed))
    guarantee_G6_counts_conserved("a switch's callback did not run exactly once");
}

// Ends the life with all that the workers hold, to the last one: too early is G2, never G3.
void RefSoak::end(Object& object) {
  const uint64_t all = held_by_all(object);
  const bool itself = object.reinits_itself;
  object.reinits_itself = false;
  if (object.state == Object::State::kLive) {
    object.deaths.fetch_add(1, kRelaxed);
    count(Stat::kKills);
    if (!object.kill()) guarantee_G1_release_exactly_once("the only kill of a life answered false");
    domain_.drain();
  }
  for (unsigned w = 0; w < workers_; ++w) {
    holders_[w].held[object.number].set(0);
    holders_[w].in_handler[object.number].set(0);
  }
  if (all > 1) {
    object.put_many(all - 1);
    if (object.releases.load(kRelaxed) == object.lives.load(kRelaxed))
      guarantee_G6_counts_conserved(
          Sentence("object %u was released one reference early", object.number).text);
  }
  if (all > 0) object.put();
  if (object.releases.load(kRelaxed) != object.lives.load(kRelaxed))
    guarantee_G3_release_once_nothing_holds(
        Sentence("nothing holds object %u, and release never ran (%s)", object.number,
                 object.Ref::state())
            .text);
  object.reinits_itself = itself;
  begin_life_again(object);
  object.state = Object::State::kLive;
}

void RefSoak::end_round() {
  domain_.drain();
  for (Object& object : objects_) {
    check_counts(object);
    if (revived_itself(object)) object.state = Object::State::kLive;
    const bool released = object.releases.load(kRelaxed) == object.lives.load(kRelaxed);
    if (released) {  // but not yet reinitialised by its controller
      begin_life_again(object);
      object.state = Object::State::kLive;
    } else if (object.state != Object::State::kLive || random_.one_in(2)) {
      end(object);
    }
  }
}

}  // namespace

std::unique_ptr<Scenario> make_ref_soak(const Setup& setup, const RefMix& mix) {
  return std::make_unique<RefSoak>(setup, mix);
}

}  // namespace stress

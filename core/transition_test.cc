// SPDX-License-Identifier: Apache-2.0
// The table of transitions in manager.h, cell by cell: what is allowed ends in the state of its
// column, what is not is reported and changes nothing.
//
//   A   atomic               P    percpu, without reinit    D    dying from P
//   PR  percpu, with reinit  M    managed                   DR   dying with reinit
//   DRM dying and managed    KLL  kill   REI  reinit   RES  resurrect
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <string>
#include <tuple>
#include <vector>

#include "core/manager.h"
#include "core/ref.h"
#include "test_support.h"

namespace {

using percpu::Domain;
using percpu::Flags;
using percpu::Manager;
using percpu::Ref;
using percpu::Status;
using percpu_test::CountedRef;
using percpu_test::MisuseLog;
using percpu_test::Reports;

enum Mode { A, P, PR, M, D, DR, DRM };
constexpr Mode kModes[] = {A, P, PR, M, D, DR, DRM};

struct World {
  MisuseLog log;
  Domain domain{log.options()};
  Manager manager{domain};
  CountedRef ref;

  // A ref in that mode, on which the test holds one reference beside the initial one, if that is
  // there. Dying ones hold the test's alone.
  explicit World(Mode from) {
    const auto make = [&](Flags flags) {
      EXPECT_EQ(ref.init(domain, &CountedRef::release, flags), Status::kOk);
      ref.get();
    };
    switch (from) {
      case A:
        make(Flags::kInitAtomic);
        break;
      case P:
        make(Flags::kNone);
        break;
      case PR:
        make(Flags::kAllowReinit);
        break;
      case M:
        make(Flags::kManaged);
        break;
      case D:
      case DR:
      case DRM:
        make(from == D ? Flags::kNone : Flags::kAllowReinit);
        EXPECT_TRUE(ref.kill());
        domain.drain();
        if (from == DRM) {
          EXPECT_TRUE(ref.switch_to_managed());
        }
    }
  }
  ~World() {
    log.take();
    ref.exit();
    domain.drain();
  }
  void scan_twice() {
    (void)manager.scan_once();
    (void)manager.scan_once();
  }
};

std::string state_of(Mode mode) {
  switch (mode) {
    case A:
      return "atomic";
    case P:
    case PR:
      return "percpu";
    case M:
      return "managed";
    case D:
    case DR:
      return "atomic, dead";
    case DRM:
      return "managed, dead";
  }
  return "";
}

const char* name_of(Mode mode) {
  static constexpr const char* kNames[] = {"A", "P", "PR", "M", "D", "DR", "DRM"};
  return kNames[mode];
}

using Operation = std::function<bool(World&)>;
const Operation kToAtomic = [](World& w) { return w.ref.switch_to_atomic_sync(); };
const Operation kToPercpu = [](World& w) { return w.ref.switch_to_percpu(); };
const Operation kToManaged = [](World& w) { return w.ref.switch_to_managed(); };
const Operation kKill = [](World& w) {
  const bool killed = w.ref.kill();
  w.domain.drain();
  return killed;
};
const Operation kReinit = [](World& w) { return w.ref.reinit(); };
const Operation kResurrect = [](World& w) { return w.ref.resurrect(); };
// The holders go, and the manager finds that they are gone.
const Operation kManagerEnds = [](World& w) {
  w.ref.put_many(2);
  w.scan_twice();
  return w.ref.releases == 1;
};
const std::vector<Operation> kAll = {kToAtomic, kToPercpu, kToManaged, kKill, kReinit, kResurrect};

struct Cell {
  Mode from;
  const char* to;
  std::function<void(World&)> check;
};
void PrintTo(const Cell& cell, std::ostream* out) {
  *out << name_of(cell.from) << " to " << cell.to;
}

// One attempt: what it answers, what is reported, the state that it leaves.
std::function<void(World&)> attempt(const Operation& operation, bool answer,
                                    const std::string& report, const std::string& state) {
  return [=](World& w) {
    EXPECT_EQ(operation(w), answer);
    EXPECT_EQ(w.log.take(), report.empty() ? Reports{} : Reports{report});
    EXPECT_EQ(w.ref.state(), state);
  };
}
Cell allowed(Mode from, const char* to, const Operation& operation, const std::string& state) {
  return {from, to, attempt(operation, true, "", state)};
}
Cell refused(Mode from, const char* to, const Operation& operation, const std::string& report) {
  return {from, to, [=](World& w) {
            const uint64_t held = from == D || from == DR || from == DRM ? 1 : 2;
            attempt(operation, false, report, state_of(from))(w);
            // Nothing has changed: the ref lives on, and ends, as if it had not been tried.
            if (from == M) {
              w.ref.put_many(held);
              w.scan_twice();
            } else {
              if (held == 2) kKill(w);
              EXPECT_EQ(w.ref.releases, 0);
              w.ref.put();
            }
            EXPECT_EQ(w.ref.releases, 1);
            EXPECT_TRUE(w.ref.is_zero());
            EXPECT_EQ(w.log.take(), Reports{});
          }};
}
// The state is out of reach: whatever is called, the ref keeps or lacks its way back.
Cell unreachable(Mode from, const char* to, bool may_come_back) {
  return {from, to, [=](World&) {
            for (const Operation& first : kAll) {
              for (const Operation& second : kAll) {
                World w(from);
                (void)first(w);
                (void)second(w);
                w.log.take();
                (void)w.ref.switch_to_percpu();
                const Reports reports = w.log.take();
                EXPECT_EQ(reports == Reports{"switch_to_percpu: no_reinit"}, !may_come_back);
              }
            }
          }};
}
Cell in_turn(Mode from, const char* to, const std::vector<std::function<void(World&)>>& steps) {
  return {from, to, [=](World& w) {
            for (const auto& step : steps) step(w);
          }};
}

// Takes effect at resurrect, where references are held, and at reinit.
Cell later(const char* to, const Operation& operation, const std::string& state, bool managed) {
  return {DR, to, [=](World&) {
            for (const bool resurrected : {true, false}) {
              World w(DR);
              attempt(operation, true, "", managed ? "managed, dead" : "atomic, dead")(w);
              if (!resurrected) w.ref.put();
              attempt(resurrected ? kResurrect : kReinit, true, "", state)(w);
              EXPECT_EQ(w.ref.releases, resurrected ? 0 : 1);
            }
          }};
}

void put(World& w) {
  w.ref.put();
}

std::vector<Cell> cells() {
  std::vector<Cell> all;
  for (const Mode from : {A, PR}) {
    const char* const ending = from == A ? "atomic" : "percpu";
    all.push_back(allowed(from, "A", kToAtomic, "atomic"));
    all.push_back(unreachable(from, "P", true));
    all.push_back(allowed(from, "PR", kToPercpu, "percpu"));
    all.push_back(allowed(from, "M", kToManaged, "managed"));
    all.push_back(unreachable(from, "D", true));
    all.push_back(allowed(from, "DR", kKill, "atomic, dead"));
    all.push_back(in_turn(from, "DRM",
                          {attempt(kToManaged, true, "", "managed"),
                           attempt(kManagerEnds, true, "", "managed, dead")}));
    all.push_back(allowed(from, "KLL", kKill, "atomic, dead"));
    all.push_back(in_turn(
        from, "REI",
        {attempt(kReinit, false, "reinit: not_dead", ending),
         attempt(kKill, true, "", "atomic, dead"), put, attempt(kReinit, true, "", ending)}));
    all.push_back(
        in_turn(from, "RES",
                {attempt(kResurrect, false, "resurrect: not_dead", ending),
                 attempt(kKill, true, "", "atomic, dead"), attempt(kResurrect, true, "", ending)}));
  }

  all.push_back(refused(P, "A", kToAtomic, "switch_to_atomic_sync: no_reinit"));
  all.push_back(unreachable(P, "P", false));
  all.push_back(refused(P, "PR", kToPercpu, "switch_to_percpu: no_reinit"));
  all.push_back(refused(P, "M", kToManaged, "switch_to_managed: no_reinit"));
  all.push_back(allowed(P, "D", kKill, "atomic, dead"));
  all.push_back(unreachable(P, "DR", false));
  all.push_back(unreachable(P, "DRM", false));
  all.push_back(allowed(P, "KLL", kKill, "atomic, dead"));
  all.push_back(refused(P, "REI", kReinit, "reinit: no_reinit"));
  all.push_back(refused(P, "RES", kResurrect, "resurrect: no_reinit"));

  all.push_back(refused(M, "A", kToAtomic, "switch_to_atomic_sync: managed"));
  all.push_back(unreachable(M, "P", true));
  all.push_back(refused(M, "PR", kToPercpu, "switch_to_percpu: managed"));
  all.push_back(allowed(M, "M", kToManaged, "managed"));
  all.push_back(unreachable(M, "D", true));
  all.push_back(refused(M, "DR", kKill, "kill: managed"));
  all.push_back(allowed(M, "DRM", kManagerEnds, "managed, dead"));
  all.push_back(refused(M, "KLL", kKill, "kill: managed"));
  all.push_back(in_turn(
      M, "REI",
      {attempt(kReinit, false, "reinit: not_dead", "managed"),
       attempt(kManagerEnds, true, "", "managed, dead"), attempt(kReinit, true, "", "managed")}));
  all.push_back(in_turn(M, "RES",
                        {attempt(kResurrect, false, "resurrect: not_dead", "managed"),
                         attempt(kManagerEnds, true, "", "managed, dead"),
                         attempt(kResurrect, false, "resurrect: count_zero", "managed, dead")}));

  // D is final.
  for (const auto& [to, operation, call] : {std::tuple{"A", kToAtomic, "switch_to_atomic_sync"},
                                            {"PR", kToPercpu, "switch_to_percpu"},
                                            {"M", kToManaged, "switch_to_managed"},
                                            {"REI", kReinit, "reinit"},
                                            {"RES", kResurrect, "resurrect"}}) {
    all.push_back(refused(D, to, operation, std::string(call) + ": no_reinit"));
  }
  all.push_back(unreachable(D, "P", false));
  all.push_back(unreachable(D, "DR", false));
  all.push_back(unreachable(D, "DRM", false));
  all.push_back(refused(D, "D", kKill, ""));
  all.push_back(refused(D, "KLL", kKill, ""));

  all.push_back(later("A", kToAtomic, "atomic", false));
  all.push_back(unreachable(DR, "P", true));
  all.push_back(later("PR", kToPercpu, "percpu", false));
  all.push_back(later("M", kToManaged, "managed", true));
  all.push_back(unreachable(DR, "D", true));
  all.push_back(refused(DR, "DR", kKill, ""));
  all.push_back(allowed(DR, "DRM", kToManaged, "managed, dead"));
  all.push_back(refused(DR, "KLL", kKill, ""));
  all.push_back(in_turn(DR, "REI",
                        {attempt(kReinit, false, "reinit: count_not_zero", "atomic, dead"), put,
                         attempt(kReinit, true, "", "percpu")}));
  all.push_back(in_turn(
      DR, "RES",
      {attempt(kResurrect, true, "", "percpu"), put, attempt(kKill, true, "", "atomic, dead"),
       attempt(kResurrect, false, "resurrect: count_zero", "atomic, dead")}));

  all.push_back(refused(DRM, "A", kToAtomic, "switch_to_atomic_sync: managed"));
  all.push_back(unreachable(DRM, "P", true));
  all.push_back(refused(DRM, "PR", kToPercpu, "switch_to_percpu: managed"));
  all.push_back(in_turn(DRM, "M", {put, attempt(kReinit, true, "", "managed")}));
  all.push_back(unreachable(DRM, "D", true));
  all.push_back(refused(DRM, "DR", kKill, ""));
  all.push_back(allowed(DRM, "DRM", kToManaged, "managed, dead"));
  all.push_back(refused(DRM, "KLL", kKill, ""));
  all.push_back(in_turn(DRM, "REI",
                        {attempt(kReinit, false, "reinit: count_not_zero", "managed, dead"), put,
                         attempt(kReinit, true, "", "managed")}));
  all.push_back(in_turn(DRM, "RES",
                        {attempt(kResurrect, true, "", "managed"),
                         attempt(kManagerEnds, true, "", "managed, dead")}));
  return all;
}

class TransitionTest : public ::testing::TestWithParam<Cell> {};

TEST_P(TransitionTest, Cell) {
  World world(GetParam().from);
  ASSERT_EQ(world.ref.state(), state_of(GetParam().from));
  GetParam().check(world);
  EXPECT_EQ(world.log.take(), Reports{});
}

INSTANTIATE_TEST_SUITE_P(Table, TransitionTest, ::testing::ValuesIn(cells()),
                         [](const ::testing::TestParamInfo<Cell>& info) {
                           return std::string(name_of(info.param.from)) + "_to_" + info.param.to;
                         });

// Every row has every column, once.
TEST(TransitionTable, IsWhole) {
  std::vector<std::string> wanted, found;
  for (const Mode from : kModes) {
    for (const char* to : {"A", "P", "PR", "M", "D", "DR", "DRM", "KLL", "REI", "RES"}) {
      wanted.push_back(std::string(name_of(from)) + " " + to);
    }
  }
  for (const Cell& cell : cells()) {
    found.push_back(std::string(name_of(cell.from)) + " " + cell.to);
  }
  std::sort(wanted.begin(), wanted.end());
  std::sort(found.begin(), found.end());
  EXPECT_EQ(found, wanted);
}

}  // namespace

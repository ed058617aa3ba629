// SPDX-License-Identifier: Apache-2.0
#include "replay/emit_test.h"

#include <algorithm>
#include <array>

#include "replay/emit_sequential.h"
#include "replay/emit_words.h"
#include "replay/emitted_test_frame.h"
#include "targets/facts.h"

namespace replay {
namespace {

using targets::OpCode;

// For a comment or a literal: one line of printable characters.
std::string tame(const std::string& text) {
  std::string tamed;
  for (char c : text) tamed += c < ' ' || c > '~' || c == '\\' || c == '"' ? '?' : c;
  return tamed;
}

const char* ending_word(targets::Ending ending) {
  constexpr std::array<const char*, 4> kWords = {"kKill", "kConfirm", "kPut", "kPutOnly"};
  return kWords[static_cast<size_t>(ending)];
}
const char* leftovers_word(targets::Leftovers leftovers) {
  constexpr std::array<const char*, 3> kWords = {"kThread", "kMain", "kMainAfterKill"};
  return kWords[static_cast<size_t>(leftovers)];
}

// One operation of a thread as statements, behind what makes the call legal (targets/actor_calls.cc).
class Call {
 public:
  Call(const targets::Program& program, unsigned thread, unsigned index)
      : op_(program.threads[thread][index]),
        facts_(targets::ref_facts(program, op_.ref)),
        thread_(thread),
        ref_(std::to_string(op_.ref)),
        object_("ref" + ref_ + "->"),
        mine_("mine[" + ref_ + "]"),
        put_(ref_ + ", " + std::to_string(thread) + ", " + std::to_string(index)),
        n_(number_literal(op_.argument)),
        may_be_null_(program.fail_allocation != 0) {}

  std::string text() const {
    const std::string call = of_code();
    const bool takes_ref = (targets::operation_info(op_.code).needs & targets::kRef) != 0;
    return takes_ref && may_be_null_ && !call.empty() ? when("ref" + ref_ + " != nullptr", call)
                                                      : call;
  }

 private:
  std::string of_code() const {
    switch (op_.code) {
      case OpCode::kYield:
        return "std::this_thread::yield();";
      case OpCode::kMigrate:
        return "cpu = " + n_ + ";";
      case OpCode::kDrain:
        return "domain->drain();";
      case OpCode::kGet:
      case OpCode::kGetMany:
        return when(facts_.quiet ? few() : all_of({holds(), few()}), get());
      case OpCode::kPut:
        return when(mine_ + ".held >= 1", put("1", "put()"));
      case OpCode::kPutMany:
        return when(mine_ + ".held >= " + n_, put(n_, "put_many(" + n_ + ")"));
      case OpCode::kPutAll:
        return when("const uint64_t n = " + mine_ + ".held; n != 0", put("n", "put_many(n)"));
      case OpCode::kTryget:
        return tryget("tryget()", "1", false);
      case OpCode::kTrygetMany:
        return tryget("tryget_many(" + n_ + ")", n_, false);
      case OpCode::kTrygetLive:
      case OpCode::kTrygetLiveConfirmed:
        return tryget("tryget_live()", "1", true);
      case OpCode::kTrygetLiveMany:
        return tryget("tryget_live_many(" + n_ + ")", n_, true);
      case OpCode::kKill:
        return kill(false);
      case OpCode::kKillAndConfirm:
        return kill(true);
      case OpCode::kSwitchToAtomic:
        return when(holds(), legal("switch_to_atomic()"));
      case OpCode::kSwitchToAtomicCallback:
        return when(holds(),
                    "count_switch(" + ref_ + ");\n" + legal("switch_to_atomic(on_switched)"));
      case OpCode::kSwitchToAtomicSync:
        return when(holds(), legal("switch_to_atomic_sync()"));
      case OpCode::kSwitchToPercpu:
        return when(holds(), legal("switch_to_percpu()"));
      case OpCode::kResurrect:
        return when(
            all_of({holds(), mine_ + ".killed", reinits() ? mine_ + ".held_since_kill" : ""}),
            "count_resurrect(" + ref_ + ");\n" + legal("resurrect()") + revived());
      case OpCode::kReinit:
        return when(all_of({marks() ? "" : mine_ + ".releases_due == 0",
                            "release_finished(" + ref_ + ", " + mine_ + ")"}),
                    "++" + mine_ + ".releases_due;\ncount_reinit(" + ref_ + ");\n" +
                        legal("reinit()") + revived());
      case OpCode::kIsZero:
        return is_zero();
      case OpCode::kIsDying:
        return is_dying();
      case OpCode::kGive:
        return when(mine_ + ".held != 0", "gives(" + ref_ + ", " + mine_ + ", " + n_ + ");");
      case OpCode::kTake:
        return mine_ + ".held += shared->mailboxes[" + ref_ + "][" + std::to_string(thread_) +
               "].exchange(0, std::memory_order_acquire);";
      case OpCode::kAwaitRelease:
        return when("await_release(" + ref_ + ", " + mine_ + ")",
                    mine_ + ".seen_release = " +
                        (facts_.may_revive || facts_.release == targets::ReleaseAction::kFree
                             ? "false;"
                             : mine_ + ".releases_due != 0;"));
      case OpCode::kPutInitial:
        return when(mine_ + ".initial", mine_ + ".initial = false;\ncount_initial_put(" + ref_ +
                                            ");\n" + put("0", "put()"));
      case OpCode::kExit:
      case OpCode::kInit:
      case OpCode::kCancelInit:
      default:  // see needs_harness
        break;
    }
    return "";
  }

  static std::string when(const std::string& condition, const std::string& body) {
    if (condition.empty()) return "{\n" + body + "\n}";
    return "if (" + condition + ") {\n" + body + "\n}";
  }
  static std::string all_of(const std::vector<std::string>& conditions) {
    std::string text;
    for (const std::string& condition : conditions)
      if (!condition.empty()) text += (text.empty() ? "" : " && ") + condition;
    return text;
  }

  bool marks() const { return facts_.release == targets::ReleaseAction::kMark; }
  bool reinits() const { return facts_.release == targets::ReleaseAction::kReinit; }
  bool is_controller() const { return facts_.controller == thread_; }
  bool only_this_revives() const { return !facts_.may_revive || (is_controller() && !reinits()); }
  std::string holds() const { return mine_ + ".holds()"; }
  // The object is there.
  std::string may_touch() const { return facts_.lives_to_end ? "" : holds(); }
  // Counts stay below 2^63.
  std::string few() const {
    return op_.argument >> 50 == 0 ? "" : mine_ + ".held <= (uint64_t{1} << 58) - " + n_;
  }

  std::string legal(const std::string& call) const {
    return "require(" + object_ + call + ", \"G10\", \"a legal " + call + " was refused\");";
  }
  std::string took(const std::string& n) const {
    return "took(" + ref_ + ", " + mine_ + ", " + n + ");";
  }
  std::string get() const {
    return op_.code == OpCode::kGet ? object_ + "get();\n" + took("1")
                                    : object_ + "get_many(" + n_ + ");\n" + took(n_);
  }
  std::string put(const std::string& n, const std::string& call) const {
    const size_t comma = put_.find(',');
    return "drops(" + ref_ + ", " + mine_ + ", " + n + put_.substr(comma) + ");\n" + object_ +
           call + ";\ncount_returned(" + put_ + ");";
  }
  std::string revived() const {
    return "\n" + mine_ + ".killed = false;\n" + mine_ +
           ".initial = " + (facts_.put_only ? "true;" : "false;");
  }

  std::string tryget(const std::string& call, const std::string& n, bool live) const {
    const bool confirmed = op_.code == OpCode::kTrygetLiveConfirmed;
    std::string body = "if (" + object_ + call + ") {\n" + took(n);
    if (confirmed)
      body += "\nsched::fail(\"G4\", \"tryget_live succeeded after the start of confirm\");";
    body += "\n}";
    if (!live || facts_.quiet)
      body += " else {\nrequire(!" + holds() + ", \"G5\", \"" + call +
              " failed while its caller holds a reference\");\n}";
    return when(
        all_of({may_touch(), few(),
                confirmed ? "shared->confirming[" + ref_ + "].load(std::memory_order_acquire) != 0"
                          : ""}),
        body);
  }

  std::string kill(bool confirm) const {
    const std::string kill_of =
        ref_ + ", " + std::to_string(thread_) + (confirm ? ", true" : ", false");
    const bool only_killer =
        facts_.only_killer == static_cast<int>(thread_) && (!facts_.begins_dead || is_controller());
    std::string condition = may_touch();
    if (!condition.empty() && only_killer) condition += " || !" + mine_ + ".killed";
    std::string body = "count_kill(" + kill_of + ");\nconst bool won = " + object_ +
                       (confirm ? "kill_and_confirm(on_confirm<" + std::to_string(thread_) + ">);\n"
                                : "kill();\n") +
                       "count_killed(" + kill_of + ", won);\n";
    if (only_killer && !facts_.begins_dead && !facts_.may_revive)
      body += "require(won || " + mine_ +
              ".killed, \"G1\", \"kill returned false, but nobody else kills\");\n";
    if (only_this_revives())
      body += "require(!won || !" + mine_ +
              ".killed, \"G1\", \"kill returned true twice in one life\");\n";
    return when(condition,
                body + mine_ + ".killed = true;\n" + mine_ + ".held_since_kill = " + holds() + ";");
  }

  std::string may_look() const {
    return facts_.lives_to_end ? "" : holds() + " || " + mine_ + ".seen_release";
  }
  std::string is_zero() const {
    std::string body =
        "const bool zero = " + object_ + "is_zero();\nrequire(!zero || !" + holds() +
        ", \"G6\", \"is_zero while its caller holds a reference\");\nrequire(zero || !" + mine_ +
        ".seen_release, \"G6\", \"not is_zero after release\");";
    if (!facts_.may_revive) body += "\nif (zero) " + object_ + "look_at_payload();";
    return when(may_look(), body);
  }
  std::string is_dying() const {
    std::string must = mine_ + ".seen_release";
    if (only_this_revives()) must += " || " + mine_ + ".killed";
    std::string body =
        "const bool must = " + must + ";\nconst bool dying = " + object_ +
        "is_dying();\nrequire(dying || !must, \"G6\", \"is_dying is false after kill\");";
    if (facts_.quiet) body += "\nrequire(!dying, \"G6\", \"is_dying, but nobody kills\");";
    return when(may_look(), body);
  }

  const targets::Operation& op_;
  const targets::RefFacts facts_;
  const unsigned thread_;
  const std::string ref_, object_, mine_, put_, n_;
  const bool may_be_null_;  // there was no memory for the object
};

// `text`, each line of it by `columns` and, within braces, two more.
std::string indented(const std::string& text, size_t columns) {
  std::string result;
  for (size_t begin = 0; begin < text.size();) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const std::string line = text.substr(begin, end - begin);
    if (line.starts_with('}')) columns -= 2;
    result += std::string(columns, ' ') + line + "\n";
    if (line.ends_with('{')) columns += 2;
    begin = end + 1;
  }
  return result;
}

std::string setup(const targets::Program& program) {
  const size_t refs = program.refs.size(), threads = program.threads.size();
  size_t longest = 8;  // main puts a few times, too
  for (const auto& operations : program.threads) longest = std::max(longest, operations.size() + 1);
  std::string text = "constexpr unsigned kThreads = " + std::to_string(threads) +
                     ", kRefs = " + std::to_string(refs) +
                     ", kCpus = " + std::to_string(program.cpus) +
                     ";\nconstexpr unsigned kPuts = " + std::to_string(longest) +
                     ";  // of one thread, at most\nconstexpr Leftovers kLeftovers = Leftovers::" +
                     leftovers_word(program.leftovers) +
                     ";\n\nconstexpr struct {\n  percpu::Flags flags;\n  bool begins_dead;\n"
                     "  Release release;\n  Ending ending;\n"
                     "  unsigned tokens[kThreads];  // references that main hands to each thread\n"
                     "} kSetup[kRefs] = {\n";
  for (const targets::RefSetup& ref : program.refs) {
    const bool dead = (ref.flags & targets::kFlagDead) != 0;
    text += "    {" + flags_literal(ref.flags) + ", " + (dead ? "true" : "false") +
            ", Release::" + release_word(ref.release) + ", Ending::" + ending_word(ref.ending) +
            ", {";
    for (size_t t = 0; t < threads; ++t)
      text += (t == 0 ? "" : ", ") + std::to_string(ref.tokens[t]);
    text += "}},\n";
  }
  return text + "};\n";
}

std::string thread_function(const targets::Program& program, unsigned t) {
  const auto& operations = program.threads[t];
  std::string text = "void " + targets::thread_name(t) +
                     "() {\n  cpu = " + std::to_string(t % program.cpus) +
                     ";\n  Mine mine[kRefs];\n";
  for (unsigned r = 0; r < program.refs.size(); ++r) {
    const targets::RefFacts facts = targets::ref_facts(program, r);
    const std::string ref = std::to_string(r), mine = "  mine[" + ref + "].";
    text += "  [[maybe_unused]] Object* const ref" + ref + " = shared->objects[" + ref + "];\n";
    if (program.refs[r].tokens[t] != 0)
      text += (program.fail_allocation != 0 ? "  if (ref" + ref + " != nullptr)" : "") + mine +
              "held = " + std::to_string(program.refs[r].tokens[t]) + ";\n";
    if (facts.put_only && facts.controller == t) text += mine + "initial = true;\n";
    if (facts.begins_dead) text += mine + "releases_due = 0;\n";
  }
  for (unsigned i = 0; i < operations.size(); ++i)
    text += "\n  sched::begin_op(" + std::to_string(i + 1) + ");  // " +
            targets::print_operation(operations[i]) + "\n" +
            indented(Call(program, t, i).text(), 2);
  const std::string count = std::to_string(operations.size());
  return text + "\n  sched::begin_op(" + std::to_string(operations.size() + 1) +
         ");\n  wind_down(" + std::to_string(t) + ", mine, " + count + ");\n}\n\n";
}

std::string threads(const targets::Program& program) {
  std::string text, names;
  for (unsigned t = 0; t < program.threads.size(); ++t) {
    text += thread_function(program, t);
    names += (names.empty() ? "" : ", ") + targets::thread_name(t);
  }
  return text + "constexpr void (*kThread[kThreads])() = {" + names + "};\n";
}

// "no_bias_G2": letters, digits and underscores.
std::string test_name(const targets::Artifact& artifact) {
  std::string name =
      artifact.bug.empty() ? artifact.guarantee : artifact.bug + "_" + artifact.guarantee;
  for (char& c : name)
    if (!(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9')) c = '_';
  return name.empty() ? "Fails" : name;
}

std::string schedule(const targets::Artifact& artifact) {
  std::string text =
      "// thread, its operation, the n-th choice in that, who goes on then\n"
      "const std::vector<sched::Choice> kSchedule = {\n";
  for (const sched::Choice& choice : artifact.schedule)
    text += "    {\"" + tame(choice.thread) + "\", " + std::to_string(choice.op) + ", " +
            std::to_string(choice.point) + ", \"" + tame(choice.to) + "\"},\n";
  text += "};\n\nTEST(Regression, " + test_name(artifact) +
          ") {\n  sched::Options options;\n  options.choices = &kSchedule;\n"
          "  options.explain = true;\n";
  if (artifact.memory == targets::Memory::kSequential) text += "  options.weak_memory = false;\n";
  if (artifact.program.plain_points) text += "  options.plain_points = true;\n";
  if (artifact.program.fail_allocation != 0)
    text +=
        "  options.fail_allocation = " + std::to_string(artifact.program.fail_allocation) + ";\n";
  return text +
         "  const sched::Result result = sched::run(program, nullptr, options);\n"
         "  EXPECT_NE(result.verdict, sched::Verdict::kFailed)\n"
         "      << result.failure.guarantee << \" \" << result.failure.message << \", in \" << "
         "result.failure.thread;\n"
         "}\n";
}

std::string head(const targets::Artifact& artifact, const std::string& command,
                 const std::string& libraries) {
  std::string text = "// Fails where " + tame(artifact.guarantee) +
                     " is broken: " + tame(artifact.message) + ".\n";
  text += "// Made of: " + tame(command) + "\n//\n";
  text +=
      "// It runs on the portable platform of core, under sched, instrumented as those are. In the "
      "tree of lastput:\n"
      "//   add_executable(NAME this_file.cc)\n"
      "//   target_link_libraries(NAME " +
      libraries +
      " GTest::gtest_main)\n"
      "//   lastput_under_engine(NAME)";
  return text;
}

void replace(std::string* text, const std::string& place, const std::string& with) {
  text->replace(text->find(place), place.size(), with);
}

// Whether what the program does, and what must hold of it, takes more of the harness than a test would say again.
bool needs_harness(const targets::Program& program) {
  for (const auto& thread : program.threads)
    for (const targets::Operation& op : thread)
      if (op.code == OpCode::kEndThread) return true;
  return program.manager.scan_count != 0 || !program.pools.empty() || !program.lists.empty() ||
         program.misuse || program.slow_callbacks;
}

// What of an artifact says what is run: nothing in it ends a raw string.
targets::Artifact only_what_runs(const targets::Artifact& one_schedule) {
  targets::Artifact artifact;
  artifact.target = one_schedule.target;
  artifact.memory = one_schedule.memory;
  artifact.program = one_schedule.program;
  artifact.has_schedule = true;
  artifact.schedule = one_schedule.schedule;
  for (sched::Choice& choice : artifact.schedule) {
    choice.thread = tame(choice.thread);
    choice.to = tame(choice.to);
  }
  return artifact;
}

std::string harness_test(const targets::Artifact& one_schedule, const std::string& command) {
  std::string text = kEmittedHarnessFrame;
  replace(&text, "LASTPUT_HEAD\n",
          head(one_schedule, command, "targets_harness targets_engine targets_no_coverage") + "\n");
  replace(&text, "LASTPUT_ARTIFACT\n", targets::print(only_what_runs(one_schedule)));
  replace(&text, "LASTPUT_NAME", test_name(one_schedule));
  return text;
}

}  // namespace

std::string emit_test(const targets::Artifact& one_schedule, const sched::Recording& recording,
                      const std::string& command) {
  const targets::Program& program = one_schedule.program;
  if (needs_harness(program)) return harness_test(one_schedule, command);
  const bool sequential = one_schedule.kind() == targets::Kind::kSequential;
  std::string text = sequential ? kEmittedSequentialFrame : kEmittedTestFrame;
  replace(&text, "LASTPUT_HEAD\n",
          head(one_schedule, command, "percpu_portable sched targets_no_coverage") + "\n");
  if (sequential) {
    replace(&text, "LASTPUT_SETUP\n", sequential_setup(program) + "\n");
    replace(&text, "LASTPUT_CALLS\n", sequential_calls(program, recording) + "\n");
  } else {
    replace(&text, "LASTPUT_SETUP\n", setup(program) + "\n");
    replace(&text, "LASTPUT_THREADS\n", threads(program) + "\n");
  }
  replace(&text, "LASTPUT_SCHEDULE\n", schedule(one_schedule) + "\n");
  return text;
}

}  // namespace replay

// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cctype>
#include <iterator>

#include "targets/count.h"
#include "targets/text.h"
#include "targets/text_reader.h"
#include "targets/text_words.h"

namespace targets {
namespace {

constexpr std::string_view kFormatWord = "lastput";

constexpr auto kTargetWords = [] {
  std::array<std::string_view, std::size(kKinds)> words;
  for (size_t i = 0; i < words.size(); ++i) words[i] = kKinds[i].name;
  return words;
}();

// How many threads there are is known only at the end of the text, so setup lines and operations
// are read with the largest ranges, and check() has the last word: `lines` finds where.
struct Lines {
  unsigned setup = 1;
  std::vector<std::vector<unsigned>> operations;
};

// Some of `words`, with | between.
template <typename Words>
uint8_t parse_words(TextReader& reader, const Words& words, const std::string& expected) {
  std::string_view text = reader.word(expected);
  if (text == "none") return 0;
  uint8_t flags = 0;
  while (true) {
    const std::string_view name = text.substr(0, text.find('|'));
    uint8_t flag = 0;
    for (const auto& word : words)
      if (name == word.word) flag = word.flag;
    if (flag == 0) {
      reader.back_to_last_word();
      reader.expect(expected);
    }
    flags = static_cast<uint8_t>(flags | flag);
    if (name.size() == text.size()) return flags;
    text.remove_prefix(name.size() + 1);
  }
}

void parse_tokens(TextReader& reader, RefSetup& ref) {
  const std::string expected = "tokens of each thread, 0..3 with commas between";
  const std::string_view text = reader.word(expected);
  for (size_t i = 0; i < text.size(); ++i) {
    const bool good = i % 2 ? text[i] == ',' : text[i] >= '0' && text[i] <= '3';
    if (!good || text.size() % 2 == 0 || i / 2 >= kMaxThreads) {
      reader.back_to_last_word();
      reader.expect(expected);
    }
    if (i % 2 == 0) ref.tokens[i / 2] = static_cast<uint8_t>(text[i] - '0');
  }
}

RefSetup parse_ref(TextReader& reader) {
  RefSetup ref;
  while (!reader.peek().empty()) {
    const std::string_view word = reader.word("");
    if (word == "flags") {
      ref.flags = parse_words(reader, kFlagWords,
                              "none, or some of atomic dead reinit managed with | between");
    } else if (word == "release") {
      ref.release = static_cast<ReleaseAction>(reader.one_of(kReleaseWords));
    } else if (word == "ending") {
      ref.ending = static_cast<Ending>(reader.one_of(kEndingWords));
    } else if (word == "controller") {
      ref.controller = static_cast<uint8_t>(reader.numbered("thread", "T", 1, kMaxThreads) - 1);
    } else if (word == "tokens") {
      parse_tokens(reader, ref);
    } else {
      reader.back_to_last_word();
      reader.expect("flags, release, ending, controller or tokens");
    }
  }
  return ref;
}

PoolSetup parse_pool(TextReader& reader) {
  PoolSetup pool;
  const auto small = [&](const char* what, uint64_t high) {
    return static_cast<uint8_t>(reader.number(what, 0, high));
  };
  while (!reader.peek().empty()) {
    const std::string_view word = reader.word("");
    if (word == "low") {
      pool.low = small("a number of areas", kMaxLow);
    } else if (word == "high") {
      pool.high = small("a number of areas", kMaxLow + kMaxAboveLow);
    } else if (word == "size") {
      pool.size = small("a number of bytes", UINT8_MAX);
    } else if (word == "align") {
      pool.align = small("a number of bytes", UINT8_MAX);
    } else if (word == "ending") {
      pool.ending = static_cast<PoolEnding>(reader.one_of(kPoolEndingWords));
    } else {
      reader.back_to_last_word();
      reader.expect("low, high, size, align or ending");
    }
  }
  return pool;
}

ListSetup parse_list(TextReader& reader) {
  ListSetup list;
  while (!reader.peek().empty()) {
    const std::string_view word = reader.word("");
    if (word == "form") {
      list.form = static_cast<ListForm>(reader.one_of(kFormWords));
    } else if (word == "elements") {
      list.elements = static_cast<uint8_t>(reader.number("a number of elements", 0, kMaxElements));
    } else {
      reader.back_to_last_word();
      reader.expect("form or elements");
    }
  }
  return list;
}

void parse_setup(TextReader& reader, Program& program) {
  const std::string expected =
      "cpus, schedules, interval, seed, fail_allocation, plain_points, misuse, slow_callbacks, "
      "without, leftovers, manager, ref, pool or list";
  const std::string_view word = reader.word(expected);
  const auto small = [&](const char* what, uint64_t low, uint64_t high) {
    return static_cast<uint8_t>(reader.number(what, low, high));
  };
  if (word == "cpus") {
    program.cpus = small("a number of CPUs", 1, kMaxCpus);
  } else if (word == "schedules") {
    program.schedules = small("a number of schedules", 1, kMaxSchedules);
  } else if (word == "interval") {
    program.interval = small("a mean interval", 0, kMaxInterval);
  } else if (word == "seed") {
    program.seed = static_cast<uint32_t>(reader.number("a seed", 0, UINT32_MAX));
  } else if (word == "fail_allocation") {
    program.fail_allocation = small("the number of an allocation", 0, kMaxFailAllocation);
  } else if (word == "plain_points") {
    program.plain_points = true;
  } else if (word == "misuse") {
    program.misuse = true;
  } else if (word == "slow_callbacks") {
    program.slow_callbacks = true;
  } else if (word == "without") {
    program.without =
        parse_words(reader, kClassWords,
                    "none, or some of many try kill switch revive hand ask manager with | between");
  } else if (word == "leftovers") {
    program.leftovers = static_cast<Leftovers>(reader.one_of(kLeftoversWords));
  } else if (word == "manager") {
    reader.literal("scan_count");
    program.manager.scan_count = small("refs that a run visits", 1, kMaxScanCount);
    program.manager.thread = reader.peek() == "thread";
    if (program.manager.thread) reader.word("");
  } else if (word == "ref") {
    if (program.refs.size() == kMaxRefs) reader.fail("more than 3 refs");
    program.refs.push_back(parse_ref(reader));
  } else if (word == "pool") {
    if (program.pools.size() == kMaxPools) reader.fail("more than 2 pools");
    program.pools.push_back(parse_pool(reader));
  } else if (word == "list") {
    if (program.lists.size() == kMaxLists) reader.fail("more than 2 lists");
    program.lists.push_back(parse_list(reader));
  } else {
    reader.back_to_last_word();
    reader.expect(expected);
  }
}

Operation parse_operation(TextReader& reader) {
  const std::string expected =
      "an operation (get, put, tryget, kill, ...), thread, schedule or end";
  const OpInfo* info = find_operation(reader.word(expected));
  if (info == nullptr) {
    reader.back_to_last_word();
    reader.expect(expected);
  }
  Operation op{info->code, 0, 0};
  if (const char* subject = subject_word(info->needs)) {
    const unsigned most = (info->needs & kRef)    ? kMaxRefs
                          : (info->needs & kPool) ? kMaxPools
                                                  : kMaxLists;
    op.ref = static_cast<uint8_t>(reader.numbered(subject, subject, 0, most - 1));
  }
  if (info->argument == Argument::kThread) {
    op.argument = reader.numbered("thread", "T", 1, kMaxThreads) - 1;
  } else if (const char* thing = argument_word(info->argument)) {
    const unsigned most = info->argument == Argument::kRefNumber ? kMaxRefs : kMaxPools;
    op.argument = reader.numbered(thing, thing, 0, most - 1);
  } else if (info->argument == Argument::kAllocation) {
    op.argument = reader.number("the number of an allocation", 1, kMaxFailAllocation);
  } else if (info->argument == Argument::kRuns) {
    op.argument = reader.number("a number of runs", 1, kMaxRuns);
  } else if (info->argument == Argument::kCpu) {
    op.argument = reader.number("a CPU", 0, kMaxCpus - 1);
  } else if (info->argument == Argument::kSmall) {
    op.argument = reader.number("a number", 0, kMaxSmall);
  } else if (info->argument == Argument::kCount) {
    op.argument = reader.number("a count", 1, uint64_t{1} << 56);
    if (!count_to_byte(op.argument)) {
      reader.back_to_last_word();
      reader.expect("a count of 1..64, 2^k or 2^k-1 (7 <= k <= 56)");
    }
  }
  return op;
}

sched::Choice parse_choice(TextReader& reader) {
  sched::Choice choice;
  choice.thread = reader.word("a thread");
  reader.literal("op");
  choice.op = static_cast<uint32_t>(reader.number("an operation's number", 0, UINT32_MAX));
  reader.literal("point");
  choice.point = static_cast<uint32_t>(reader.number("a point's number", 0, UINT32_MAX));
  reader.literal("->");
  choice.to = reader.word("a thread");
  return choice;
}

// Returns false if the line is no header line.
bool parse_header(TextReader& reader, Artifact& artifact) {
  const std::string_view word = reader.peek();
  if (word == "target") {
    reader.word("");
    artifact.target = kKinds[reader.one_of(kTargetWords)].name;
  } else if (word == "bug") {
    reader.word("");
    artifact.bug = reader.word("a bug's name");
  } else if (word == "count") {
    reader.word("");
    artifact.count = reader.word("a count's name");
  } else if (word == "memory") {
    reader.word("");
    artifact.memory = static_cast<Memory>(reader.one_of(kMemoryWords));
  } else if (word == "fails") {
    reader.word("");
    artifact.guarantee = reader.word("a guarantee (G1, ...)");
    artifact.message = reader.rest_of_line();
  } else if (word == "build") {
    reader.word("");
    artifact.build = reader.rest_of_line();
  } else if (word == "steps") {
    reader.word("");
    artifact.steps = reader.number("a number of steps", 0, UINT64_MAX);
  } else if (word == "hash") {
    reader.word("");
    artifact.hash = reader.number("a hash", 0, UINT64_MAX);
  } else {
    return false;
  }
  return true;
}

void parse_first_line(TextReader& reader) {
  if (!reader.next_line() || reader.peek() != kFormatWord)
    reader.expect("`lastput 1` as the first line");
  reader.word("");
  const uint64_t version = reader.number("a format version", 0, UINT64_MAX);
  if (version != kTextVersion) {
    reader.back_to_last_word();
    reader.fail("format version " + std::to_string(version) + " is not known here: only version " +
                std::to_string(kTextVersion) + " is; it may come from a newer lastput");
  }
  reader.end_of_line();
}

// One line after the first. Returns false at `end`.
bool parse_line(TextReader& reader, Artifact& artifact, Lines& lines) {
  Program& program = artifact.program;
  const std::string_view word = reader.peek();
  if (word == "end") {
    reader.word("");
    return false;
  }
  if (artifact.has_schedule) {
    artifact.schedule.push_back(parse_choice(reader));
  } else if (word == "schedule") {
    reader.word("");
    artifact.has_schedule = true;
  } else if (word == "preempt") {
    reader.word("");
    const auto points = static_cast<uint8_t>(reader.number("a number of points", 0, 255));
    const auto thread = static_cast<uint8_t>(reader.number("a number of a thread", 0, 255));
    program.preemptions.push_back({points, thread});
  } else if (word == "thread") {
    reader.word("");
    const unsigned next = static_cast<unsigned>(program.threads.size()) + 1;
    if (next > kMaxThreads) reader.fail("more than 8 threads");
    reader.literal(thread_name(next - 1));
    program.threads.emplace_back();
    lines.operations.emplace_back();
  } else if (!program.threads.empty()) {
    program.threads.back().push_back(parse_operation(reader));
    lines.operations.back().push_back(reader.line());
  } else if (word == "setup") {
    reader.word("");
    lines.setup = reader.line();
    parse_setup(reader, program);
  } else if (!parse_header(reader, artifact)) {
    reader.expect("target, bug, count, memory, fails, build, steps, hash, setup or thread");
  }
  reader.end_of_line();
  return true;
}

void parse_all(TextReader& reader, Artifact& artifact) {
  parse_first_line(reader);
  artifact.program.refs.clear();
  artifact.program.threads.clear();
  Lines lines;
  do {
    if (!reader.next_line()) reader.fail("the text is cut off: no `end`");
  } while (parse_line(reader, artifact, lines));
  reader.end_of_line();
  const unsigned last_line = reader.line();
  if (reader.next_line()) reader.fail("nothing may follow `end`");
  if (artifact.program.manager.scan_count == 0)
    artifact.program.manager = smallest_program(artifact.kind()).manager;
  const auto default_to_one = [&](Part part, auto& things) {
    if (things.empty() && has_part(artifact.kind(), part)) things.emplace_back();
  };
  default_to_one(kPartRefs, artifact.program.refs);
  default_to_one(kPartPools, artifact.program.pools);
  default_to_one(kPartLists, artifact.program.lists);
  if (artifact.program.threads.empty())
    reader.fail_at(last_line, "a program needs a thread: `thread T1`");
  if (const auto problem = check(artifact.program, artifact.kind())) {
    unsigned line = lines.setup;
    if (problem->thread >= 0 && problem->operation >= 0)
      line = lines.operations[static_cast<size_t>(problem->thread)]
                             [static_cast<size_t>(problem->operation)];
    reader.fail_at(line, problem->text);
  }
}

}  // namespace

std::string ParseError::to_string() const {
  return "line " + std::to_string(line) + ", column " + std::to_string(column) + ": " + message;
}

bool parse(std::string_view text, Artifact* artifact, ParseError* error) {
  TextReader reader(text, error);
  Artifact result;
  try {
    parse_all(reader, result);
  } catch (const ParseFailed&) {
    return false;
  }
  *artifact = std::move(result);
  return true;
}

bool looks_like_text(std::string_view bytes) {
  while (!bytes.empty() &&
         (bytes.front() == '#' || std::isspace(static_cast<unsigned char>(bytes.front())))) {
    const bool comment = bytes.front() == '#';
    const size_t end = comment ? bytes.find('\n') : 0;
    bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
  }
  return bytes.starts_with(kFormatWord);
}

}  // namespace targets

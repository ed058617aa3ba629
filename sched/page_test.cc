// SPDX-License-Identifier: Apache-2.0
// The page itself is tried in a real browser, headless: keys are pressed by a script that is added to it, and
// what it then shows is looked at. Skipped where there is no Chromium.
#include "sched/page.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include "sched/recording_testing.h"

namespace sched {
namespace {

TEST(PageText, IsJsonThatMayStandInAScript) {
  EXPECT_EQ(json_for_page("a\"b\\"), R"("a\u0022b\u005c")");
  EXPECT_EQ(json_for_page("</script><!--&"), R"("\u003c/script\u003e\u003c!--\u0026")");
  EXPECT_EQ(json_for_page(std::string("\0\n\x1b", 3)), R"("\u0000\u000a\u001b")");
  EXPECT_EQ(json_for_page("\xc3\xa4 \xe2\x86\x92 \xf0\x9f\x99\x82"),
            "\"\xc3\xa4 \xe2\x86\x92 \xf0\x9f\x99\x82\"");
}

TEST(PageText, WhatIsNoUtf8IsReplaced) {
  for (const char* bad :
       {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff", "\xe2\x86"})
    EXPECT_NE(json_for_page(bad).find("\\ufffd"), std::string::npos) << testing::PrintToString(bad);
  EXPECT_EQ(json_for_page("\xe2\x86x"), R"("\ufffd\ufffdx")");
}

constexpr const char* kHostile = "</script><script>document.title='owned'</script><b>x</b>";

// main stores 1; a stores 2; b reads the old 1, then 2; a reads a plain byte, and fails.
RecordingBuilder example() {
  RecordingBuilder r;
  r.add(0, StepKind::kOp).value = 1;                           // 0
  r.store(0, 1);                                               // 1
  r.add(1, StepKind::kOp).value = 1;                           // 2
  r.store(1, 2);                                               // 3
  r.plain(1, true, kY + 64).out.steps.back().text = kHostile;  // 4: nobody else's
  r.load(2, 1, 1);                                             // 5: stale
  r.load(2, 2);                                                // 6
  r.load(1, 2);                                                // 7; the failure is row 8
  r.out.choices = {{"b", 0, 3, "a"}};
  r.out.choice_steps = {8};
  return r;
}

std::string example_page() {
  Failure failure;
  failure.kind = FailureKind::kOracle;
  failure.guarantee = "G2";
  failure.message = kHostile;
  failure.thread = "a";
  failure.op = 1;
  failure.steps = 8;
  failure.stacks = {{kHostile, {}}};
  PageOptions options;
  options.title = kHostile;
  options.guarantee_text = "release while held";
  options.operation = [](const std::string& thread, uint32_t) { return "put of " + thread; };
  options.label = [](const std::string& object) { return object + " mode"; };
  options.meaning = [](const std::string&, const std::string& value) { return "is " + value; };
  return print_page(failure, example().out, options);
}

TEST(Page, NeedsNothingElse) {
  const std::string page = example_page();
  EXPECT_EQ(page.find("http://"), page.find("http://www.w3.org/2000/svg"))
      << "a name, not an address";
  EXPECT_EQ(page.find("https://"), std::string::npos);
  EXPECT_EQ(page.find(kHostile), std::string::npos);
}

class Browser : public testing::Test {
 protected:
  void SetUp() override {
    for (const char* name : {"chromium", "chromium-browser", "google-chrome"})
      if (std::system((std::string("command -v ") + name + " >/dev/null").c_str()) == 0)
        browser_ = name;
    if (browser_.empty()) GTEST_SKIP() << "SKIPPED: no Chromium here (Debian: package chromium)";
    folder_ = testing::TempDir() + "lastput_page." + std::to_string(getpid());
    std::filesystem::create_directory(folder_);
  }
  void TearDown() override {
    if (!folder_.empty()) std::filesystem::remove_all(folder_);
  }

  // What the page shows once keys have been pressed, which stand in `keys` with spaces between: the words of
  // some of its parts, a line each. Several such are pressed one after the other, on one page.
  std::vector<std::string> after(const std::vector<std::string>& keys,
                                 const std::string& fragment = "") {
    std::string list;
    for (const std::string& sequence : keys) list += "'" + sequence + "',";
    const std::string file = folder_ + "/page.html";
    std::ofstream(file) << example_page() << "<script>{ const given = [" << list << "];"
                        << R"(
      const text = id => id + ': ' + document.getElementById(id).textContent.replace(/\n/g, ' | ');
      const rows = name => name + ': ' + [...document.querySelectorAll(name)].map(e => e.textContent).join(' | ');
      const arrows = () => 'arrows: ' + [...document.querySelectorAll('svg path')].map(
        p => p.getAttribute('class') + ' ' + p.dataset.from + '-' + p.dataset.to).join(', ');
      const shown = given.map(sequence => {
        for (const key of sequence.split(' ').filter(word => word))
          document.dispatchEvent(new KeyboardEvent('keydown', { key }));
        return ['', document.title, text('failed'), text('step'), text('values'), text('count'), rows('.now'),
          rows('.turn'), rows('.row.bad'), arrows(), 'at ' + location.hash, 'END'].join('\n');
      });
      document.documentElement.textContent = 'SHOWN' + shown.join('');
    }</script>)";
    return parts_of(output_of(browser_ + " --headless --no-sandbox --disable-gpu --user-data-dir=" +
                              folder_ + "/profile --virtual-time-budget=10000 --dump-dom 'file://" +
                              file + fragment + "' 2>/dev/null"),
                    keys.size());
  }

 private:
  static std::string output_of(const std::string& command) {
    std::string output;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    for (size_t got = 0; pipe != nullptr && (got = fread(buffer, 1, sizeof buffer, pipe)) > 0;)
      output.append(buffer, got);
    if (pipe != nullptr) pclose(pipe);
    return output;
  }
  static std::vector<std::string> parts_of(const std::string& dom, size_t count) {
    std::vector<std::string> parts;
    for (size_t at = dom.find("SHOWN\n"), end = at;
         (end = dom.find("\nEND", at)) != std::string::npos; at = end + 4)
      parts.push_back(dom.substr(at, end + 1 - at));
    parts.resize(count, "nothing of ours: " + dom.substr(0, 200));
    return parts;
  }

  std::string browser_, folder_;
};

void expect_words(const std::string& shown, std::initializer_list<const char*> words) {
  for (const char* word : words)
    EXPECT_NE(shown.find(word), std::string::npos) << word << "\n" << shown;
}

TEST_F(Browser, BeginsAtTheFailureAndTakesWordsAsWords) {
  expect_words(
      after({""})[0],
      {"FAILED: G2 (release while held)", "FAILS at step 8, a", "at #row=8\n", ".row.bad: 8",
       "x mode2 (is 2)a 4", "arrows: old 1-5", "G2: &lt;/script&gt;&lt;script&gt;document.title"});
}

TEST_F(Browser, KeysStep) {
  const std::vector<std::string> shown =
      after({"Home", "Home ArrowDown", "Home ArrowUp", "Home End", "End ArrowDown", "End ArrowUp",
             "Home n", "Home n n", "Home n n r", "Home n n n", "End p p", "a", "a"});
  expect_words(shown[0], {"at #row=0\n", "== op 1: put of main"});
  expect_words(shown[1], {"at #row=1\n", "x mode1 (is 1)main 2"});
  expect_words(shown[2], {"at #row=0\n"});
  expect_words(shown[3], {"at #row=8\n"});
  expect_words(shown[4], {"at #row=8\n"});
  expect_words(shown[5], {"at #row=7\n", "reads what a stored at step 4", "this 3-7"});
  expect_words(shown[6], {"at #row=2\n"});
  expect_words(shown[7], {"at #row=5\n", "(stale: 1 newer)", "this 1-5"});
  expect_words(shown[8], {"at #row=1\n"});
  expect_words(shown[9], {"at #row=7\n", "b op 0 point 3 -&gt; a"});
  expect_words(shown[10], {"at #row=5\n"});
  expect_words(shown[11], {"8 steps, 1 left out"});
  expect_words(shown[12], {"9 steps\n"});
}

TEST_F(Browser, AnAddressNamesARow) {
  expect_words(after({""}, "#row=3")[0], {"at #row=3\n", "x: 0 -&gt; 2  store"});
  expect_words(after({""}, "#row=999999")[0], {"at #row=8\n"});
}

}  // namespace
}  // namespace sched

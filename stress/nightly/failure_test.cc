// SPDX-License-Identifier: Apache-2.0
#include "stress/nightly/failure.h"

#include <gtest/gtest.h>

namespace nightly {
namespace {

using Words = std::vector<std::string>;

// A soak without a sanitizer; its frames have been named by addr2line (stress/nightly.sh).
constexpr char kPlain[] =
    R"(lastput: stress, 2 threads, 20 s, seed 3, bug none (real plain linux, x)
/x/stress(_ZN7targets15print_own_stackEv+0x2e)[0x55f5701e8ffe]
FAILED: G6 (counts over a switch), oracle, on real threads
  object 0 was released one reference early
  in a thread of the core, or main
written: out/artifacts/stress/signals-3-1
on the engine: ./lastput replay out/artifacts/stress/signals-3-1/program.lastput
again: ./lastput stress signals --seconds=20 --threads=2 --seed=3
SUMMARY: lastput: G6 (counts over a switch) in signals on real threads
the stack, by addr2line:
    #0 targets::print_own_stack() /x/targets/sanitizer_report.cc:88
    #1 stress::end_with(stress::Finding const&) /x/stress/report.cc:213
    #2 targets::guarantee_G6_counts_conserved(char const*) /x/targets/guarantees.cc:31
    #3 stress::(anonymous namespace)::RefSoak::settle(stress::(anonymous namespace)::Object&) /x/stress/ref_soak.cc:400
    #4 stress::(anonymous namespace)::RefSoak::end_round() /x/stress/ref_soak.cc:300 (discriminator 2)
    #5 stress::Runner::run_round(std::chrono::duration<long, std::ratio<1l, 1000l> >) /x/stress/runner.cc:209
)";

TEST(FailureTest, OfASoakHasGuaranteeStackAndCommands) {
  ASSERT_TRUE(tells_failure(kPlain));
  const Failure failure = failure_in(kPlain);
  EXPECT_EQ(failure.guarantee, "G6");
  EXPECT_EQ(failure.about, "counts over a switch");
  EXPECT_EQ(failure.message, "object 0 was released one reference early");
  EXPECT_EQ(failure.summary, "lastput: G6 (counts over a switch) in signals on real threads");
  EXPECT_EQ(failure.stack, (Words{"stress::RefSoak::settle", "stress::RefSoak::end_round"}));
  EXPECT_EQ(failure.commands,
            Words{"./lastput replay out/artifacts/stress/signals-3-1/program.lastput"});
  EXPECT_EQ(failure.artifact, "out/artifacts/stress/signals-3-1");
  EXPECT_EQ(failure.key, "G6 stress/ref_soak.cc:settle stress/ref_soak.cc:end_round");
}

std::string sanitizer_log(const std::string& caller, const std::string& line) {
  return "==1==ERROR: AddressSanitizer: heap-use-after-free on address 0x602000000010\n"
         "WRITE of size 8 at 0x602000000010 thread T2\n"
         "    #0 0x5581aa in std::atomic<unsigned long>::fetch_sub(unsigned long) "
         "/usr/include/c++/12/bits/atomic_base.h:628:9\n"
         "    #1 0x5581ab in percpu::linux_rseq::Ref::put_many(unsigned long) /y/core/ref.h:" +
         line +
         ":7\n"
         "    #2 0x5581ac in " +
         caller +
         " /y/stress/found_soak.cc:120:3\n"
         "    #3 0x7f12 in start_thread nptl/pthread_create.c:442:8\n"
         "SUMMARY: AddressSanitizer: heap-use-after-free /y/core/ref.h:" +
         line +
         ":7 in percpu::Ref::put_many\n"
         "FAILED: G8 (memory), sanitizer, on real threads\n  AddressSanitizer: "
         "heap-use-after-free\n"
         "SUMMARY: lastput: G8 (memory) in churn on real threads\n";
}

TEST(FailureTest, FunctionsOfCoreTellWhateverCalledThemAndWhateverTheLine) {
  const Failure one = failure_in(
      sanitizer_log("stress::(anonymous namespace)::FoundSoak::step(stress::Worker&)", "210"));
  const Failure two = failure_in(
      sanitizer_log("stress::(anonymous namespace)::ListSoak::step(stress::Worker&)", "214"));
  EXPECT_EQ(one.key, "G8 core/ref.h:put_many");
  EXPECT_EQ(one.key, two.key);
  EXPECT_NE(one.stack, two.stack);
}

TEST(FailureTest, OfARaceEitherThreadMayComeFirst) {
  const std::string begin =
      "WARNING: ThreadSanitizer: data race (pid=1)\n  Read of size 8 at 0x72 by main thread:\n";
  const std::string reader =
      "    #0 std::string::size() const /usr/include/c++/12/bits/basic_string.h:1061:14 "
      "(stress+0x14b35b)\n"
      "    #1 stress::Adversity::obstacles[abi:cxx11]() const /z/stress/adversity.cc:64:16 "
      "(stress+0x14b35b) (BuildId: 4a9b)\n";
  const std::string writer =
      "    #0 stress::Adversity::leave_out(stress::Trouble, int) /z/stress/adversity.cc:115:45 "
      "(stress+0x14c83a)\n"
      "    #1 stress::Adversity::start()::$_0::operator()() const /z/stress/adversity.cc:53:34 "
      "(stress+0x14c983)\n";
  const std::string end = "SUMMARY: lastput: G7 (writes not ordered) in pool on real threads\n";
  const Failure one = failure_in(begin + reader + "\n  Previous write:\n" + writer + end);
  const Failure two = failure_in(begin + writer + "\n  Previous read:\n" + reader + end);
  EXPECT_EQ(one.key, "G7 stress/adversity.cc:leave_out stress/adversity.cc:obstacles");
  EXPECT_EQ(one.key, two.key);
}

TEST(FailureTest, OnTheEngineFramesHaveNoAddress) {
  const Failure failure = failure_in(
      "FAILED: G2, oracle\n  ref0 was released while T1 holds it\n  in thread T2\n\n  failed in "
      "T2:\n"
      "    #0 targets::guarantee_G2_no_release_while_held targets/guarantees.def:4\n"
      "    #1 percpu::Ref::put core/ref.h:210\n    #2 targets::Actor::put "
      "targets/actor_calls.cc:12\n"
      "replay: ./lastput replay out/artifacts/percpu_ref/failure-G2-1.lastput\n"
      "SUMMARY: lastput: G2 (release while held) in percpu_ref_fuzzer\n"
      "SUMMARY: libFuzzer: deadly signal\n");
  EXPECT_EQ(failure.summary, "lastput: G2 (release while held) in percpu_ref_fuzzer");
  EXPECT_EQ(failure.key, "G2 core/ref.h:put");
  EXPECT_EQ(failure.commands,
            Words{"./lastput replay out/artifacts/percpu_ref/failure-G2-1.lastput"});
}

TEST(FailureTest, WithoutAFrameOfOursTheSentenceTellsButNotItsNumbers) {
  const auto key = [](const std::string& message) {
    return failure_in("FAILED: G9 (progress), hang, on real threads\n  " + message +
                      "\nSUMMARY: lastput: G9 (progress) in pool on real threads\n")
        .key;
  };
  EXPECT_EQ(key("worker 1 has not come on for 30 s"), key("worker 12 has not come on for 31 s"));
  EXPECT_NE(key("worker 1 has not come on for 30 s"), key("a round has not ended for 30 s"));
}

TEST(FailureTest, WhatOnlyASanitizerToldIsOneToo) {
  const Failure failure = failure_in(
      "x\nSUMMARY: UndefinedBehaviorSanitizer: undefined-behavior /x/core/pool.cc:3:4\n");
  EXPECT_EQ(failure.guarantee, "UndefinedBehaviorSanitizer");
  EXPECT_FALSE(tells_failure("lastput: 1 scenarios clean\n"));
}

TEST(FailureTest, NamesAreWithoutWhatDiffersByCompiler) {
  EXPECT_EQ(plain_function("void percpu::linux_rseq::Ref::put<1>(unsigned long) [clone .isra.0]"),
            "percpu::Ref::put");
  EXPECT_EQ(
      plain_function("stress::(anonymous "
                     "namespace)::Soak::step(Worker&)::{lambda(int)#1}::operator()(int) const"),
      "stress::Soak::step");
  EXPECT_EQ(plain_function("main"), "main");
}

}  // namespace
}  // namespace nightly

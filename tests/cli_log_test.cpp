// Logs and metrics that cannot be written: told once, and status 1 where all else was done.

#include <gtest/gtest.h>

#include "fake_machine.hpp"

namespace weir::test {
namespace {

std::size_t times(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

constexpr const char* kFull = "/dev/full: cannot be written: No space left on device";

TEST(CliLog, ALogThatTakesNoLineIsToldOnceAndMakesOneOfZero) {
  const FakeMachine machine;
  const auto run = [&](const std::string& words) { return machine.run_shell("weir run " + words); };
  for (const char* words : {"--log /dev/full -- true", "--log /dev/full --quiet -- true",
                            "--log /dev/full -- test -d {} ::: /usr /tmp /bin"}) {
    const ProgramResult ended = run(words);
    EXPECT_EQ(ended.status, 1) << words << ended.out;
    EXPECT_EQ(times(ended.out, kFull), 1U) << words << ended.out;
  }
  const ProgramResult failed = run("--log /dev/full -- sh -c \"exit 7\"");
  EXPECT_EQ(failed.status, 7) << "the command's own status goes first";
  EXPECT_EQ(times(failed.out, kFull), 1U) << failed.out;
  EXPECT_EQ(run("--log good.jsonl -- true").status, 0);
}

TEST(CliLog, MetricsThatCannotBeWrittenAreToldOnceAndMakeOneOfZero) {
  const FakeMachine machine;
  for (const char* words : {"-- true", "-- test -d {} ::: /usr /tmp /bin"}) {
    const ProgramResult ended = machine.run_shell(std::string{"weir run --metrics-file /proc/no/such "} + words);
    EXPECT_EQ(ended.status, 1) << words << ended.out;
    EXPECT_EQ(times(ended.out, "--metrics-file: "), 1U) << words << ended.out;
  }
  EXPECT_EQ(machine.run_shell("weir run --metrics-file m -- test -d {} ::: /usr").status, 0);
}

TEST(CliLog, BothAreTold) {
  const FakeMachine machine;
  const ProgramResult ended = machine.run_shell("weir run --log /dev/full --metrics-file /proc/no/such -- true");
  EXPECT_EQ(ended.status, 1);
  EXPECT_EQ(times(ended.out, kFull) + times(ended.out, "--metrics-file: "), 2U) << ended.out;
}

}  // namespace
}  // namespace weir::test

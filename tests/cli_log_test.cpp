// Tests of the built program: logs and metrics that cannot be written are reported once, and a run that otherwise
// succeeded has the exit status 1.

#include <gtest/gtest.h>

#include "fake_machine.hpp"

namespace weir::test {
namespace {

/// Returns how often `part` occurs in the text.
std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + part.size())) ++count;
  return count;
}

constexpr const char* kFull = "/dev/full: cannot be written: No space left on device";

TEST(CliLog, ALogThatCannotBeWrittenIsReportedOnceAndTurnsStatus0Into1) {
  const FakeMachine machine;
  const auto run = [&](const std::string& arguments) { return machine.run_shell("weir run " + arguments); };
  for (const char* arguments : {"--log /dev/full -- true", "--log /dev/full --quiet -- true",
                                "--log /dev/full -- test -d {} ::: /usr /tmp /bin"}) {
    const ProgramResult result = run(arguments);
    EXPECT_EQ(result.status, 1) << arguments << result.out;
    EXPECT_EQ(count_of(result.out, kFull), 1U) << arguments << result.out;
  }
  const ProgramResult failed = run("--log /dev/full -- sh -c \"exit 7\"");
  EXPECT_EQ(failed.status, 7) << "the status of a failed command is kept";
  EXPECT_EQ(count_of(failed.out, kFull), 1U) << failed.out;
  EXPECT_EQ(run("--log good.jsonl -- true").status, 0);
}

TEST(CliLog, MetricsThatCannotBeWrittenAreReportedOnceAndTurnStatus0Into1) {
  const FakeMachine machine;
  for (const char* arguments : {"-- true", "-- test -d {} ::: /usr /tmp /bin"}) {
    const ProgramResult result = machine.run_shell(std::string{"weir run --metrics-file /proc/no/such "} + arguments);
    EXPECT_EQ(result.status, 1) << arguments << result.out;
    EXPECT_EQ(count_of(result.out, "--metrics-file: "), 1U) << arguments << result.out;
  }
  EXPECT_EQ(machine.run_shell("weir run --metrics-file m -- test -d {} ::: /usr").status, 0);
}

TEST(CliLog, FilesOfOtherProgramsAreNotReplaced) {
  const FakeMachine machine;
  machine.folder().put("notes.txt", "notes");
  ASSERT_EQ(machine.run_shell("weir run --log log.jsonl -- test -d {} ::: /usr").status, 0);
  for (const char* arguments : {"run --log notes.txt -- true", "run --metrics-file notes.txt -- true",
                                "run --log notes.txt -- test -d {} ::: /usr", "report log.jsonl -o notes.txt"}) {
    const ProgramResult result = machine.run_shell(std::string{"weir "} + arguments);
    EXPECT_NE(result.status, 0) << arguments;
    EXPECT_EQ(count_of(result.out, "notes.txt: exists and is no "), 1U) << arguments << result.out;
    EXPECT_EQ(machine.folder().text("notes.txt"), "notes") << arguments;
  }
}

TEST(CliLog, FilesOfWeirAreContinuedOrReplaced) {
  const FakeMachine machine;
  for (int i = 0; i < 2; ++i) {
    const ProgramResult result =
        machine.run_shell("weir run --log l.jsonl --metrics-file m.prom -- test -d {} ::: /usr");
    EXPECT_EQ(result.status, 0) << result.out;
    EXPECT_EQ(machine.run_shell("weir report l.jsonl -o page.html").status, 0);
  }
  EXPECT_EQ(count_of(machine.folder().text("l.jsonl"), "run_start"), 2U);
}

TEST(CliLog, BothAreReported) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell("weir run --log /dev/full --metrics-file /proc/no/such -- true");
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(count_of(result.out, kFull) + count_of(result.out, "--metrics-file: "), 2U) << result.out;
}

}  // namespace
}  // namespace weir::test

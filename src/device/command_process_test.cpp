#include "device/command_process.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <csignal>

#include "device/command_guardian.hpp"
#include "device/descendants.hpp"
#include "device/machines_test.hpp"
#include "device/marked_processes.hpp"
#include "device/processes_test.hpp"
#include "device/unleased_use.hpp"

namespace weir::device {
namespace {

/// Runs a command to its end, without a grace period. Its environment has WEIR_TEST=x and, in TMP_MARK, the path of a
/// file that does not exist yet.
CommandResult run(const std::vector<std::string>& arguments, std::optional<std::chrono::milliseconds> limit = {},
                  const std::stop_token& stop = {}) {
  const test::Folder folder;
  auto process = CommandProcess::start(
      {.arguments = arguments, .environment = {{"WEIR_TEST", "x"}, {"TMP_MARK", (folder / "here").native()}}});
  EXPECT_TRUE(process) << process.error().what;
  return process->wait({.time_limit = limit, .stop = stop, .first_signal = {}, .grace_period = {}},
                       std::chrono::milliseconds{10}, {});
}

TEST(CommandProcess, PassesTheStatusThrough) {
  EXPECT_EQ(run({"sh", "-c", "exit 3"}).status, 3);
  EXPECT_EQ(run({"sh", "-c", "test \"$WEIR_TEST\" = x"}).status, 0);
  const CommandResult killed = run({"sh", "-c", "kill -TERM $$"});
  EXPECT_EQ(killed.status, 128 + SIGTERM);
  EXPECT_EQ(killed.signal, SIGTERM);
}

TEST(CommandProcess, ThePeakMemoryIsKnownEvenIfTheCommandEndsAtOnce) {
  EXPECT_GT(run({"true"}).peak_resident, Bytes{});
  // The shell holds 96 million bytes, which are 91.6 MiB.
  EXPECT_GT(run({"sh", "-c", "x=$(head -c 96000000 /dev/zero | tr '\\0' a)"}).peak_resident, 90_MiB);
}

TEST(CommandProcess, TheTickIsCalledAtOnce) {
  auto process = CommandProcess::start({.arguments = {"sleep", "1000"}, .environment = {}});
  ASSERT_TRUE(process);
  std::stop_source stop;
  process->wait({.time_limit = {}, .stop = stop.get_token(), .first_signal = {}, .grace_period = {}},
                std::chrono::hours{1}, [&] { stop.request_stop(); });
  EXPECT_TRUE(stop.stop_requested()) << "the first call must not wait for the interval of an hour";
}

TEST(CommandProcess, ReportsWhyItCannotStart) {
  const auto missing = CommandProcess::start({.arguments = {"no-such-program"}, .environment = {}});
  ASSERT_FALSE(missing);
  EXPECT_EQ(start_failure_status(missing.error()), 127);
  const auto forbidden = CommandProcess::start({.arguments = {"/etc/passwd"}, .environment = {}});
  ASSERT_FALSE(forbidden);
  EXPECT_EQ(start_failure_status(forbidden.error()), 126);
  EXPECT_FALSE(CommandProcess::start({.arguments = {}, .environment = {}}));
}

TEST(CommandProcess, TheTimeLimitEndsTheCommandAndItsChildren) {
  const CommandResult result = run({"sh", "-c", "sleep 1000 & sleep 1000"}, std::chrono::milliseconds{50});
  EXPECT_TRUE(result.timed_out);
  EXPECT_EQ(result.signal, SIGTERM);
}

TEST(CommandProcess, ProcessesThatOutliveItAreFoundAndEnded) {
  // The sleeping process is a daemon: it is in another session and gets another parent.
  const CommandResult result = run({"sh", "-c",
                                    "setsid sleep 1000 >/dev/null 2>&1 & "
                                    "for i in $(seq 500); do grep -q sleep /proc/$!/comm && exit 0; sleep 0.01; done"});
  EXPECT_EQ(result.status, 0);
  ASSERT_EQ(result.leftover_processes.size(), 1u);
  EXPECT_EQ(result.leftover_processes[0].end_state, EndedProcess::EndState::terminated);
  EXPECT_NE(describe(result.leftover_processes).find("'sleep'"), std::string::npos)
      << describe(result.leftover_processes);
}

TEST(CommandProcess, ADaemonWithAnEmptyEnvironmentIsFoundAndEnded) {
  // The sleeping process has no WEIR_MARK, is in another session, and its parent has ended.
  const CommandResult result = run({"sh", "-c", "env -i setsid sleep 1000 >/dev/null 2>&1 & sleep 0.1; exit 0"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.leftover_processes.size(), 1u);
}

TEST(CommandProcess, AProcessThatIgnoresSigtermIsKilledAndReported) {
  const CommandResult result = run({"sh", "-c",
                                    "setsid sh -c 'trap \"\" TERM; touch $0; while :; do sleep 1; done' \"$TMP_MARK\" "
                                    ">/dev/null 2>&1 & while ! test -e \"$TMP_MARK\"; do sleep 0.01; done"});
  EXPECT_EQ(result.status, 0);
  ASSERT_GE(result.leftover_processes.size(), 1u);
  EXPECT_TRUE(std::any_of(result.leftover_processes.begin(), result.leftover_processes.end(),
                          [](const EndedProcess& one) { return one.end_state == EndedProcess::EndState::killed; }))
      << describe(result.leftover_processes);
  EXPECT_NE(describe(result.leftover_processes).find("(killed: it did not end when asked)"), std::string::npos);
  EXPECT_EQ(std::count_if(result.leftover_processes.begin(), result.leftover_processes.end(),
                          [](const EndedProcess& one) { return !is_gone_or_zombie(one.pid); }),
            0);
}

TEST(CommandProcess, OrphansThatEndByThemselvesLeaveNoZombies) {
  const auto before = children_of(getpid());
  const CommandResult result = run({"sh", "-c", "for i in 1 2 3; do setsid true & done; sleep 0.1"});
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(children_of(getpid()), before);
}

TEST(CommandProcess, AStopRequestEndsTheCommand) {
  std::stop_source stop;
  stop.request_stop();
  const CommandResult result = run({"sleep", "1000"}, {}, stop.get_token());
  EXPECT_TRUE(result.stopped);
}

TEST(CommandProcess, TheCommandEndsWhenItsParentIsKilled) {
  const test::Shared<std::atomic<pid_t>> started;
  const pid_t parent = test::start_child([&] {
    auto process = CommandProcess::start({.arguments = {"sleep", "1000"}, .environment = {}});
    *started = process->pid();
    for (;;) pause();
    return 0;
  });
  ASSERT_TRUE(test::eventually([&] { return *started != 0; }));
  kill(parent, SIGKILL);
  test::wait_for(parent);
  EXPECT_TRUE(test::eventually([&] {
    // In a container there may be no process that waits for the dead command, so a zombie counts as dead.
    std::ifstream stat{"/proc/" + std::to_string(started->load()) + "/stat"};
    std::string text;
    return !std::getline(stat, text) || text.find(") Z ") != std::string::npos;
  }));
}

TEST(CommandGuardian, AReportOfManyProcessesWithAnyNamesFitsIntoTheReadersBuffer) {
  for (const char character : {'\xff', '\x01', '"', 'a'}) {
    GuardianReport report{.kind = GuardianReport::Kind::ended, .error = {}, .result = {}, .leftover_processes = {}};
    for (int i = 0; i < 150; ++i)
      report.leftover_processes.push_back(
          {4'000'000 + i, std::string(4000, character), EndedProcess::EndState::survived});
    const std::string message = to_message(report);
    EXPECT_LE(message.size(), kMaxReportBytes);
    const auto parsed = parse_report(message);
    ASSERT_TRUE(parsed);
    EXPECT_EQ(parsed->leftover_processes.size(), 100u);
  }
}

TEST(CommandProcess, ReportsThatANameOfAnyLengthCannotBeRun) {
  for (const std::string& name : {std::string(100'000, 'x'), std::string(100'000, '\x01')}) {
    const auto refused = CommandProcess::start({.arguments = {name}, .environment = {}});
    ASSERT_FALSE(refused);
    EXPECT_NE(refused.error().what.find("cannot be run: File name too long"), std::string::npos)
        << refused.error().what.substr(0, 200);
  }
}

TEST(UnleasedUse, AnIdleCardHasNoUse) {
  Device device = test::make_device(test::kRtx3090);
  device.used = test::on_device(300_MiB);
  EXPECT_FALSE(find_unleased_use(device, {}));
  device.processes = {{10, "Xorg", test::on_device(100_MiB), {}}};
  EXPECT_FALSE(find_unleased_use(device, {}));
}

TEST(UnleasedUse, TheTextNamesProcessesLastHolderAndCommand) {
  Device device = test::make_device(test::kRtx3090);
  device.used = test::on_device(6_GiB);
  device.processes = {{4242, "python train.py", test::on_device(5_GiB), {}}, {17, "us", test::on_device(1_GiB), {}}};
  const auto use = find_unleased_use(device, {17});
  ASSERT_TRUE(use);
  ASSERT_EQ(use->processes.size(), 1u);
  OwnerRecord last = make_owner_record("nightly");
  last.process.start_ticks += 1;  // the record then belongs to a process that has ended
  const std::string text = describe(device, *use, last);
  EXPECT_NE(text.find("6 GiB are in use"), std::string::npos) << text;
  EXPECT_NE(text.find("pid 4242 'python train.py' (5 GiB)"), std::string::npos) << text;
  EXPECT_NE(text.find("died without giving it back"), std::string::npos) << text;
  EXPECT_NE(text.find("kill 4242"), std::string::npos) << text;
}

TEST(UnleasedUse, TheMemoryOfTheProcessesCountsIfThatOfTheCardIsNotKnown) {
  Device device = test::make_device(test::kRtx3090);
  device.processes = {{10, "one", test::on_device(300_MiB), {}}, {11, "two", test::on_device(300_MiB), {}}};
  const auto use = find_unleased_use(device, {});
  ASSERT_TRUE(use);
  EXPECT_EQ(use->used, 600_MiB);
  EXPECT_FALSE(find_unleased_use(device, {11}));
}

TEST(UnleasedUse, MemoryInUseWithoutAListedProcessIsReported) {
  Device device = test::make_device(test::kRtx3090);
  device.used = test::on_device(6_GiB);
  const auto use = find_unleased_use(device, {});
  ASSERT_TRUE(use);
  EXPECT_NE(describe(device, *use, {}).find("fuser"), std::string::npos);
}

}  // namespace
}  // namespace weir::device

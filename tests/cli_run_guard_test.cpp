// Tests of the built program on invented machines (fake_machine.hpp): weir run with one command and with items. Memory on
// devices, leases, processes that outlive commands, drivers that hang, and signals.

#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <sstream>

#include <sys/stat.h>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "device/process_identity.hpp"
#include "fake_machine.hpp"
#include "places.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

// The start of a line "card" of the fake machine; used and reserved memory in MiB follow.
constexpr const char* kCard =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 ";

/// Runs `weir run` without Vulkan drivers, which would find the software devices of the real machine.
ProgramResult weir_run(const FakeMachine& machine, std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "run");
  return machine.run_weir(arguments, {{"VK_DRIVER_FILES", "/nonexistent"}});
}

TEST(CliRunItemsGuard, TheVariantThatFitsIsTakenRecordedAndUpgraded) {
  const FakeMachine machine{std::string{kCard} + "20000 300\n"};  // 4.2 GiB are free
  std::vector<std::string> arguments{"--variants", "medium=5G,small=2G", "--", "echo", "{variant}", "{}", ":::", "a"};
  const ProgramResult result = weir_run(machine, arguments);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "small a\n");
  EXPECT_TRUE(result.error_contains("1 with a smaller variant")) << result.error;
  machine.set_machine(std::string{kCard} + "100 300\n");
  arguments.insert(arguments.begin(), "--resume");
  EXPECT_TRUE(weir_run(machine, arguments).error_contains("1 done before"));
  arguments.insert(arguments.begin(), "--upgrade");
  EXPECT_TRUE(weir_run(machine, arguments).error_contains("1 of 1 commands done (1 again)"));
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "medium a\n");
}

TEST(CliRunItemsGuard, IfNoItemFitsTheStatusIsThree) {
  const FakeMachine machine{std::string{kCard} + "20000 300\n"};
  const ProgramResult refused = weir_run(machine, {"--need", "10G", "--", "echo", ":::", "a", "b"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.error_contains("needs 10 GiB")) << refused.error;
  const ProgramResult denied = weir_run(machine, {"--deny", "*", "--", "echo", ":::", "a"});
  EXPECT_EQ(denied.status, 3);
  EXPECT_TRUE(denied.error_contains("denied by '*'")) << denied.error;
}

TEST(CliRunItemsGuard, ItemsThatShareACardWaitForItsMemory) {
  const FakeMachine machine{std::string{kCard} + "20000 300\n"};  // enough for one item of 3 GiB at a time
  const ProgramResult result =
      weir_run(machine, {"-j", "2", "--gpu-jobs", "2", "--need", "3G", "--", "sh", "-c",
                         "mkdir busy || echo clash; sleep 0.3; rmdir busy", "{}", ":::", "a", "b"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log") + machine.folder().text("weir-run/b.log"), "");
}

TEST(CliRunItemsGuard, WorkOnAnotherCardFails) {
  const FakeMachine machine;
  const ProgramResult result = weir_run(
      machine,
      {"--device", "3090", "--", "sh", "-c", "echo \"process 1 $$ 900\" >> $FAKE_NVML; exec sleep 1000", ":::", "a"});
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("got NVIDIA GeForce RTX 5060 Ti")) << result.error;
}

TEST(CliRunItemsGuard, ACardThatKeepsMemoryThatNobodyHoldsIsQuarantined) {
  const FakeMachine machine;
  const ProgramResult result = weir_run(
      machine, {"--prefer", "*3090*", "--log", "log.jsonl", "--", "sh", "-c",
                "echo $CUDA_VISIBLE_DEVICES; sed -i 's/24576 100 /24576 600 /' $FAKE_NVML", "{}", ":::", "a", "b"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("500 MiB are in use on NVIDIA GeForce RTX 3090")) << result.error;
  EXPECT_TRUE(result.error_contains("nvidia-smi --gpu-reset -i GPU-aaaa0000-1111-2222-3333-444455556666"))
      << result.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "GPU-bbbb0000-1111-2222-3333-444455556666\n");
  EXPECT_EQ(machine.folder().text("weir-run/b.log"), "GPU-bbbb0000-1111-2222-3333-444455556666\n");
  const std::string log = machine.folder().text("log.jsonl");
  EXPECT_NE(log.find("\"event\":\"test_complete\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"item_retry\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"emergency_reset_failed\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"error\""), std::string::npos);
}

/// The memory may be that of another holder of the shared lease.
TEST(CliRunGuard, InsideASharedLeaseNoLeakIsLookedFor) {
  for (const bool shared : {false, true}) {
    const FakeMachine machine{std::string{kCard} + "100 300\n"};
    machine.folder().put("grow", "sed -i 's/24576 100 /24576 600 /' $FAKE_NVML\n");
    const ProgramResult result =
        machine.run_shell(std::string{"weir lease hold --device 3090 "} + (shared ? "--slots 2 " : "") +
                          "-- weir run --device 3090 -- sh grow");
    EXPECT_EQ(result.status, shared ? 0 : 125) << result.out;
    EXPECT_EQ(result.out.find("no process holds them") == std::string::npos, shared) << result.out;
  }
}

/// The item that leaked has run, so it has failed; the items after it never start, so they are refused.
TEST(CliRunItemsGuard, WhenTheOnlyCardIsQuarantinedTheLeakIsAFailureAndTheRestIsRefused) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  for (const bool quiet : {false, true}) {
    machine.set_machine(std::string{kCard} + "100 300\n");
    std::vector<std::string> arguments{"--",  "sh", "-c", "sed -i 's/24576 100 /24576 600 /' $FAKE_NVML",
                                       ":::", "a",  "b"};
    if (quiet) arguments.insert(arguments.begin(), "--quiet");
    const ProgramResult result = weir_run(machine, arguments);
    EXPECT_EQ(result.status, 1) << result.error;
    EXPECT_TRUE(result.error_contains(
        "a: it ended with exit status 0 and leaked: 500 MiB that no process holds stay on NVIDIA GeForce "
        "RTX 3090 at 0000:02:00.0, which is left out of the rest of this run; no other device is "
        "allowed"))
        << result.error;
    EXPECT_TRUE(result.error_contains("left out of this run: memory that no process holds stays there"))
        << result.error;
    EXPECT_FALSE(result.error_contains("denied by")) << result.error;
    EXPECT_FALSE(result.error_contains("it is tried again")) << result.error;
    EXPECT_FALSE(result.error_contains("nothing could start")) << result.error;
  }
}

TEST(CliRunItemsGuard, ASingleItemThatLeaksFails) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  const ProgramResult result = weir_run(
      machine, {"--json", "--", "sh", "-c", "sed -i 's/24576 100 /24576 250 /' $FAKE_NVML; exit 7", ":::", "150"});
  EXPECT_EQ(result.status, 1) << result.error;
  EXPECT_TRUE(result.error_contains("it ended with exit status 7 and leaked: 150 MiB")) << result.error;
  EXPECT_EQ(result.out.find("\"refused\":true"), std::string::npos) << result.out;
}

TEST(CliRunItemsGuard, MemoryOfAnotherProgramIsNoLeak) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  const ProgramResult result = weir_run(
      machine, {"--metrics-file", "metrics.prom", "--log", "log.jsonl", "--", "sh", "-c",
                "sed -i 's/24576 100 /24576 600 /' $FAKE_NVML; echo 'process 0 1 500' >> $FAKE_NVML", ":::", "a"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("is used without a lease by pid 1")) << result.error;
  const std::string metrics = machine.folder().text("metrics.prom");
  EXPECT_NE(metrics.find("gpu_memory_leak_bytes{device=\"NVIDIA GeForce RTX 3090 at 0000:02:00.0\"} 524288000"),
            std::string::npos)
      << metrics;
  EXPECT_NE(metrics.find("gpu_utilization_percent{"), std::string::npos);
  EXPECT_NE(machine.folder().text("log.jsonl").find("\"event\":\"emergency_reset\""), std::string::npos);
}

TEST(CliRunItemsGuard, MemoryThatGrowsWithEachItemIsReported) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  machine.folder().put("work.sh",
                       "u=$(awk '{print $6}' $FAKE_NVML); sed -i \"s/24576 $u /24576 $((u+20)) /\" $FAKE_NVML\n");
  std::vector<std::string> arguments{"--log", "log.jsonl", "--", "sh", "work.sh", ":::"};
  for (int i = 0; i < 7; ++i) arguments.push_back(std::to_string(i));
  const ProgramResult result = weir_run(machine, arguments);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("memory in use grows by 20 MiB an item")) << result.error;
  const std::string log = machine.folder().text("log.jsonl");
  EXPECT_NE(log.find("\"event\":\"memory_leak_warning\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"memory_leak_validation\""), std::string::npos);
}

TEST(CliRun, TheMemoryOfTheLastRunIsTheNeedOfTheNext) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  const std::vector<std::string> command{"--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML"};
  const auto run_it = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"run", "--max-leak", "20G"});
    arguments.insert(arguments.end(), command.begin(), command.end());
    return machine.run_weir(arguments);
  };
  EXPECT_EQ(run_it({}).status, 0);
  machine.set_machine(std::string{kCard} + "20000 300\n");  // 4.2 GiB are free
  const ProgramResult refused = run_it({});
  EXPECT_EQ(refused.status, 125);
  EXPECT_TRUE(refused.error_contains("this command took 5.9 GiB the last time")) << refused.error;
  EXPECT_EQ(run_it({"--need", "0"}).status, 0);
  EXPECT_EQ(machine.run_weir({"run", "--", "true"}).status, 0) << "another command";
}

TEST(CliRun, ANeedThatCannotBeStoredIsReported) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  machine.folder().put("state", "a file where the folder should be");
  const ProgramResult result =
      machine.run_weir({"run", "--max-leak", "20G", "--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.error_contains("cannot be remembered for the next time: ")) << result.error;
}

TEST(CliRun, OneCommandWritesLogAndMetricsToo) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  const ProgramResult result =
      machine.run_weir({"run", "--need", "1G", "--max-leak", "20G", "--log", "log.jsonl", "--metrics-file",
                        "metrics.prom", "--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML; exit 3"});
  EXPECT_EQ(result.status, 3);
  std::vector<Json> log;
  std::istringstream text{machine.folder().text("log.jsonl")};
  for (std::string line; std::getline(text, line);) log.push_back(Json::parse(line));
  ASSERT_EQ(log.size(), 3U);
  EXPECT_EQ(log[0]["event"], "error");
  EXPECT_EQ(log[0]["what"], "exit status 3");
  EXPECT_EQ(log[1]["event"], "test_complete");
  EXPECT_EQ(log[2]["event"], "memory_threshold_exceeded");
  EXPECT_EQ(log[2]["took_bytes"], 6000LL << 20);
  EXPECT_EQ(log[2]["threshold_bytes"], 1536LL << 20);
  EXPECT_NE(machine.folder().text("metrics.prom").find("gpu_memory_leak_bytes{"), std::string::npos);
}

TEST(CliRun, AProfileWritesALogToTheUsersStateFolder) {
  const FakeMachine machine{std::string{kCard} + "100 300\n"};
  const fs::path log = machine.folder() / "state" / "weir" / "events.jsonl";
  machine.folder().put("weir.toml", "profile = 'ci'\n");
  EXPECT_EQ(machine.run_weir({"run", "--", "true"}).status, 0);
  EXPECT_FALSE(fs::exists(log));
  EXPECT_EQ(machine.run_weir({"run", "--profile", "production", "--", "true"}).status, 0);
  EXPECT_EQ(weir_run(machine, {"--profile", "dev", "--", "true", ":::", "a", "b"}).status, 0);
  const std::string text = machine.folder().text("state/weir/events.jsonl");
  EXPECT_NE(text.find("\"item\":\"true\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"event\":\"run_end\""), std::string::npos) << text;
  EXPECT_EQ(machine.run_weir({"run", "--profile", "dev", "--log", "own.jsonl", "--", "true"}).status, 0);
  EXPECT_EQ(machine.folder().text("state/weir/events.jsonl"), text) << "--log overrides the profile";
  EXPECT_EQ(machine.run_weir({"run", "--profile", "prod", "--", "true"}).status, 125);
}

TEST(CliRun, AGrandchildThatIgnoresSigtermIsKilledAndNamed) {
  const FakeMachine machine;
  machine.folder().put("stubborn.sh", "trap '' TERM; touch here; while :; do sleep 1; done\n");
  const char* const script =
      "env -i PATH=$PATH setsid sh stubborn.sh >/dev/null 2>&1 & while ! test -e here; do sleep 0.01; done; exit 4";
  const ProgramResult result = machine.run_weir({"run", "--device", "3090", "--json", "--", "sh", "-c", script});
  EXPECT_EQ(result.status, 4);
  EXPECT_TRUE(result.error_contains("outlived the command and were ended: pid ")) << result.error;
  EXPECT_TRUE(result.error_contains("'sh stubborn.sh' (killed: it did not end when asked)")) << result.error;
  EXPECT_TRUE(result.error_contains("\"leftover_process_list\":")) << result.error;
}

/// Starts a process as an earlier lease of the card in the lease folder `folder` would have left it: the program sleep,
/// with that lease in WEIR_LEASE. `holder`: the part of WEIR_LEASE that names the leaseholder; empty: none. Returns the
/// process id.
pid_t start_orphan(const fs::path& folder, const std::string& holder = {}) {
  struct stat status {};
  EXPECT_EQ(stat(folder.c_str(), &status), 0);
  const std::string lease =
      fmt::format("WEIR_LEASE=pci-0000:02:00.0:0000dead@{:x}.{:x}{}", status.st_dev, status.st_ino, holder);
  const pid_t orphan = fork();
  if (orphan == 0) {
    const char* variables[] = {lease.c_str(), nullptr};
    const char* arguments[] = {"sleep", "1000", nullptr};
    execve("/bin/sleep", const_cast<char**>(arguments), const_cast<char**>(variables));
    _exit(127);
  }
  const fs::path program = fmt::format("/proc/{}/exe", orphan);
  wait_until([&] { return fs::read_symlink(program).filename() != "weir_tests"; });  // until it runs sleep
  return orphan;
}

TEST(CliRun, OrphansOfAnEarlierLeaseAreNamedAndEndedOnRequest) {
  const FakeMachine machine;
  const pid_t orphan = start_orphan(machine.folder() / "leases");
  const ProgramResult named = machine.run_weir({"run", "--device", "3090", "--", "true"});
  EXPECT_TRUE(
      named.error_contains("left 1 process running: pid " + std::to_string(orphan) + "; --end-orphans ends them"))
      << named.error;
  const ProgramResult result = machine.run_weir({"run", "--end-orphans", "--device", "3090", "--", "true"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.error_contains("; ended")) << result.error;
  int status = 0;
  EXPECT_EQ(waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status));
}

/// Containers, or the tests of another user, have their own lease folder for the same card.
TEST(CliRun, AJobUnderALeaseOfAnotherFolderIsNoOrphan) {
  const FakeMachine machine;
  fs::create_directory(machine.folder() / "other-leases");
  const pid_t job = start_orphan(machine.folder() / "other-leases");
  const ProgramResult result = machine.run_weir({"run", "--end-orphans", "--device", "3090", "--", "true"});
  EXPECT_EQ(result.status, 0);
  EXPECT_FALSE(result.error_contains("left 1 process running")) << result.error;
  EXPECT_EQ(waitpid(job, nullptr, WNOHANG), 0) << "it lives";
  kill(job, SIGKILL);
  waitpid(job, nullptr, 0);
}

/// The leaseholder has released the lease but lives, and may wait for its child: a Python program that has left lease().
TEST(CliRun, AProcessWhoseLeaseholderLivesIsNamedAndNotEnded) {
  const FakeMachine machine;
  const auto self = device::identify_this_process();
  const pid_t child = start_orphan(machine.folder() / "leases",
                                   fmt::format("/{}.{}.{}", self.pid, self.start_ticks, self.pid_namespace));
  const ProgramResult result = machine.run_weir({"run", "--end-orphans", "--device", "3090", "--", "true"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.error_contains(fmt::format("whose leaseholder lives: pid {}; not ended", child))) << result.error;
  EXPECT_EQ(waitpid(child, nullptr, WNOHANG), 0) << "it lives";
  kill(child, SIGKILL);
  waitpid(child, nullptr, 0);
}

TEST(CliRun, AHeldCardStaysHeldWhenItsLeaseFileIsRemoved) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell(
      "weir run --device 3090 -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done; echo whole > first' & "
      "while ! test -e ready; do sleep 0.01; done; rm leases/gpu-*; "
      "weir run --end-orphans --device 3090 --wait 100ms -- true; echo status $?; touch go; wait; cat first; "
      "weir run --device 3090 --wait 60 -- echo free");
  EXPECT_NE(result.out.find("status 125"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("(its lease file was removed) is held by pid"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("whole"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("free\n"), std::string::npos) << result.out;
}

TEST(CliRun, ACommandUnderALeaseWhoseFileWasRemovedJoinsTheLease) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell(
      "weir run --device 3090 -- sh -c 'rm leases/gpu-*; weir run --device 3090 --wait 1 -- echo inside'");
  EXPECT_NE(result.out.find("inside"), std::string::npos) << result.out;
}

/// A process may have a copy of a command's environment without having been started by the command.
TEST(CliRun, AProcessWithACopyOfTheEnvironmentIsNotEnded) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell(
      "weir run --device 3090 -- sh -c 'env | grep -E \"^WEIR_(MARK|LEASE)=\" > copied; touch ready; "
      "while ! test -e go; do sleep 0.01; done' & weir=$!; while ! test -e ready; do sleep 0.01; done; "
      "env $(cat copied) sleep 1000 & bystander=$!; touch go; wait $weir; kill $bystander && echo lived");
  EXPECT_NE(result.out.find("lived"), std::string::npos) << result.out;
  EXPECT_NE(machine.folder().text("copied").find("WEIR_MARK="), std::string::npos);
}

/// Some daemons start their children with SIGCHLD ignored. The kernel then does not keep the exit statuses of children.
TEST(CliRun, ExitStatusesAreReturnedEvenIfSigchldIsIgnored) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.ignore_sigchld = true;
  EXPECT_EQ(run({"run", "--", "sh", "-c", "exit 7"}, options).status, 7);
  EXPECT_EQ(run({"lease", "hold", "--", "sh", "-c", "exit 7"}, options).status, 7);
  EXPECT_EQ(run({"run", "--", "sh", "-c", "exit 7", ":::", "a"}, options).status, 1);
  const ProgramResult again = run({"run", "--resume", "--", "sh", "-c", "exit 7", ":::", "a"}, options);
  EXPECT_EQ(again.status, 1) << "a command that failed is not done: " << again.error;
}

/// The command of an item must not inherit the file descriptors of the worker: socket, leases, and those of its parent.
TEST(CliRun, AnItemHasOnlyItsStandardStreams) {
  const FakeMachine machine;
  const ProgramResult result = weir_run(machine, {"--", "sh", "-c", "ls -l /proc/$$/fd", ":::", "a"});
  EXPECT_EQ(result.status, 0) << result.error;
  const std::string log = machine.folder().text("weir-run/a.log");
  EXPECT_NE(log.find(" 2 -> "), std::string::npos) << log;
  EXPECT_EQ(log.find("socket:"), std::string::npos) << log;
  EXPECT_EQ(log.find("memfd"), std::string::npos) << log;
  for (int descriptor = 3; descriptor < 10; ++descriptor)
    EXPECT_EQ(log.find(fmt::format(" {} -> ", descriptor)), std::string::npos) << log;
}

TEST(CliRun, ASingleCommandInheritsTheDescriptorsOfTheShell) {
  const FakeMachine machine;
  const fs::path program = places::program();
  const ProgramResult result =
      machine.run_weir({"run", "--", "sh", "-c", program.native() + " run -- sh -c 'cat <&7' 7<machine"});
  EXPECT_TRUE(result.out.starts_with("card NVIDIA")) << result.out << result.error;
}

/// The driver hangs from the middle of the command on, so samples get no answer. The time limit must still work.
TEST(CliRun, ADriverThatHangsDoesNotDefeatTheTimeout) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir(
      {"run", "--device", "3090", "--timeout", "2", "--", "sh", "-c", "sleep 0.3; echo hang >> machine; sleep 1000"});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("not done within 2.0 s")) << result.error;
  EXPECT_TRUE(result.error_contains("does not answer: whether memory stays in use there is not known")) << result.error;
  EXPECT_LT(result.seconds, 60) << "the driver delays the end";
}

/// The second item finds that the driver hangs; later items must not wait for the driver again.
TEST(CliRunItemsGuard, ADriverThatHangsIsWaitedForOnlyOnce) {
  const FakeMachine machine;
  const ProgramResult result =
      weir_run(machine, {"--device", "3090", "--", "sh", "-c", "echo hang >> $FAKE_NVML; sleep 0.3", ":::", "a", "b",
                         "c", "d", "e", "f"});
  EXPECT_EQ(result.status, 1) << result.error;
  EXPECT_TRUE(result.error_contains("NVML does not answer")) << result.error;
  EXPECT_LT(result.seconds, 40) << "each item waits ten seconds for the driver";
}

TEST(CliRun, ValuesThatAHangingDriverDoesNotReportAreNull) {
  const FakeMachine machine;
  const ProgramResult result =
      machine.run_weir({"run", "--device", "3090", "--json", "--", "sh", "-c", "echo hang >> $FAKE_NVML; sleep 0.3"});
  EXPECT_TRUE(result.error_contains("\"device_after_bytes\":null")) << result.error;
  EXPECT_TRUE(result.error_contains("\"device_growth_bytes\":null")) << result.error;
}

/// A process that the command started must not outlive the lease, even if weir is killed. While it lives, no other program
/// may get the card.
TEST(CliRun, GrandchildrenDoNotOutliveTheLeaseIfWeirIsKilled) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return !machine.folder().text("pid").empty(); });
    kill(weir, SIGKILL);
  };
  const ProgramResult killed = run({"run", "--device", "3090", "--", "sh", "-c",
                                    "sleep 1000 >/dev/null 2>&1 & echo $! > pid.new; mv pid.new pid; wait"},
                                   options);
  EXPECT_EQ(killed.status, 128 + SIGKILL);
  const std::string grandchild = machine.folder().text("pid");
  ASSERT_FALSE(grandchild.empty());
  EXPECT_EQ(machine.run_weir({"run", "--device", "3090", "--", "true"}).status, 0) << "waits until the card is free";
  EXPECT_FALSE(fs::exists(fs::path{"/proc"} / grandchild.substr(0, grandchild.find('\n'))));
}

/// `timeout -s KILL weir run ...` kills the whole process group. The daemon has another session, another parent and an
/// empty environment.
TEST(CliRun, IfTheWholeGroupIsKilledADaemonOfTheCommandEndsToo) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.before_start = [] { setpgid(0, 0); };
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return !machine.folder().text("pid").empty(); });
    kill(-weir, SIGKILL);
  };
  const std::string daemon = "echo $$ > pid.new; mv pid.new pid; while :; do sleep 0.05; done";
  machine.folder().put("daemon.sh", daemon);
  const ProgramResult killed = run({"run", "--device", "3090", "--", "sh", "-c",
                                    "(setsid env -i PATH=/usr/bin:/bin sh daemon.sh >/dev/null 2>&1 &); sleep 1000"},
                                   options);
  EXPECT_EQ(killed.status, 128 + SIGKILL);
  const std::string text = machine.folder().text("pid");
  ASSERT_FALSE(text.empty());
  EXPECT_EQ(machine.run_weir({"run", "--device", "3090", "--", "true"}).status, 0) << "waits until the card is free";
  EXPECT_FALSE(fs::exists(fs::path{"/proc"} / text.substr(0, text.find('\n'))));
}

/// Returns the child process of weir that guards the command, by its name; -1 if there is none.
pid_t guardian_of(pid_t weir) {
  for (const pid_t child : children_of(weir)) {
    std::ifstream name{"/proc/" + std::to_string(child) + "/comm"};
    std::string text;
    if (std::getline(name, text) && text == "weir-guardian") return child;
  }
  return -1;
}

TEST(CliRun, IfTheGuardianIsKilledThisIsReportedAndAllProcessesEnd) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return !machine.folder().text("pid").empty(); });
    if (const pid_t guardian = guardian_of(weir); guardian > 0) kill(guardian, SIGKILL);
  };
  const ProgramResult result =
      run({"run", "--device", "3090", "--", "sh", "-c",
           "(setsid env -i PATH=/usr/bin:/bin sh -c 'echo $$ > pid.new; mv pid.new pid; sleep 1000' "
           ">/dev/null 2>&1 &); sleep 1000"},
          options);
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("the process that guards the command was killed")) << result.error;
  const std::string text = machine.folder().text("pid");
  ASSERT_FALSE(text.empty());
  EXPECT_FALSE(fs::exists(fs::path{"/proc"} / text.substr(0, text.find('\n'))));
}

TEST(CliRun, AStoppedGuardianIsContinued) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return fs::exists(machine.folder() / "ready"); });
    if (const pid_t guardian = guardian_of(weir); guardian > 0) kill(guardian, SIGSTOP);
    machine.folder().put("go", "");
  };
  const ProgramResult result =
      run({"run", "--device", "3090", "--", "sh", "-c", "touch ready; while ! test -e go; do sleep 0.01; done; exit 3"},
          options);
  EXPECT_EQ(result.status, 3) << result.error;
}

TEST(CliRun, AJoinedLeaseThatWasReleasedIsReported) {
  const FakeMachine machine;
  const ProgramResult joined = machine.run_shell(
      "mkfifo in; (weir lease hold --device 3090 < in > held &); exec 3> in; "
      "for i in $(seq 6000); do test -s held && break; sleep 0.01; done; "
      "(export $(cat held); weir run --device 3090 -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done' 2> "
      "told; "
      "echo status $? >> told) 3>&- & for i in $(seq 6000); do test -e ready && break; sleep 0.01; done; exec 3>&-; "
      "weir lease wait --device 3090; touch go; wait; cat told");
  EXPECT_NE(joined.out.find("had joined was given back while it ran"), std::string::npos) << joined.out;
  EXPECT_NE(joined.out.find("status 0"), std::string::npos) << joined.out;
}

TEST(CliRun, AnInterruptedCommandGetsTheSignalAndTheGracePeriod) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  const auto interrupt_with = [&](int signal) {
    options.while_running = [&machine, signal](pid_t weir) {
      wait_until([&] { return fs::exists(machine.folder() / "ready"); });
      kill(weir, signal);
    };
    fs::remove(machine.folder() / "ready");
    fs::remove(machine.folder() / "got");
    const std::string script =
        "trap 'sleep 0.2; echo INT > got; exit 6' INT; trap 'echo TERM > got; exit 0' TERM; touch ready; "
        "while :; do sleep 0.01; done";
    return run({"run", "--device", "3090", "--grace", "60", "--", "sh", "-c", script}, options);
  };
  const ProgramResult interrupted = interrupt_with(SIGINT);
  EXPECT_EQ(interrupted.status, 6) << "the command's own status";
  EXPECT_TRUE(interrupted.error_contains("interrupted")) << interrupted.error;
  EXPECT_EQ(machine.folder().text("got"), "INT\n");
  EXPECT_EQ(interrupt_with(SIGTERM).status, 0);
  EXPECT_EQ(machine.folder().text("got"), "TERM\n");
}

/// Ctrl-C in a terminal sends the signal to the command too, which may end before weir has handled its own signal.
TEST(CliRun, ASignalToTheWholeGroupIsReportedAsAnInterruption) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const FakeMachine machine;
    ProgramOptions options = machine.options();
    options.before_start = [] { setpgid(0, 0); };
    options.while_running = [&](pid_t weir) {
      wait_until([&] { return fs::exists(machine.folder() / "ready"); });
      kill(-weir, signal);
    };
    const ProgramResult result =
        run({"run", "--device", "3090", "--", "sh", "-c", "touch ready; exec sleep 1000"}, options);
    EXPECT_EQ(result.status, 128 + signal);
    EXPECT_TRUE(result.error_contains("interrupted")) << result.error;
  }
}

TEST(CliRun, AnInterruptedCommandThatIgnoresTheSignalIsEndedAfterTheGracePeriod) {
  const FakeMachine machine;
  ProgramOptions options = machine.options();
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return fs::exists(machine.folder() / "ready"); });
    kill(weir, SIGINT);
  };
  const ProgramResult result =
      run({"run", "--device", "3090", "--grace", "100ms", "--", "sh", "-c", "trap '' INT; touch ready; sleep 1000"},
          options);
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("interrupted")) << result.error;
}

/// The commands of items are in their own process groups, so weir passes on the signal that it gets.
TEST(CliRun, AnInterruptedItemGetsTheSameSignal) {
  for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
    const FakeMachine machine;
    ProgramOptions options = machine.options({{"VK_DRIVER_FILES", "/nonexistent"}});
    options.before_start = [signal] { ::signal(signal, SIG_DFL); };  // the tests may have been started with it ignored
    options.while_running = [&](pid_t weir) {
      wait_until([&] { return fs::exists(machine.folder() / "ready"); });
      kill(weir, signal);
    };
    const std::string script =
        "for s in 1 2 15; do trap \"echo $s > got; exit 0\" $s; done; touch ready; "
        "while :; do sleep 0.01; done";
    const ProgramResult result = run({"run", "--grace", "60", "--", "sh", "-c", script, ":::", "a"}, options);
    EXPECT_EQ(result.status, 4) << result.error;
    EXPECT_EQ(machine.folder().text("got"), std::to_string(signal) + "\n");
  }
}

/// While weir lists the devices, decides about the items and starts the workers, different parts of it handle signals. No
/// signal may be lost between them.
TEST(CliRun, ASignalWhileARunOfItemsStartsIsNotLost) {
  const FakeMachine machine;
  for (const int milliseconds : {5, 15, 25, 35, 50, 70, 100, 150}) {
    ProgramOptions options = machine.options({{"VK_DRIVER_FILES", "/nonexistent"}});
    options.before_start = [] { ::signal(SIGTERM, SIG_DFL); };
    options.while_running = [&](pid_t weir) {
      usleep(static_cast<useconds_t>(milliseconds) * 1000);
      kill(weir, SIGTERM);
    };
    const ProgramResult result = run({"run", "--grace", "1", "--", "sleep", ":::", "60"}, options);
    // A signal that arrives before main() ends the program in the usual way.
    EXPECT_TRUE(result.status == 4 || result.status == 128 + SIGTERM) << milliseconds << ": " << result.status;
    EXPECT_LT(result.seconds, 30) << milliseconds;
  }
}

TEST(CliRun, ASignalAfterTheLastItemDoesNotChangeTheResult) {
  const FakeMachine machine;
  ProgramOptions options = machine.options({{"VK_DRIVER_FILES", "/nonexistent"}});
  options.before_start = [] { ::signal(SIGINT, SIG_DFL); };
  options.while_running = [&](pid_t weir) {
    wait_until([&] { return machine.folder().text("log").find("worker_end_requested") != std::string::npos; });
    kill(weir, SIGINT);
  };
  const ProgramResult result =
      run({"run", "--log", "log", "--junit", "junit.xml", "--", "true", ":::", "a", "b"}, options);
  EXPECT_EQ(result.status, 0) << "all was done";
  EXPECT_TRUE(result.error_contains("2 of 2 commands done")) << result.error;
  EXPECT_NE(machine.folder().text("junit.xml").find("tests=\"2\""), std::string::npos);
}

TEST(CliRun, InterruptedItemsDoNotCountAsFailures) {
  const FakeMachine machine;
  ProgramOptions options = machine.options({{"VK_DRIVER_FILES", "/nonexistent"}});
  options.while_running = [&](pid_t weir) {
    const auto all = [&] {
      return fs::exists(machine.folder() / "a") && fs::exists(machine.folder() / "b") &&
             fs::exists(machine.folder() / "c");
    };
    wait_until(all);
    kill(weir, SIGINT);
  };
  const ProgramResult result = run(
      {"run", "-j", "3", "--gpu", "inside", "--", "sh", "-c", "touch $0; exec sleep 1000", "{}", ":::", "a", "b", "c"},
      options);
  EXPECT_EQ(result.status, 4) << result.error;
  EXPECT_FALSE(result.error_contains("three items failed")) << result.error;
}

TEST(CliRun, ThePauseFileSuspendsTheProcessesOfItems) {
  const FakeMachine machine;
  ProgramOptions options = machine.options({{"VK_DRIVER_FILES", "/nonexistent"}});
  std::size_t before = 0;
  std::size_t after = 1;
  options.while_running = [&](pid_t) {
    const auto size = [&] { return machine.folder().text("ticks").size(); };
    wait_until([&] { return size() > 0; });
    machine.folder().put("pause", "");
    usleep(500'000);  // the coordinator checks the file several times a second
    before = size();
    usleep(300'000);
    after = size();
    machine.folder().put("enough", "");
    fs::remove(machine.folder() / "pause");
  };
  const ProgramResult result = run({"run", "--pause-file", "pause", "--", "setsid", "--wait", "sh", "-c",
                                    "while ! test -e enough; do echo >> ticks; sleep 0.01; done", ":::", "a"},
                                   options);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(before, after) << "the command worked during the pause";
}

TEST(CliRun, TimesHaveUnits) {
  const FakeMachine machine;
  EXPECT_EQ(machine.run_weir({"run", "--timeout", "10m", "--", "true"}).status, 0);
  EXPECT_EQ(machine.run_weir({"run", "--timeout", "200ms", "--", "sleep", "1000"}).status, 125);
  const ProgramResult wrong = machine.run_weir({"run", "--timeout", "10x", "--", "true"});
  EXPECT_EQ(wrong.status, 125);
  EXPECT_TRUE(wrong.error_contains("'10x' is no time; write 90, 90s, 10m or 2h")) << wrong.error;
}

/// The preferred card is full, so the next one is used; it is also the one that `weir devices` accepts.
TEST(CliRun, ACardWithoutEnoughMemoryIsSkipped) {
  const FakeMachine machine{
      "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 24000 300\n"
      "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb0000-1111-2222-3333-444455556666 0000:01:00.0 16384 0 200\n"};
  const std::vector<std::string> device_flags{"--prefer", "*3090*", "--need", "5G"};
  std::vector<std::string> arguments{"run", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"};
  arguments.insert(arguments.begin() + 1, device_flags.begin(), device_flags.end());
  const ProgramResult result = machine.run_weir(arguments);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.out.starts_with("GPU-bbbb")) << result.out;
  EXPECT_TRUE(result.error_contains("the next device is tried")) << result.error;
  arguments = {"devices", "--json"};
  arguments.insert(arguments.begin() + 1, device_flags.begin(), device_flags.end());
  std::istringstream lines{machine.run_weir(arguments).out};
  for (std::string line; std::getline(lines, line);) {
    const Json device = Json::parse(line);
    EXPECT_EQ(device["accepted"], device["pci"] == "0000:01:00.0") << line;
  }

  machine.set_machine(
      "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 24000 300\n"
      "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb0000-1111-2222-3333-444455556666 0000:01:00.0 16384 16000 200\n");
  arguments = {"run", "--", "true"};
  arguments.insert(arguments.begin() + 1, device_flags.begin(), device_flags.end());
  const ProgramResult full = machine.run_weir(arguments);
  EXPECT_EQ(full.status, 125);
  EXPECT_TRUE(full.error_contains("3090") && full.error_contains("5060")) << full.error;
}

/// An argument may be a password, so arguments must not be in files that other users may read.
TEST(CliRun, ArgumentsAreInNoLeaseFileLogOrCheckpoint) {
  const FakeMachine machine;
  const ProgramResult single = machine.run_weir({"run", "--device", "3090", "--job", "nightly", "--log", "events.jsonl",
                                                 "--", "sh", "-c", "cat leases/*; exit 3", "--token=s3cret"});
  EXPECT_EQ(single.status, 3);
  EXPECT_NE(single.out.find("\"command\":\"sh\""), std::string::npos) << "while it is held: " << single.out;
  EXPECT_NE(single.out.find("nightly"), std::string::npos);
  EXPECT_EQ(single.out.find("s3cret"), std::string::npos) << single.out;
  EXPECT_EQ(weir_run(machine, {"--", "echo", "--token=s3cret", "{}", ":::", "a"}).status, 0);
  EXPECT_EQ(weir_run(machine, {"--", "sh", "-c", "sleep 1000 & exit 0", "--token=s3cret", ":::", "b"}).status, 0);
  for (const auto& entry : fs::recursive_directory_iterator{machine.folder().path()}) {
    if (!entry.is_regular_file() || entry.path().extension() == ".log") continue;  // the output of the command
    std::ifstream file{entry.path(), std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_EQ(text.find("s3cret"), std::string::npos) << entry.path();
    if (entry.path().extension() == ".lease") {
      EXPECT_EQ(text.find("nightly"), std::string::npos) << "the lease was released";
    }
  }
}

/// 0 bytes in use is a measured value too, so the metrics are written.
TEST(CliRun, ACardWithoutMemoryInUseHasMetrics) {
  const FakeMachine machine{std::string{kCard} + "0 300\n"};
  EXPECT_EQ(machine.run_weir({"run", "--metrics-file", "metrics.prom", "--", "true"}).status, 0);
  const std::string text = machine.folder().text("metrics.prom");
  EXPECT_NE(text.find("gpu_memory_allocated_bytes{"), std::string::npos) << text;
  EXPECT_NE(text.find("gpu_memory_leak_bytes{"), std::string::npos) << text;
}

}  // namespace
}  // namespace weir::test

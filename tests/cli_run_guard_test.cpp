// weir run over many items: devices, memory, and what is done when they do not behave.

#include <gtest/gtest.h>

#include <sstream>

#include <nlohmann/json.hpp>

#include "guard_machine.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

constexpr const char* kCard =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 ";

Ended weir_run(const InventedMachine& machine, std::vector<std::string> words) {
  words.insert(words.begin(), "run");
  return machine.weir(words, {{"VK_DRIVER_FILES", "/nonexistent"}});
}

TEST(CliRunItemsGuard, TheRungThatFitsIsTakenRecordedAndUpgraded) {
  const InventedMachine machine{std::string{kCard} + "20000 300\n"};  // 4.2 GiB are free
  std::vector<std::string> words{"--ladder", "medium=5G,small=2G", "--", "echo", "{rung}", "{}", ":::", "a"};
  const Ended ended = weir_run(machine, words);
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "small a\n");
  EXPECT_TRUE(ended.says("1 on a lower rung")) << ended.error;
  machine.change(std::string{kCard} + "100 300\n");
  words.insert(words.begin(), "--resume");
  EXPECT_TRUE(weir_run(machine, words).says("1 done before"));
  words.insert(words.begin(), "--upgrade");
  EXPECT_TRUE(weir_run(machine, words).says("1 of 1 commands done (1 again)"));
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "medium a\n");
}

TEST(CliRunItemsGuard, WhenNothingHasRoomTheStatusIsThree) {
  const InventedMachine machine{std::string{kCard} + "20000 300\n"};
  const Ended refused = weir_run(machine, {"--need", "10G", "--", "echo", ":::", "a", "b"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.says("needs 10 GiB")) << refused.error;
  const Ended denied = weir_run(machine, {"--deny", "*", "--", "echo", ":::", "a"});
  EXPECT_EQ(denied.status, 3);
  EXPECT_TRUE(denied.says("denied by '*'")) << denied.error;
}

TEST(CliRunItemsGuard, SharersWaitForRoomThatOthersWillGiveBack) {
  const InventedMachine machine{std::string{kCard} + "20000 300\n"};  // room for one of 3 GiB at a time
  const Ended ended = weir_run(machine, {"-j", "2", "--gpu-jobs", "2", "--need", "3G", "--", "sh", "-c",
                                         "mkdir busy || echo clash; sleep 0.3; rmdir busy", "{}", ":::", "a", "b"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log") + machine.folder().text("weir-run/b.log"), "");
}

TEST(CliRunItemsGuard, WorkOnAnotherCardFails) {
  const InventedMachine machine;
  const Ended ended = weir_run(machine, {"--device", "3090", "--", "sh", "-c",
                                         "echo \"process 1 $$ 900\" >> $FAKE_NVML; exec sleep 1000", ":::", "a"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_TRUE(ended.says("got NVIDIA GeForce RTX 5060 Ti")) << ended.error;
}

TEST(CliRunItemsGuard, ACardThatKeepsMemoryThatNobodyHoldsIsQuarantined) {
  const InventedMachine machine;
  const Ended ended = weir_run(
      machine, {"--prefer", "*3090*", "--log", "log.jsonl", "--", "sh", "-c",
                "echo $CUDA_VISIBLE_DEVICES; sed -i 's/24576 100 /24576 600 /' $FAKE_NVML", "{}", ":::", "a", "b"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_TRUE(ended.says("500 MiB are in use on NVIDIA GeForce RTX 3090")) << ended.error;
  EXPECT_TRUE(ended.says("nvidia-smi --gpu-reset -i GPU-aaaa0000-1111-2222-3333-444455556666")) << ended.error;
  EXPECT_EQ(machine.folder().text("weir-run/a.log"), "GPU-bbbb0000-1111-2222-3333-444455556666\n");
  EXPECT_EQ(machine.folder().text("weir-run/b.log"), "GPU-bbbb0000-1111-2222-3333-444455556666\n");
  const std::string log = machine.folder().text("log.jsonl");
  EXPECT_NE(log.find("\"event\":\"test_complete\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"item_retry\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"emergency_reset_failed\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"error\""), std::string::npos);
}

TEST(CliRunItemsGuard, WhenTheOnlyCardIsQuarantinedTheRestIsRefused) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  const Ended ended =
      weir_run(machine, {"--", "sh", "-c", "sed -i 's/24576 100 /24576 600 /' $FAKE_NVML", ":::", "a", "b"});
  EXPECT_EQ(ended.status, 3) << ended.error;
  EXPECT_TRUE(ended.says("denied by 'pci:0000:02:00.0'")) << ended.error;
}

TEST(CliRunItemsGuard, MemoryOfAStrangerIsNoLeak) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  const Ended ended = weir_run(
      machine, {"--metrics-file", "metrics.prom", "--log", "log.jsonl", "--", "sh", "-c",
                "sed -i 's/24576 100 /24576 600 /' $FAKE_NVML; echo 'process 0 1 500' >> $FAKE_NVML", ":::", "a"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_TRUE(ended.says("is used without a lease by pid 1")) << ended.error;
  const std::string metrics = machine.folder().text("metrics.prom");
  EXPECT_NE(metrics.find("gpu_memory_leak_bytes{device=\"NVIDIA GeForce RTX 3090 at 0000:02:00.0\"} 524288000"),
            std::string::npos)
      << metrics;
  EXPECT_NE(metrics.find("gpu_utilization_percent{"), std::string::npos);
  EXPECT_NE(machine.folder().text("log.jsonl").find("\"event\":\"emergency_reset\""), std::string::npos);
}

TEST(CliRunItemsGuard, MemoryThatCreepsFromItemToItemIsNoticed) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  machine.folder().put("work.sh",
                       "u=$(awk '{print $6}' $FAKE_NVML); sed -i \"s/24576 $u /24576 $((u+20)) /\" $FAKE_NVML\n");
  std::vector<std::string> words{"--log", "log.jsonl", "--", "sh", "work.sh", ":::"};
  for (int i = 0; i < 7; ++i) words.push_back(std::to_string(i));
  const Ended ended = weir_run(machine, words);
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_TRUE(ended.says("memory in use grows by 20 MiB an item")) << ended.error;
  const std::string log = machine.folder().text("log.jsonl");
  EXPECT_NE(log.find("\"event\":\"memory_leak_warning\""), std::string::npos);
  EXPECT_NE(log.find("\"event\":\"memory_leak_validation\""), std::string::npos);
}

TEST(CliRun, WhatACommandTookIsItsNeedTheNextTime) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  const std::vector<std::string> command{"--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML"};
  const auto run_it = [&](std::vector<std::string> words) {
    words.insert(words.begin(), {"run", "--max-leak", "20G"});
    words.insert(words.end(), command.begin(), command.end());
    return machine.weir(words);
  };
  EXPECT_EQ(run_it({}).status, 0);
  machine.change(std::string{kCard} + "20000 300\n");  // 4.2 GiB are free
  const Ended refused = run_it({});
  EXPECT_EQ(refused.status, 125);
  EXPECT_TRUE(refused.says("this command took 5.9 GiB the last time")) << refused.error;
  EXPECT_EQ(run_it({"--need", "0"}).status, 0);
  EXPECT_EQ(machine.weir({"run", "--", "true"}).status, 0) << "another command";
}

TEST(CliRun, ANeedThatCannotBeRememberedIsSaid) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  machine.folder().put("state", "a file where the folder should be");
  const Ended ended =
      machine.weir({"run", "--max-leak", "20G", "--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.says("cannot be remembered for the next time: ")) << ended.error;
}

TEST(CliRun, OneCommandWritesLogAndMetricsToo) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  const Ended ended =
      machine.weir({"run", "--need", "1G", "--max-leak", "20G", "--log", "log.jsonl", "--metrics-file", "metrics.prom",
                    "--", "sh", "-c", "sed -i 's/24576 100 /24576 6100 /' $FAKE_NVML; exit 3"});
  EXPECT_EQ(ended.status, 3);
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

TEST(CliRun, AProfileKeepsALogInTheUsersFolder) {
  const InventedMachine machine{std::string{kCard} + "100 300\n"};
  const fs::path log = machine.folder() / "state" / "weir" / "events.jsonl";
  machine.folder().put("weir.toml", "profile = 'ci'\n");
  EXPECT_EQ(machine.weir({"run", "--", "true"}).status, 0);
  EXPECT_FALSE(fs::exists(log));
  EXPECT_EQ(machine.weir({"run", "--profile", "production", "--", "true"}).status, 0);
  EXPECT_EQ(weir_run(machine, {"--profile", "dev", "--", "true", ":::", "a", "b"}).status, 0);
  const std::string text = machine.folder().text("state/weir/events.jsonl");
  EXPECT_NE(text.find("\"item\":\"true\""), std::string::npos) << text;
  EXPECT_NE(text.find("\"event\":\"run_end\""), std::string::npos) << text;
  EXPECT_EQ(machine.weir({"run", "--profile", "dev", "--log", "own.jsonl", "--", "true"}).status, 0);
  EXPECT_EQ(machine.folder().text("state/weir/events.jsonl"), text) << "a file that is named goes over it";
  EXPECT_EQ(machine.weir({"run", "--profile", "prod", "--", "true"}).status, 2);
}

TEST(CliRun, AGrandchildThatHidesAndDoesNotEndWhenAskedIsEndedAndNamed) {
  const InventedMachine machine;
  machine.folder().put("stubborn.sh", "trap '' TERM; touch here; while :; do sleep 1; done\n");
  const char* const hides =
      "env -i PATH=$PATH setsid sh stubborn.sh >/dev/null 2>&1 & while ! test -e here; do sleep 0.01; done; exit 4";
  const Ended ended = machine.weir({"run", "--device", "3090", "--json", "--", "sh", "-c", hides});
  EXPECT_EQ(ended.status, 4);
  EXPECT_TRUE(ended.says("outlived the command and were ended: pid ")) << ended.error;
  EXPECT_TRUE(ended.says("'sh stubborn.sh' (killed: it did not end when asked)")) << ended.error;
  EXPECT_TRUE(ended.says("\"left_behind_processes\":")) << ended.error;
}

TEST(CliRun, OrphansOfAnEarlierLeaseAreNamedAndEndedWhenAsked) {
  const InventedMachine machine;
  const pid_t orphan = fork();
  if (orphan == 0) {
    const char* variables[] = {"WEIR_LEASE=pci-0000:02:00.0:0000dead", nullptr};
    const char* words[] = {"sleep", "1000", nullptr};
    execve("/bin/sleep", const_cast<char**>(words), const_cast<char**>(variables));
    _exit(127);
  }
  Ended named;
  for (int tries = 0; tries < 100 && !named.says("left 1 process running"); ++tries)  // until it has become sleep
    named = machine.weir({"run", "--device", "3090", "--", "true"});
  EXPECT_TRUE(named.says("pid " + std::to_string(orphan) + "; --end-orphans ends them")) << named.error;
  const Ended ended = machine.weir({"run", "--end-orphans", "--device", "3090", "--", "true"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.says("; ended")) << ended.error;
  int status = 0;
  EXPECT_EQ(waitpid(orphan, &status, 0), orphan);
  EXPECT_TRUE(WIFSIGNALED(status));
}

}  // namespace
}  // namespace weir::test

// weir devices, doctor and lease on invented machines.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "guard_machine.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

std::vector<Json> json_lines(const std::string& text) {
  std::vector<Json> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(Json::parse(text.substr(at, end - at)));
    at = end + 1;
  }
  return lines;
}

TEST(CliDevices, ThreeLinesOfSettingsChooseTheCard) {
  const InventedMachine machine;
  machine.folder().put("weir.toml", "allow = '*RTX 3090*'\ndeny = ['*RTX 5060 Ti*']\nmin-memory = '20G'\n");
  const Ended ended = machine.weir({"devices", "--json"});
  ASSERT_EQ(ended.status, 0) << ended.error;
  const auto lines = json_lines(ended.out);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0]["name"], "NVIDIA GeForce RTX 5060 Ti");
  EXPECT_EQ(lines[0]["accepted"], false);
  EXPECT_EQ(lines[0]["reason"], "denied by '*RTX 5060 Ti*'");
  EXPECT_EQ(lines[1]["accepted"], true);
  EXPECT_EQ(lines[1]["free"]["source"], "NVML");
  EXPECT_EQ(lines[1]["index"]["cuda"], 1);
}

TEST(CliDevices, RolesHaveSettingsOfTheirOwn) {
  const InventedMachine machine;
  machine.folder().put("weir.toml", "deny = '*5060*'\n[roles.show]\ndeny = '*3090*'\n");
  const auto accepted = [&](const std::vector<std::string>& words) {
    std::vector<std::string> names;
    for (const Json& line : json_lines(machine.weir(words).out))
      if (line["accepted"]) names.push_back(line["name"]);
    return names;
  };
  EXPECT_EQ(accepted({"devices", "--json"}), std::vector<std::string>{"NVIDIA GeForce RTX 3090"});
  EXPECT_EQ(accepted({"devices", "--json", "--role", "show"}), std::vector<std::string>{"NVIDIA GeForce RTX 5060 Ti"});
  const Ended unknown = machine.weir({"devices", "--role", "shwo"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(unknown.says("no [roles.shwo]")) << unknown.error;
}

TEST(CliDevices, WrongSettingsAreNamed) {
  const InventedMachine machine;
  const std::vector<std::pair<std::string, std::string>> cases{
      {"allow = [1, 2]\n", "weir.toml:1: 'allow' must be"},
      {"allow = ['a,b']\n", "weir.toml:1: 'allow' must be"},
      {"role = 'x'\n", "weir.toml:1: a role is given by"},
      {"[roles]\nx = 1\n", "weir.toml:2: [roles] holds tables"},
      {"[roles.x]\nalow = 'a'\n", "weir.toml:2: unknown setting 'alow'"},
      {"min-memory = 'much'\n", "weir.toml:1: 'much'"},
  };
  for (const auto& [text, problem] : cases) {
    machine.folder().put("weir.toml", text);
    const Ended ended = machine.weir({"devices"});
    EXPECT_EQ(ended.status, 2) << text;
    EXPECT_TRUE(ended.says(problem)) << ended.error;
  }
}

TEST(CliDoctor, IsContentOnlyIfThePolicyIsSatisfied) {
  const InventedMachine machine;
  const Ended refused = machine.weir({"doctor", "--deny", "*RTX*"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.out.find("BAD"), std::string::npos);
  EXPECT_NE(refused.out.find("denied by '*RTX*'"), std::string::npos) << refused.out;
}

TEST(CliDoctor, AHungDriverIsReported) {
  const InventedMachine machine{"hang\n"};
  const Ended ended = machine.weir({"doctor"});
  EXPECT_EQ(ended.status, 3);
  EXPECT_NE(ended.out.find("does not answer within"), std::string::npos) << ended.out;
}

TEST(CliDoctor, WorksOnASoftwareDevice) {
  const InventedMachine machine;
  const Ended devices = machine.weir({"devices"});
  if (devices.out.find("llvmpipe") == std::string::npos) GTEST_SKIP() << "no software Vulkan driver here";
  const Ended ended = machine.weir({"doctor", "--device", "llvmpipe"});
  EXPECT_EQ(ended.status, 0) << ended.out;
  EXPECT_NE(ended.out.find("4 MiB filled and read back"), std::string::npos) << ended.out;
  const Ended listed = machine.weir({"devices", "--json"});
  EXPECT_NE(listed.out.find(R"("driver":"llvmpipe Mesa )"), std::string::npos) << listed.out;
}

TEST(CliLease, HoldRunsACommandOnTheChosenCard) {
  const InventedMachine machine;
  const Ended ended = machine.weir({"lease", "hold", "--deny", "5060", "--", "env"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_NE(ended.out.find("CUDA_VISIBLE_DEVICES=GPU-aaaa0000-1111-2222-3333-444455556666\n"), std::string::npos);
  EXPECT_NE(ended.out.find("CUDA_DEVICE_ORDER=PCI_BUS_ID\n"), std::string::npos);
  EXPECT_NE(ended.out.find("WEIR_LEASE=pci-0000:02:00.0:"), std::string::npos);
}

TEST(CliLease, StatusesAreThoseOfTimeout) {
  const InventedMachine machine;
  EXPECT_EQ(machine.weir({"lease", "hold", "--", "sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(machine.weir({"lease", "hold", "--", "sh", "-c", "kill -9 $$"}).status, 137);
  EXPECT_EQ(machine.weir({"lease", "hold", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.weir({"lease", "hold", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(machine.weir({"lease", "hold", "--deny", "*", "--", "true"}).status, 125);
  EXPECT_EQ(machine.weir({"lease", "hold", "--"}).status, 126);
  EXPECT_EQ(machine.weir({"lease", "wait", "--deny", "*"}).status, 3);
  EXPECT_EQ(machine.weir({"lease", "keep"}).status, 2);
  EXPECT_EQ(machine.weir({"lease", "list", "--", "true"}).status, 2);
}

TEST(CliLease, WordsOfTheCommandArriveAsTheyAre) {
  const InventedMachine machine;
  const Ended ended = machine.weir({"lease", "hold", "--", "printf", "%s|", "[a,b]", "--deny", "++", "--", "x y"});
  EXPECT_EQ(ended.out, "[a,b]|--deny|++|--|x y|") << ended.error;
}

TEST(CliLease, AHeldCardIsListedAndRefusedWithItsHolder) {
  const InventedMachine machine;
  How holding = machine.how();
  holding.keep_input_open = true;
  Ended listed;
  Ended refused;
  Ended second;
  holding.meanwhile = [&](pid_t child) {
    for (int tries = 0; tries < 3000; ++tries) {
      listed = machine.weir({"lease", "list", "--json"});
      if (listed.out.find("nightly") != std::string::npos) break;  // who holds it is written just after it is held
    }
    refused = machine.weir({"lease", "wait", "--device", "3090", "--wait", "0"});
    second = machine.weir({"lease", "hold", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"});
    kill(child, SIGTERM);
  };
  const Ended held = run({"lease", "hold", "--device", "3090", "--job", "nightly"}, holding);
  EXPECT_EQ(held.status, 0) << held.error;
  EXPECT_TRUE(held.out.starts_with("WEIR_LEASE=pci-0000:02:00.0:")) << held.out;
  EXPECT_NE(listed.out.find("\"job\":\"nightly\""), std::string::npos) << listed.out;
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.says("job 'nightly'")) << refused.error;
  EXPECT_TRUE(second.out.starts_with("GPU-bbbb")) << "the other card is free: " << second.out;
}

TEST(CliLease, MemoryThatNobodyLeasedIsReported) {
  const InventedMachine machine{
      "card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 6000 300\nprocess 0 4242 5800\n"};
  const Ended listed = machine.weir({"lease", "list", "--json"});
  EXPECT_NE(listed.out.find("\"dirty\""), std::string::npos) << listed.out;
  const Ended ended = machine.weir({"lease", "hold", "--", "true"});
  EXPECT_EQ(ended.status, 0);
  EXPECT_TRUE(ended.says("5.9 GiB are in use")) << ended.error;
  EXPECT_TRUE(ended.says("pid 4242")) << ended.error;
}

TEST(CliLease, ANestedCallJoins) {
  const InventedMachine machine;
  const Ended ended = machine.weir({"lease", "hold", "--device", "3090", "--", WEIR_PROGRAM, "lease", "hold", "--wait",
                                    "0", "--device", "3090", "--", "echo", "inside"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_EQ(ended.out, "inside\n");
}

TEST(CliLease, ASchedulersMaskIsObeyed) {
  const InventedMachine machine;
  const Ended ended =
      machine.weir({"lease", "hold", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"}, {{"CUDA_VISIBLE_DEVICES", "0"}});
  EXPECT_TRUE(ended.out.starts_with("GPU-bbbb")) << ended.out << ended.error;
  const Ended refused = machine.weir({"lease", "wait", "--device", "3090"}, {{"CUDA_VISIBLE_DEVICES", "0"}});
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.says("hidden by CUDA_VISIBLE_DEVICES=0")) << refused.error;
}

TEST(CliLeak, ACleanCommandIsApproved) {
  const InventedMachine machine;
  const Ended ended = machine.weir({"leak", "--runs", "2", "--report", "report.md", "--", "true"});
  EXPECT_EQ(ended.status, 0) << ended.error << ended.out;
  EXPECT_NE(ended.out.find("verdict: approved; no leak found"), std::string::npos) << ended.out;
  const std::string report = machine.folder().text("report.md");
  for (const char* section : {"## Analysis", "## Strong points", "## Weak points", "## Recommendations",
                              "## Functional results", "## Verdict"})
    EXPECT_NE(report.find(section), std::string::npos) << section;
  for (const char* part : {"RTX 3090 at 0000:02:00.0", "GPU-aaaa", "limit: 100 MiB", "weir 0."})
    EXPECT_NE(report.find(part, report.find("## Verdict")), std::string::npos) << part << report;
}

TEST(CliLeak, AGrowingDeviceIsFound) {
  const InventedMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 100 300\n"};
  const Ended ended =
      machine.weir({"leak", "--runs", "2", "--json", "--", "sh", "-c",
                    "echo 'card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 400 300' > $FAKE_NVML"});
  EXPECT_EQ(ended.status, 1) << ended.error;
  const Json json = Json::parse(ended.out);
  EXPECT_EQ(json["leaked"], true);
  EXPECT_EQ(json["verdict"], "rejected");
  EXPECT_EQ(json["uuid"], "GPU-aaaa");
  EXPECT_EQ(json["card"], "NVIDIA GeForce RTX 3090 at 0000:02:00.0");
  EXPECT_EQ(json["max_leak_bytes"], 100 << 20);
  EXPECT_EQ(json["version"], kVersion);
  EXPECT_EQ(json["date"].get<std::string>().substr(0, 2), "20");
}

TEST(CliLeak, ProcessesThatOutliveItAreALeak) {
  const InventedMachine machine{""};
  const Ended ended = machine.weir({"leak", "--runs", "1", "--", "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 &"});
  EXPECT_EQ(ended.status, 1);
  EXPECT_NE(ended.out.find("1 process outlived"), std::string::npos) << ended.out;
}

TEST(CliLeak, StatusesOfItsOwn) {
  const InventedMachine machine{""};
  EXPECT_EQ(machine.weir({"leak", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.weir({"leak"}).status, 2);
  EXPECT_EQ(machine.weir({"leak", "--device", "3090", "--", "true"}).status, 125);
  EXPECT_EQ(machine.weir({"leak", "--runs", "1", "--", "false"}).status, 1);
}

constexpr const char* kBusyCard =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 20000 300\n";

TEST(CliRun, TheFirstRungThatFitsIsTaken) {
  const InventedMachine machine{kBusyCard};  // 4.2 GiB are free
  const Ended ended = machine.weir({"run", "--ladder", "medium=5G,small=2G,tiny=512M", "--", "sh", "-c",
                                    "echo {rung} $WEIR_RUNG $CUDA_VISIBLE_DEVICES {other}; exit 3"});
  EXPECT_EQ(ended.status, 3) << ended.error;
  EXPECT_EQ(ended.out, "small small GPU-aaaa0000-1111-2222-3333-444455556666 {other}\n");
  EXPECT_TRUE(ended.says("rung 'small'")) << ended.error;
}

TEST(CliRun, TorchsAllocatorIsToldWhereNobodyHasToldIt) {
  const InventedMachine machine;
  const auto told = [&](std::vector<std::string> words, const std::string& name, const std::string& value) {
    words.insert(words.begin(), "run");
    words.insert(words.end(), {"--", "sh", "-c", "echo $PYTORCH_ALLOC_CONF:$PYTORCH_CUDA_ALLOC_CONF"});
    return machine.weir(words, {{name, value}}).out;
  };
  EXPECT_EQ(told({}, "UNRELATED", ""), ":max_split_size_mb:1024\n");
  EXPECT_EQ(told({}, "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True"), ":expandable_segments:True\n");
  EXPECT_EQ(told({}, "PYTORCH_ALLOC_CONF", "backend:native"), "backend:native:\n");
  EXPECT_EQ(told({"--torch-allocator", ""}, "UNRELATED", ""), ":\n");
  machine.folder().put("weir.toml", "torch-allocator = 'max_split_size_mb:64'\n");
  EXPECT_EQ(told({}, "UNRELATED", ""), ":max_split_size_mb:64\n");
}

TEST(CliRun, WhatDoesNotFitIsRefusedWithTheNumbers) {
  const InventedMachine machine{kBusyCard};
  const Ended ended = machine.weir({"run", "--need", "10G", "--", "true"});
  EXPECT_EQ(ended.status, 125);
  EXPECT_TRUE(ended.says("needs 10 GiB")) << ended.error;
  EXPECT_TRUE(ended.says("4.2 GiB are free")) << ended.error;
}

TEST(CliRun, WorkOnAnotherCardIsEnded) {
  const InventedMachine machine;
  const Ended ended = machine.weir(
      {"run", "--device", "3090", "--", "sh", "-c", "echo \"process 1 $$ 900\" >> $FAKE_NVML; exec sleep 1000"});
  EXPECT_EQ(ended.status, 125);
  EXPECT_TRUE(ended.says("asked for NVIDIA GeForce RTX 3090")) << ended.error;
  EXPECT_TRUE(ended.says("got NVIDIA GeForce RTX 5060 Ti")) << ended.error;
}

TEST(CliRun, WorkOnTheCardIsProved) {
  const InventedMachine machine;
  const std::string work = "echo \"process 0 $$ 900\" >> $FAKE_NVML; exec sleep 2";
  const Ended ended = machine.weir({"run", "--device", "3090", "--strict-device", "--json", "--", "sh", "-c", work});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_TRUE(ended.says("\"placement\":\"proved\"")) << ended.error;
  const Ended unknown = machine.weir({"run", "--device", "3090", "--strict-device", "--", "true"});
  EXPECT_EQ(unknown.status, 125);
  EXPECT_TRUE(unknown.says("placement unknown")) << unknown.error;
}

TEST(CliRun, SlowAndFailedTriesAreRepeated) {
  const InventedMachine machine;
  const Ended slow = machine.weir({"run", "--timeout", "0.2", "--retries", "1", "--", "sleep", "1000"});
  EXPECT_EQ(slow.status, 125);
  EXPECT_TRUE(slow.says("try 1 failed (not done within 0.2 s)")) << slow.error;
  const Ended second =
      machine.weir({"run", "--retries", "3", "--", "sh", "-c", "test -e seen || { touch seen; exit 9; }"});
  EXPECT_EQ(second.status, 0) << second.error;
  EXPECT_TRUE(second.says("try 1 failed (status 9)")) << second.error;
}

TEST(CliRun, MemoryThatStaysIsAFailure) {
  const InventedMachine machine{kBusyCard};
  const Ended ended =
      machine.weir({"run", "--max-leak", "10M", "--", "sh", "-c", "sed -i 's/24576 20000/24576 20100/' $FAKE_NVML"});
  EXPECT_EQ(ended.status, 125);
  EXPECT_TRUE(ended.says("100 MiB on the device outlive the command")) << ended.error;
}

TEST(CliRun, ItsOwnFailuresHaveTheStatusesOfTimeout) {
  const InventedMachine machine;
  EXPECT_EQ(machine.weir({"run", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.weir({"run", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(machine.weir({"run", "true"}).status, 125);
  EXPECT_EQ(machine.weir({"run", "--deny", "*", "--", "true"}).status, 125);
  EXPECT_EQ(machine.weir({"run", "--jobs", "2", "--", "true"}).status, 125);
  EXPECT_EQ(machine.weir({"run", "--ladder", "a=1G,b=2G", "--", "true"}).status, 2);
}

}  // namespace
}  // namespace weir::test

// Tests of the built program on invented machines (fake_machine.hpp): weir devices, doctor, lease and leak, and weir run
// with one command.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "base/version.hpp"
#include "fake_machine.hpp"
#include "places.hpp"

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

TEST(CliDevices, SettingsChooseTheCard) {
  const FakeMachine machine;
  machine.folder().put("weir.toml", "allow = '*RTX 3090*'\ndeny = ['*RTX 5060 Ti*']\nmin-memory = '20G'\n");
  const ProgramResult result = machine.run_weir({"devices", "--json"});
  ASSERT_EQ(result.status, 0) << result.error;
  const auto lines = json_lines(result.out);
  ASSERT_GE(lines.size(), 2u);
  EXPECT_EQ(lines[0]["name"], "NVIDIA GeForce RTX 5060 Ti");
  EXPECT_EQ(lines[0]["accepted"], false);
  EXPECT_EQ(lines[0]["reason"], "denied by '*RTX 5060 Ti*'");
  EXPECT_EQ(lines[1]["accepted"], true);
  EXPECT_EQ(lines[1]["free"]["source"], "NVML");
  EXPECT_EQ(lines[1]["index"]["cuda"], 1);
}

TEST(CliDevices, RolesHaveSettingsOfTheirOwn) {
  const FakeMachine machine;
  machine.folder().put("weir.toml", "deny = '*5060*'\n[roles.show]\ndeny = '*3090*'\n");
  const auto accepted = [&](const std::vector<std::string>& arguments) {
    std::vector<std::string> names;
    for (const Json& line : json_lines(machine.run_weir(arguments).out))
      if (line["accepted"]) names.push_back(line["name"]);
    return names;
  };
  EXPECT_EQ(accepted({"devices", "--json"}), std::vector<std::string>{"NVIDIA GeForce RTX 3090"});
  EXPECT_EQ(accepted({"devices", "--json", "--role", "show"}), std::vector<std::string>{"NVIDIA GeForce RTX 5060 Ti"});
  const ProgramResult unknown = machine.run_weir({"devices", "--role", "shwo"});
  EXPECT_EQ(unknown.status, 2);
  EXPECT_TRUE(unknown.error_contains("no [roles.shwo]")) << unknown.error;
}

TEST(CliDevices, WrongSettingsAreNamed) {
  const FakeMachine machine;
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
    const ProgramResult result = machine.run_weir({"devices"});
    EXPECT_EQ(result.status, 2) << text;
    EXPECT_TRUE(result.error_contains(problem)) << result.error;
  }
}

TEST(CliDoctor, FailsIfThePolicyAcceptsNoDevice) {
  const FakeMachine machine;
  const ProgramResult refused = machine.run_weir({"doctor", "--deny", "*RTX*"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_NE(refused.out.find("BAD"), std::string::npos);
  EXPECT_NE(refused.out.find("denied by '*RTX*'"), std::string::npos) << refused.out;
}

/// An invented machine without a GPU. weir finds the GPUs of the real machine too, so tests are skipped if it has one.
class DoctorWithoutAGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const Json& device : json_lines(machine_.run_weir({"devices", "--json"}).out))
      if (device["kind"] != "software") GTEST_SKIP() << "there is a GPU here: " << device["name"];
  }
  const FakeMachine machine_{""};
};

TEST_F(DoctorWithoutAGpu, TheProcessorsWorkAndNothingIsBroken) {
  const ProgramResult result = machine_.run_weir({"doctor"});
  EXPECT_EQ(result.status, 0) << result.out << result.error;
  EXPECT_EQ(result.out.find("BAD"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("megapixels of result per second"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("does not work here: no GPU was found"), std::string::npos) << result.out;
}

TEST_F(DoctorWithoutAGpu, EachCommandIsReportedWithFigures) {
  const ProgramResult result = machine_.run_weir({"doctor", "--json"});
  EXPECT_EQ(result.status, 0) << result.error;
  std::map<std::string, Json> commands;
  for (const Json& line : json_lines(result.out))
    if (line.contains("command")) commands[line["subject"]] = line;
  for (const char* name : {"upscale on the CPU", "batches", "leak", "train"})
    EXPECT_EQ(commands[name]["works"], true) << name << result.out;
  for (const char* name : {"upscale on the GPU", "run", "lease"}) {
    EXPECT_EQ(commands[name]["works"], false) << name << result.out;
    EXPECT_EQ(commands[name]["grade"], "note") << name << result.out;
  }
  EXPECT_TRUE(commands.contains("audit")) << result.out;
  const Json& cpu = commands["upscale on the CPU"];
  EXPECT_GT(cpu["megapixels_per_second"].get<double>(), 0);
  EXPECT_GE(cpu["threads"].get<int>(), 1);
  EXPECT_FALSE(cpu["instruction_set"].get<std::string>().empty());
  EXPECT_GT(cpu["memory_total_bytes"].get<std::uint64_t>(), cpu["ram_bytes"].get<std::uint64_t>());
  EXPECT_TRUE(cpu.contains("memory_limit_bytes"));
}

TEST_F(DoctorWithoutAGpu, AnyPolicyOfTheUserMakesItFail) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--allow", "3090"},
                                                    {"--deny", "3090"},
                                                    {"--prefer", "3090"},
                                                    {"--min-memory", "1G"},
                                                    {"--device", "3090"},
                                                    {"--need", "1G"}}) {
    std::vector<std::string> all{"doctor"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = machine_.run_weir(all);
    EXPECT_EQ(result.status, 3) << arguments.front() << result.out;
    EXPECT_TRUE(result.error_contains("the policy leaves no device")) << result.error;
  }
  EXPECT_EQ(machine_.run_weir({"doctor"}, {{"WEIR_ALLOW", "3090"}}).status, 3);
  machine_.folder().put("weir.toml", "min-memory = '20G'\n");
  EXPECT_EQ(machine_.run_weir({"doctor"}).status, 3);
}

TEST_F(DoctorWithoutAGpu, PatternsThatMatchNoDeviceAreReported) {
  machine_.set_machine(kTwoCards);
  const ProgramResult absent = machine_.run_weir({"doctor", "--prefer", "*4090*"});
  EXPECT_EQ(absent.status, 3);
  EXPECT_TRUE(absent.error_contains("prefer: no device is called '*4090*'")) << absent.error;
  const ProgramResult partly = machine_.run_weir({"doctor", "--prefer", "*4090*,*3090*"});
  EXPECT_EQ(partly.status, 0) << partly.out << partly.error;
  EXPECT_NE(partly.out.find("prefer: no device is called '*4090*'"), std::string::npos) << partly.out;
  const ProgramResult denied = machine_.run_weir({"doctor", "--deny", "*4090*"});
  EXPECT_EQ(denied.status, 0) << "a card that is not there is not used: " << denied.out << denied.error;
  EXPECT_NE(denied.out.find("deny: no device is called"), std::string::npos) << denied.out;
}

TEST_F(DoctorWithoutAGpu, AMaskThatHidesTheCardMakesItFail) {
  machine_.set_machine(kTwoCards);
  EXPECT_EQ(machine_.run_weir({"doctor"}).status, 0);
  EXPECT_EQ(machine_.run_weir({"doctor"}, {{"CUDA_VISIBLE_DEVICES", "-1"}}).status, 3);
}

TEST_F(DoctorWithoutAGpu, ALeaseFolderThatCannotBeWrittenMakesItFail) {
  ProgramOptions options = machine_.options();
  for (auto& [name, value] : options.variables)
    if (name == "WEIR_LEASE_DIR") value = (machine_.folder() / "machine").native();
  const ProgramResult result = run({"doctor"}, options);
  EXPECT_EQ(result.status, 3) << result.out;
  EXPECT_TRUE(result.error_contains("is not a folder")) << result.error;
}

TEST_F(DoctorWithoutAGpu, AProgramWithoutItsNetworkFails) {
  const ProgramResult result = machine_.run_shell("mkdir bin && cp \"$(command -v weir)\" bin/ && bin/weir doctor");
  EXPECT_EQ(result.status, 3) << result.out;
  EXPECT_NE(result.out.find("does not work here: no network found in"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("train               on the CPU"), std::string::npos) << result.out;
}

TEST(CliDoctor, AHungDriverIsReported) {
  const FakeMachine machine{"hang\n"};
  const ProgramResult result = machine.run_weir({"doctor"});
  EXPECT_EQ(result.status, 3);
  EXPECT_NE(result.out.find("does not answer within"), std::string::npos) << result.out;
}

TEST(CliDoctor, WorksOnASoftwareDevice) {
  const FakeMachine machine;
  const ProgramResult devices = machine.run_weir({"devices"});
  if (devices.out.find("llvmpipe") == std::string::npos) GTEST_SKIP() << "no software Vulkan driver here";
  const ProgramResult result = machine.run_weir({"doctor", "--device", "llvmpipe"});
  EXPECT_EQ(result.status, 0) << result.out;
  EXPECT_NE(result.out.find("4 MiB filled and read back"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("per second (weir-2x, float32) on llvmpipe"), std::string::npos) << result.out;
  const ProgramResult listed = machine.run_weir({"devices", "--json"});
  EXPECT_NE(listed.out.find(R"("driver":"llvmpipe Mesa )"), std::string::npos) << listed.out;
}

/// The name has 9 bytes and 6 columns.
TEST(CliLease, WideCharactersKeepTheColumnsOfTheList) {
  const FakeMachine machine{"card カード GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 100 300\n"};
  const ProgramResult ended = machine.run_weir({"lease", "list"}, {{"VK_DRIVER_FILES", "/nonexistent"}});
  std::istringstream lines{ended.out};
  std::string head;
  std::string row;
  std::getline(lines, head);
  std::getline(lines, row);
  ASSERT_NE(row.find("カード"), std::string::npos) << ended.out;
  EXPECT_EQ(row.find("free") - 3, head.find("STATE")) << ended.out;
}

TEST(CliLease, HoldRunsACommandOnTheChosenCard) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir({"lease", "hold", "--deny", "5060", "--", "env"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(result.out.find("CUDA_VISIBLE_DEVICES=GPU-aaaa0000-1111-2222-3333-444455556666\n"), std::string::npos);
  EXPECT_NE(result.out.find("CUDA_DEVICE_ORDER=PCI_BUS_ID\n"), std::string::npos);
  EXPECT_NE(result.out.find("WEIR_LEASE=pci-0000:02:00.0:"), std::string::npos);
}

TEST(CliLease, ExitStatusesAreThoseOfTheProgramTimeout) {
  const FakeMachine machine;
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--", "sh", "-c", "exit 7"}).status, 7);
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--", "sh", "-c", "kill -9 $$"}).status, 137);
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--deny", "*", "--", "true"}).status, 125);
  EXPECT_EQ(machine.run_weir({"lease", "hold", "--"}).status, 126);
  EXPECT_EQ(machine.run_weir({"lease", "wait", "--deny", "*"}).status, 3);
  EXPECT_EQ(machine.run_weir({"lease", "keep"}).status, 2);
  EXPECT_EQ(machine.run_weir({"lease", "list", "--", "true"}).status, 2);
}

TEST(CliLease, ArgumentsOfTheCommandAreUnchanged) {
  const FakeMachine machine;
  const ProgramResult result =
      machine.run_weir({"lease", "hold", "--", "printf", "%s|", "[a,b]", "--deny", "++", "--", "x y"});
  EXPECT_EQ(result.out, "[a,b]|--deny|++|--|x y|") << result.error;
}

TEST(CliLease, AHeldCardIsListedAndRefusedWithItsHolder) {
  const FakeMachine machine;
  ProgramOptions holding = machine.options();
  holding.keep_input_open = true;
  ProgramResult listed;
  ProgramResult refused;
  ProgramResult second;
  holding.while_running = [&](pid_t child) {
    for (int tries = 0; tries < 3000; ++tries) {
      listed = machine.run_weir({"lease", "list", "--json"});
      if (listed.out.find("nightly") != std::string::npos)
        break;  // the holder writes its record shortly after it has taken the lease
    }
    refused = machine.run_weir({"lease", "wait", "--device", "3090", "--wait", "0"});
    second = machine.run_weir({"lease", "hold", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"});
    kill(child, SIGTERM);
  };
  const ProgramResult held = run({"lease", "hold", "--device", "3090", "--job", "nightly"}, holding);
  EXPECT_EQ(held.status, 0) << held.error;
  EXPECT_TRUE(held.out.starts_with("WEIR_LEASE=pci-0000:02:00.0:")) << held.out;
  EXPECT_NE(listed.out.find("\"job\":\"nightly\""), std::string::npos) << listed.out;
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.error_contains("job 'nightly'")) << refused.error;
  EXPECT_TRUE(second.out.starts_with("GPU-bbbb")) << "the other card is free: " << second.out;
}

TEST(CliLease, MemoryInUseWithoutALeaseIsReported) {
  const FakeMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 6000 300\nprocess 0 4242 5800\n"};
  const ProgramResult listed = machine.run_weir({"lease", "list", "--json"});
  EXPECT_NE(listed.out.find("\"dirty\""), std::string::npos) << listed.out;
  const ProgramResult result = machine.run_weir({"lease", "hold", "--", "true"});
  EXPECT_EQ(result.status, 0);
  EXPECT_TRUE(result.error_contains("5.9 GiB are in use")) << result.error;
  EXPECT_TRUE(result.error_contains("pid 4242")) << result.error;
}

TEST(CliLease, TheNeedOfAHolderIsReservedForIt) {
  const FakeMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 100 300\n"};
  const ProgramResult result = machine.run_shell(
      "weir lease hold --slots 2 --need 12G -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done' & "
      "for i in $(seq 6000); do test -e ready && break; sleep 0.01; done; "
      "weir lease hold --slots 2 --need 13G -- true; echo status $?; "
      "weir lease hold --slots 2 --need 8G -- true; echo status $?; touch go; wait");
  EXPECT_NE(result.out.find("12 GiB of them promised to others"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("status 125"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("status 0"), std::string::npos) << result.out;
}

TEST(CliLease, AHeldCardIsListedThoughItsFileWasRemoved) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell(
      "weir lease hold --device 3090 -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done' & "
      "for i in $(seq 6000); do test -e ready && break; sleep 0.01; done; rm leases/*; weir lease list; weir doctor; "
      "touch go; wait");
  EXPECT_NE(result.out.find("held"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("RTX 3090 at 0000:02:00.0 is free"), std::string::npos) << result.out;
}

TEST(CliLease, SharedLeasesMustHaveTheSameNumberOfSlots) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_shell(
      "weir lease hold --device 3090 --slots 2 -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done' & "
      "for i in $(seq 6000); do test -e ready && break; sleep 0.01; done; "
      "weir lease wait --device 3090 --slots 3 --wait 0; echo three $?; "
      "weir lease wait --device 3090 --slots 1 --wait 0; echo one $?; "
      "weir lease wait --device 3090 --slots 2 --wait 0; echo two $?; touch go; wait");
  EXPECT_NE(result.out.find("three 3"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("one 3"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("two 0"), std::string::npos) << result.out;
}

TEST(CliLease, ANestedCallJoinsTheLease) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir({"lease", "hold", "--device", "3090", "--", places::program(), "lease",
                                                 "hold", "--wait", "0", "--device", "3090", "--", "echo", "inside"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(result.out, "inside\n");
}

TEST(CliLease, ASchedulersMaskIsObeyed) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir({"lease", "hold", "--", "sh", "-c", "echo $CUDA_VISIBLE_DEVICES"},
                                                {{"CUDA_VISIBLE_DEVICES", "0"}});
  EXPECT_TRUE(result.out.starts_with("GPU-bbbb")) << result.out << result.error;
  const ProgramResult refused =
      machine.run_weir({"lease", "wait", "--device", "3090"}, {{"CUDA_VISIBLE_DEVICES", "0"}});
  EXPECT_EQ(refused.status, 3);
  EXPECT_TRUE(refused.error_contains("hidden by CUDA_VISIBLE_DEVICES=0")) << refused.error;
}

/// The commands devices, lease and run accept a card by one rule: the free memory that others have not reserved must
/// suffice for the need and for the GPU context.
TEST(CliNeed, IsComparedInTheSameWayByAllCommands) {
  const FakeMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 100 300\n"};
  // Returns for devices, lease and run whether the card is accepted.
  const auto acceptances = [&](const std::string& need) {
    const ProgramResult listed =
        machine.run_weir({"devices", "--json", "--need", need}, {{"VK_DRIVER_FILES", "/nonexistent"}});
    return std::vector<bool>{Json::parse(listed.out)["accepted"],
                             machine.run_weir({"lease", "hold", "--need", need, "--", "true"}).status == 0,
                             machine.run_weir({"run", "--need", need, "--", "true"}).status == 0};
  };
  EXPECT_EQ(acceptances("23600M"), (std::vector<bool>{true, true, true}));
  EXPECT_EQ(acceptances("23700M"), (std::vector<bool>{false, false, false})) << "no memory is left for the context";
}

TEST(CliNeed, MemoryReservedByOtherHoldersIsNotFree) {
  const FakeMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 100 300\n"};
  const ProgramResult result = machine.run_shell(
      "export VK_DRIVER_FILES=/nonexistent; "
      "weir run --slots 2 --need 12G -- sh -c 'touch ready; while ! test -e go; do sleep 0.01; done' & "
      "while ! test -e ready; do sleep 0.01; done; weir devices --need 13G; "
      "weir lease hold --slots 2 --need 13G -- true; echo status $?; touch go; wait");
  EXPECT_NE(result.out.find("12 GiB of them promised to others"), std::string::npos) << result.out;
  EXPECT_NE(result.out.find("status 125"), std::string::npos) << result.out;
}

TEST(CliLeak, ACleanCommandIsApproved) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir({"leak", "--runs", "2", "--report", "report.md", "--", "true"});
  EXPECT_EQ(result.status, 0) << result.error << result.out;
  EXPECT_NE(result.out.find("verdict: approved; no leak found"), std::string::npos) << result.out;
  const std::string report = machine.folder().text("report.md");
  for (const char* section : {"## Analysis", "## Strong points", "## Weak points", "## Recommendations",
                              "## Functional results", "## Verdict"})
    EXPECT_NE(report.find(section), std::string::npos) << section;
  for (const char* part : {"RTX 3090 at 0000:02:00.0", "GPU-aaaa", "limit: 100 MiB", "weir 0."})
    EXPECT_NE(report.find(part, report.find("## Verdict")), std::string::npos) << part << report;
}

TEST(CliLeak, AGrowingDeviceIsFound) {
  const FakeMachine machine{"card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 100 300\n"};
  const ProgramResult result =
      machine.run_weir({"leak", "--runs", "2", "--json", "--", "sh", "-c",
                        "echo 'card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 400 300' > $FAKE_NVML"});
  EXPECT_EQ(result.status, 1) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["leaked"], true);
  EXPECT_EQ(json["verdict"], "rejected");
  EXPECT_EQ(json["uuid"], "GPU-aaaa");
  EXPECT_EQ(json["card"], "NVIDIA GeForce RTX 3090 at 0000:02:00.0");
  EXPECT_EQ(json["max_leak_bytes"], 100 << 20);
  EXPECT_EQ(json["version"], kVersion);
  EXPECT_EQ(json["date"].get<std::string>().substr(0, 2), "20");
}

TEST(CliLeak, ProcessesThatOutliveItAreALeak) {
  const FakeMachine machine{""};
  const ProgramResult result =
      machine.run_weir({"leak", "--runs", "1", "--", "sh", "-c", "setsid sleep 1000 >/dev/null 2>&1 &"});
  EXPECT_EQ(result.status, 1);
  EXPECT_NE(result.out.find("1 process outlived"), std::string::npos) << result.out;
}

/// The driver hangs from the middle of the command on, so the memory after the command is not known.
TEST(CliLeak, ADriverThatHangsDuringTheCommandMakesTheVerdictUnknown) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir(
      {"leak", "--device", "3090", "--runs", "2", "--json", "--", "sh", "-c", "echo hang >> $FAKE_NVML; sleep 0.3"});
  EXPECT_EQ(result.status, 1) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["verdict"], "unknown");
  EXPECT_NE(json["weaknesses"].dump().find("it is not known what stays on the device"), std::string::npos) << json;
  EXPECT_EQ(result.out.find("0 B after the last"), std::string::npos) << result.out;
}

TEST(CliLeak, ADriverThatHangsFromTheStartMakesTheVerdictUnknown) {
  const FakeMachine machine{"hang\n"};
  const ProgramResult result =
      machine.run_weir({"leak", "--runs", "1", "--json", "--", "true"}, {{"VK_DRIVER_FILES", "/nonexistent"}});
  EXPECT_EQ(result.status, 1) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["verdict"], "unknown");
  EXPECT_NE(json["weaknesses"].dump().find("NVML does not answer (10 s)"), std::string::npos) << json;
}

TEST(CliLeak, WorkOnAnotherCardIsEndedAndRejected) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir({"leak", "--device", "3090", "--runs", "2", "--json", "--", "sh", "-c",
                                                 "echo \"process 1 $$ 900\" >> $FAKE_NVML; exec sleep 1000"});
  EXPECT_EQ(result.status, 1) << result.error;
  const Json json = Json::parse(result.out);
  EXPECT_EQ(json["verdict"], "rejected");
  EXPECT_NE(json["weaknesses"].dump().find("got NVIDIA GeForce RTX 5060 Ti"), std::string::npos) << json;
}

/// Every command that lists or chooses devices reports once that a driver hangs. If it reported only that the policy
/// accepts no device, the user would look for the mistake in the policy.
TEST(CliHungDriver, IsNamedByEveryCommand) {
  const FakeMachine machine{"hang\n"};
  const std::string message = "NVML does not answer (10 s): its cards are not known";
  const std::vector<std::pair<std::vector<std::string>, int>> commands{
      {{"devices"}, 0},
      {{"lease", "list"}, 0},
      {{"lease", "wait", "--device", "3090"}, 3},
      {{"run", "--device", "3090", "--", "true"}, 125},
      {{"run", "--device", "3090", "--", "true", ":::", "a"}, 3}};
  for (const auto& [arguments, status] : commands) {
    const ProgramResult result = machine.run_weir(arguments);
    EXPECT_EQ(result.status, status) << arguments.front() << result.error;
    const std::size_t at = result.error.find(message);
    EXPECT_NE(at, std::string::npos) << arguments.front() << result.error;
    EXPECT_EQ(result.error.find(message, at + 1), std::string::npos) << result.error;
  }
}

TEST(CliHungDriver, DoesNotDelayAnInterruption) {
  const FakeMachine machine{"hang\n"};
  ProgramOptions options = machine.options();
  options.before_start = [] { setpgid(0, 0); };
  options.while_running = [](pid_t weir) {
    usleep(500'000);  // weir waits for the driver then
    kill(-weir,
         SIGINT);  // to the whole process group, as a terminal does; the child processes that call drivers get it
  };
  const std::vector<std::pair<std::vector<std::string>, int>> commands{
      {{"run", "--", "true"}, 125}, {{"run", "--", "true", ":::", "a"}, 4},
      {{"lease", "hold"}, 4},       {{"lease", "hold", "--", "true"}, 125},
      {{"lease", "wait"}, 4},       {{"leak", "--", "true"}, 4}};
  for (const auto& [arguments, status] : commands) {
    const ProgramResult result = run(arguments, options);
    EXPECT_EQ(result.status, status) << arguments[0] << result.error;
    EXPECT_TRUE(result.error_contains("interrupted")) << arguments[0] << result.error;
  }
}

TEST(CliHungDriver, OtherProbesReportTheirOwnDurations) {
  const FakeMachine machine{"hang\n"};
  const ProgramResult result = machine.run_weir({"doctor", "--json"});
  const std::string before_duration = "devices in ";  // "1 devices in 105 ms"
  const std::size_t at = result.out.find(before_duration);
  ASSERT_NE(at, std::string::npos) << result.out;
  EXPECT_LT(std::stoi(result.out.substr(at + before_duration.size())), 9000) << "milliseconds: " << result.out;
}

TEST(CliLeak, ExitStatusesOfItsOwnFailures) {
  const FakeMachine machine{""};
  EXPECT_EQ(machine.run_weir({"leak", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.run_weir({"leak"}).status, 125);
  EXPECT_EQ(machine.run_weir({"leak", "--device", "3090", "--", "true"}).status, 125);
  EXPECT_EQ(machine.run_weir({"leak", "--runs", "1", "--", "false"}).status, 1);
}

constexpr const char* kBusyCard =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa0000-1111-2222-3333-444455556666 0000:02:00.0 24576 20000 300\n";

TEST(CliRun, TheFirstVariantThatFitsIsTaken) {
  const FakeMachine machine{kBusyCard};  // 4.2 GiB are free
  const ProgramResult result = machine.run_weir({"run", "--variants", "medium=5G,small=2G,tiny=512M", "--", "sh", "-c",
                                                 "echo {variant} $WEIR_VARIANT $CUDA_VISIBLE_DEVICES {other}; exit 3"});
  EXPECT_EQ(result.status, 3) << result.error;
  EXPECT_EQ(result.out, "small small GPU-aaaa0000-1111-2222-3333-444455556666 {other}\n");
  EXPECT_TRUE(result.error_contains("variant 'small'")) << result.error;
}

TEST(CliRun, TorchsAllocatorIsToldWhereNobodyHasToldIt) {
  const FakeMachine machine;
  // Returns the two variables of PyTorch that the command gets. `name`, `value`: a variable that is set before.
  const auto allocator_variables = [&](std::vector<std::string> arguments, const std::string& name,
                                       const std::string& value) {
    arguments.insert(arguments.begin(), "run");
    arguments.insert(arguments.end(), {"--", "sh", "-c", "echo $PYTORCH_ALLOC_CONF:$PYTORCH_CUDA_ALLOC_CONF"});
    return machine.run_weir(arguments, {{name, value}}).out;
  };
  EXPECT_EQ(allocator_variables({}, "UNRELATED", ""), ":max_split_size_mb:1024\n");
  EXPECT_EQ(allocator_variables({}, "PYTORCH_CUDA_ALLOC_CONF", "expandable_segments:True"),
            ":expandable_segments:True\n");
  EXPECT_EQ(allocator_variables({}, "PYTORCH_ALLOC_CONF", "backend:native"), "backend:native:\n");
  EXPECT_EQ(allocator_variables({"--torch-allocator", ""}, "UNRELATED", ""), ":\n");
  machine.folder().put("weir.toml", "torch-allocator = 'max_split_size_mb:64'\n");
  EXPECT_EQ(allocator_variables({}, "UNRELATED", ""), ":max_split_size_mb:64\n");
}

TEST(CliRun, WhatDoesNotFitIsRefusedWithTheNumbers) {
  const FakeMachine machine{kBusyCard};
  const ProgramResult result = machine.run_weir({"run", "--need", "10G", "--", "true"});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("needs 10 GiB")) << result.error;
  EXPECT_TRUE(result.error_contains("4.2 GiB are free")) << result.error;
}

TEST(CliRun, WorkOnAnotherCardIsEnded) {
  const FakeMachine machine;
  const ProgramResult result = machine.run_weir(
      {"run", "--device", "3090", "--", "sh", "-c", "echo \"process 1 $$ 900\" >> $FAKE_NVML; exec sleep 1000"});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("asked for NVIDIA GeForce RTX 3090")) << result.error;
  EXPECT_TRUE(result.error_contains("got NVIDIA GeForce RTX 5060 Ti")) << result.error;
}

TEST(CliRun, WorkOnTheCardIsProved) {
  const FakeMachine machine;
  const std::string work = "echo \"process 0 $$ 900\" >> $FAKE_NVML; exec sleep 2";
  const ProgramResult result =
      machine.run_weir({"run", "--device", "3090", "--strict-device", "--json", "--", "sh", "-c", work});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("\"placement\":\"proved\"")) << result.error;
  const ProgramResult unknown = machine.run_weir({"run", "--device", "3090", "--strict-device", "--", "true"});
  EXPECT_EQ(unknown.status, 125);
  EXPECT_TRUE(unknown.error_contains("placement unknown")) << unknown.error;
}

TEST(CliRun, SlowAndFailedAttemptsAreRepeated) {
  const FakeMachine machine;
  const ProgramResult slow = machine.run_weir({"run", "--timeout", "0.2", "--retries", "1", "--", "sleep", "1000"});
  EXPECT_EQ(slow.status, 125);
  EXPECT_TRUE(slow.error_contains("attempt 1 failed (not done within 0.2 s)")) << slow.error;
  const ProgramResult second =
      machine.run_weir({"run", "--retries", "3", "--", "sh", "-c", "test -e seen || { touch seen; exit 9; }"});
  EXPECT_EQ(second.status, 0) << second.error;
  EXPECT_TRUE(second.error_contains("attempt 1 failed (status 9)")) << second.error;
}

TEST(CliRun, MemoryThatStaysInUseIsAFailure) {
  const FakeMachine machine{kBusyCard};
  const ProgramResult result = machine.run_weir(
      {"run", "--max-leak", "10M", "--", "sh", "-c", "sed -i 's/24576 20000/24576 20100/' $FAKE_NVML"});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("100 MiB on the device outlive the command")) << result.error;
}

TEST(CliRun, ItsOwnFailuresHaveTheExitStatusesOfTheProgramTimeout) {
  const FakeMachine machine;
  EXPECT_EQ(machine.run_weir({"run", "--", "no-such-program"}).status, 127);
  EXPECT_EQ(machine.run_weir({"run", "--", "/etc/passwd"}).status, 126);
  EXPECT_EQ(machine.run_weir({"run", "true"}).status, 125);
  EXPECT_EQ(machine.run_weir({"run", "--deny", "*", "--", "true"}).status, 125);
  EXPECT_EQ(machine.run_weir({"run", "--jobs", "2", "--", "true"}).status, 125);
  EXPECT_EQ(machine.run_weir({"run", "--variants", "a=1G,b=2G", "--", "true"}).status, 125);
}

}  // namespace
}  // namespace weir::test

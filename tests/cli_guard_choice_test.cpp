// How the user names devices and folders for leases, and what is told of names that prove nothing.

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "fake_machine.hpp"

namespace weir::test {
namespace {

TEST(CliDevicePatterns, ANumberIsNoName) {
  const FakeMachine machine;
  const std::string hint = "looks like an index, which proves nothing";
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"run", "--device", "1", "--", "true"},
                                             {"run", "--device", "3090,!2", "--", "true"},
                                             {"run", "--allow", "0", "--", "true"},
                                             {"run", "--deny", "15", "--", "true"},
                                             {"lease", "hold", "--prefer", "1", "--", "true"},
                                             {"leak", "--device", "2", "--", "true"}}) {
    const ProgramResult ended = machine.run_weir(words);
    EXPECT_EQ(ended.status, 125) << words[2] << ended.error;
    EXPECT_TRUE(ended.error_contains(hint)) << ended.error;
  }
  EXPECT_EQ(machine.run_weir({"devices", "--device", "1"}).status, 2);
  EXPECT_TRUE(machine.run_weir({"upscale", "--device", "1", "a.png", "-o", "b.png"}).error_contains(hint));
  EXPECT_TRUE(machine.run_weir({"run", "--", "true"}, {{"WEIR_ALLOW", "1"}}).error_contains(hint));
  EXPECT_EQ(machine.run_weir({"run", "--device", "3090", "--", "true"}).status, 0) << "a part of a name";
  machine.folder().put("weir.toml", "deny = ['*5060*', '1']\n");
  const ProgramResult file = machine.run_weir({"run", "--", "true"});
  EXPECT_EQ(file.status, 125);
  EXPECT_TRUE(file.error_contains("weir.toml:1: '1' looks like an index")) << file.error;
}

TEST(CliDevicePatterns, ANumberNamesNoSoftware) {
  const FakeMachine machine;
  if (machine.run_weir({"devices"}).out.find("llvmpipe") == std::string::npos)
    GTEST_SKIP() << "no software Vulkan here";
  machine.set_machine("");
  const ProgramResult ended = machine.run_weir({"run", "--device", "256", "--", "true"});
  EXPECT_EQ(ended.status, 125);
  EXPECT_TRUE(ended.error_contains("is software; name it to use it")) << ended.error;
  EXPECT_EQ(machine.run_weir({"run", "--device", "llvmpipe", "--", "true"}).status, 0);
}

TEST(CliSettings, AListOfPatternsIsNoNumber) {
  const FakeMachine machine;
  for (const char* text : {"allow = 5\n", "deny = true\n", "prefer = 3090\n", "[roles.a]\nallow = 1.5\n"}) {
    machine.folder().put("weir.toml", text);
    const ProgramResult ended = machine.run_weir({"devices"});
    EXPECT_EQ(ended.status, 2) << text;
    EXPECT_TRUE(ended.error_contains("must be a text or a list of texts")) << ended.error;
  }
}

TEST(CliSettings, WhatIsAFlagAloneIsTold) {
  const FakeMachine machine;
  const ProgramResult variables =
      machine.run_weir({"run", "--", "true"}, {{"WEIR_DEVICE", "3090"}, {"WEIR_NEED", "5G"}});
  EXPECT_EQ(variables.status, 0) << variables.error;
  EXPECT_TRUE(variables.error_contains(
      "WEIR_DEVICE is not read by this command: it is no setting here, only a flag (--device)"))
      << variables.error;
  EXPECT_TRUE(variables.error_contains("WEIR_NEED is not read")) << variables.error;
  machine.folder().put("weir.toml", "device = '3090'\n");
  const ProgramResult file = machine.run_weir({"run", "--", "true"});
  EXPECT_EQ(file.status, 0);
  EXPECT_TRUE(file.error_contains("weir.toml:1: 'device' is not read by this command")) << file.error;
  machine.folder().put("weir.toml", "need = '5G'\n");
  const ProgramResult need = machine.run_weir({"run", "--", "true"});
  EXPECT_EQ(need.status, 125);
  EXPECT_TRUE(need.error_contains("weir.toml:1: 'need' is no setting, only a flag (--need)")) << need.error;
}

/// Two programs in two folders would both hold the card.
TEST(CliLease, ARelativeFolderIsRefused) {
  const FakeMachine machine;
  for (const char* folder : {"leases", "./leases"}) {
    ProgramOptions how = machine.options();
    for (auto& [name, value] : how.variables)
      if (name == "WEIR_LEASE_DIR") value = folder;
    const ProgramResult ended = run({"run", "--", "true"}, how);
    EXPECT_EQ(ended.status, 125);
    EXPECT_TRUE(ended.error_contains("WEIR_LEASE_DIR must be an absolute path")) << ended.error;
    EXPECT_EQ(run({"lease", "wait"}, how).status, 3);
  }
}

TEST(CliLease, WhatWasTakenIsALineOfJson) {
  const FakeMachine machine;
  const auto waited = nlohmann::json::parse(machine.run_weir({"lease", "wait", "--device", "3090", "--json"}).out);
  EXPECT_EQ(waited["uuid"], "GPU-aaaa0000-1111-2222-3333-444455556666");
  EXPECT_EQ(waited["pci"], "0000:02:00.0");
  EXPECT_FALSE(waited.contains("WEIR_LEASE"));
  const auto held = nlohmann::json::parse(machine.run_weir({"lease", "hold", "--device", "3090", "--json"}).out);
  EXPECT_EQ(held["lease"], "pci-0000:02:00.0");
  EXPECT_TRUE(held["WEIR_LEASE"].get<std::string>().starts_with("pci-0000:02:00.0:"));
}

TEST(CliLease, TheHolderIsNamedByTheProgramOfItsCommand) {
  const FakeMachine machine;
  const std::vector<std::vector<std::string>> holders{{"run", "--device", "3090"},
                                                      {"lease", "hold", "--device", "3090"}};
  for (std::vector<std::string> words : holders) {
    words.insert(words.end(), {"--", "sh", "-c", "cat leases/*.lease", "--token=s3cret"});
    const ProgramResult ended = machine.run_weir(words);
    EXPECT_NE(ended.out.find("\"command\":\"sh\""), std::string::npos) << ended.out;
    EXPECT_EQ(ended.out.find("s3cret"), std::string::npos) << ended.out;
  }
}

TEST(CliLeak, TheReportHasNoArguments) {
  const FakeMachine machine;
  const ProgramResult ended =
      machine.run_weir({"leak", "--runs", "1", "--report", "report.md", "--", "true", "--token=s3cret"});
  EXPECT_EQ(ended.status, 0) << ended.error;
  EXPECT_NE(machine.folder().text("report.md").find("true"), std::string::npos);
  EXPECT_EQ(machine.folder().text("report.md").find("s3cret"), std::string::npos);
}

class CliDoctorAdvice : public ::testing::Test {
 protected:
  ProgramResult doctor(std::vector<std::pair<std::string, std::string>> more, std::vector<std::string> words = {},
                       std::function<void()> limits = {}) const {
    ProgramOptions how = machine_.options();
    for (auto& [name, value] : more) {
      std::erase_if(how.variables, [&key = name](const auto& one) { return one.first == key; });
      how.variables.emplace_back(name, value);
    }
    how.before_start = std::move(limits);
    words.insert(words.begin(), "doctor");
    return run(words, how);
  }
  static void expect_advice(const ProgramResult& ended, const std::string& advice) {
    EXPECT_EQ(ended.status, 3) << ended.out;
    EXPECT_NE(ended.out.find("-> " + advice), std::string::npos) << ended.out;
  }
  FakeMachine machine_;
};

TEST_F(CliDoctorAdvice, NamesWhatKeepsTheDevicesAway) {
  const ProgramResult masked = doctor({{"CUDA_VISIBLE_DEVICES", "5"}});
  expect_advice(masked, "unset CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(masked.out.find("change allow"), std::string::npos) << masked.out;
  expect_advice(doctor({}, {"--need", "30G"}), "ask for less with --need");
  expect_advice(doctor({}, {"--device", "4090"}), "change --device");
  expect_advice(doctor({}, {"--min-memory", "30G"}), "change allow, deny or min-memory");
}

TEST_F(CliDoctorAdvice, NamesTheFolderForLeasesThatWasSet) {
  expect_advice(doctor({{"WEIR_LEASE_DIR", "/proc/x"}}), "install -d -m 1777 /proc/x");
  expect_advice(doctor({{"WEIR_LEASE_DIR", "leases"}}), "set WEIR_LEASE_DIR to an absolute path");
}

TEST_F(CliDoctorAdvice, TooFewDescriptorsAreTheCause) {
  const ProgramResult ended = doctor({}, {}, [] {
    const rlimit limit{8, 8};
    setrlimit(RLIMIT_NOFILE, &limit);
  });
  expect_advice(ended, "ulimit -n 1024");
  EXPECT_NE(ended.out.find("only 8 files may be open at once"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("make install"), std::string::npos) << ended.out;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(CliDoctorAdvice, ALimitOnAddressesIsSeen) {
  const ProgramResult ended = doctor({}, {"--json"}, [] {
    const rlimit limit{200'000 << 10, 200'000 << 10};
    setrlimit(RLIMIT_AS, &limit);
  });
  EXPECT_NE(ended.out.find("addresses are limited to 195 MiB (ulimit -v)"), std::string::npos) << ended.out;
  const auto cpu = nlohmann::json::parse(ended.out.substr(0, ended.out.find('\n')));
  EXPECT_LE(cpu["ram_bytes"].get<std::uint64_t>(), 200'000ULL << 10U) << ended.out;
  EXPECT_GT(cpu["ram_bytes"].get<std::uint64_t>(), 0U);
}
#endif

TEST_F(CliDoctorAdvice, ALeaseFileThatIsNoneMakesLeasesFailThroughout) {
  ASSERT_EQ(mkfifo((machine_.folder() / "leases" / "gpu-pci-0000:02:00.0.lease").c_str(), 0600), 0);
  const ProgramResult ended = doctor({}, {"--device", "3090", "--json"});
  EXPECT_EQ(ended.status, 3) << ended.out;
  EXPECT_EQ(ended.out.find("\"command\":\"lease\",\"device\":\"\",\"works\":true"), std::string::npos) << ended.out;
  EXPECT_EQ(ended.out.find("\"command\":\"run\",\"device\":\"\",\"works\":true"), std::string::npos) << ended.out;
}

}  // namespace
}  // namespace weir::test

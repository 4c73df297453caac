// Tests of the built program: how the user names devices and lease folders, and the messages for names that identify no
// device.

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "fake_machine.hpp"

namespace weir::test {
namespace {

TEST(CliDevicePatterns, ANumberIsRefusedAsAPattern) {
  const FakeMachine machine;
  const std::string hint = "looks like an index, which proves nothing";
  for (const std::vector<std::string>& arguments :
       std::vector<std::vector<std::string>>{{"run", "--device", "1", "--", "true"},
                                             {"run", "--device", "3090,!2", "--", "true"},
                                             {"run", "--allow", "0", "--", "true"},
                                             {"run", "--deny", "15", "--", "true"},
                                             {"lease", "hold", "--prefer", "1", "--", "true"},
                                             {"leak", "--device", "2", "--", "true"}}) {
    const ProgramResult result = machine.run_weir(arguments);
    EXPECT_EQ(result.status, 125) << arguments[2] << result.error;
    EXPECT_TRUE(result.error_contains(hint)) << result.error;
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

TEST(CliDevicePatterns, ANumberDoesNotSelectASoftwareDevice) {
  const FakeMachine machine;
  if (machine.run_weir({"devices"}).out.find("llvmpipe") == std::string::npos)
    GTEST_SKIP() << "no software Vulkan here";
  machine.set_machine("");
  const ProgramResult result = machine.run_weir({"run", "--device", "256", "--", "true"});
  EXPECT_EQ(result.status, 125);
  EXPECT_TRUE(result.error_contains("is software; name it to use it")) << result.error;
  EXPECT_EQ(machine.run_weir({"run", "--device", "llvmpipe", "--", "true"}).status, 0);
}

TEST(CliSettings, PatternsMustBeTexts) {
  const FakeMachine machine;
  for (const char* text : {"allow = 5\n", "deny = true\n", "prefer = 3090\n", "[roles.a]\nallow = 1.5\n"}) {
    machine.folder().put("weir.toml", text);
    const ProgramResult result = machine.run_weir({"devices"});
    EXPECT_EQ(result.status, 2) << text;
    EXPECT_TRUE(result.error_contains("must be a text or a list of texts")) << result.error;
  }
}

TEST(CliSettings, VariablesAndSettingsThatAreOnlyFlagsAreReported) {
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

/// Programs that run in two folders would use two lease folders, so both could lease the same card.
TEST(CliLease, ARelativeFolderIsRefused) {
  const FakeMachine machine;
  for (const char* folder : {"leases", "./leases"}) {
    ProgramOptions options = machine.options();
    for (auto& [name, value] : options.variables)
      if (name == "WEIR_LEASE_DIR") value = folder;
    const ProgramResult result = run({"run", "--", "true"}, options);
    EXPECT_EQ(result.status, 125);
    EXPECT_TRUE(result.error_contains("WEIR_LEASE_DIR must be an absolute path")) << result.error;
    EXPECT_EQ(run({"lease", "wait"}, options).status, 3);
  }
}

TEST(CliLease, ALeasedDeviceIsPrintedAsJson) {
  const FakeMachine machine;
  const auto waited = nlohmann::json::parse(machine.run_weir({"lease", "wait", "--device", "3090", "--json"}).out);
  EXPECT_EQ(waited["uuid"], "GPU-aaaa0000-1111-2222-3333-444455556666");
  EXPECT_EQ(waited["pci"], "0000:02:00.0");
  EXPECT_FALSE(waited.contains("WEIR_LEASE"));
  const auto held = nlohmann::json::parse(machine.run_weir({"lease", "hold", "--device", "3090", "--json"}).out);
  EXPECT_EQ(held["lease"], "pci-0000:02:00.0");
  EXPECT_TRUE(held["WEIR_LEASE"].get<std::string>().starts_with("pci-0000:02:00.0:"));
}

TEST(CliLease, TheLeaseFileHasTheProgramOfTheHolderButNotItsArguments) {
  const FakeMachine machine;
  const std::vector<std::vector<std::string>> holders{{"run", "--device", "3090"},
                                                      {"lease", "hold", "--device", "3090"}};
  for (std::vector<std::string> arguments : holders) {
    arguments.insert(arguments.end(), {"--", "sh", "-c", "cat leases/*.lease", "--token=s3cret"});
    const ProgramResult result = machine.run_weir(arguments);
    EXPECT_NE(result.out.find("\"command\":\"sh\""), std::string::npos) << result.out;
    EXPECT_EQ(result.out.find("s3cret"), std::string::npos) << result.out;
  }
}

TEST(CliLeak, TheReportHasNoArguments) {
  const FakeMachine machine;
  const ProgramResult result =
      machine.run_weir({"leak", "--runs", "1", "--report", "report.md", "--", "true", "--token=s3cret"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_NE(machine.folder().text("report.md").find("true"), std::string::npos);
  EXPECT_EQ(machine.folder().text("report.md").find("s3cret"), std::string::npos);
}

class CliDoctorAdvice : public ::testing::Test {
 protected:
  /// Runs `weir doctor`. `more`: variables that replace those of the machine; `limits`: called before the program starts.
  ProgramResult doctor(std::vector<std::pair<std::string, std::string>> more, std::vector<std::string> arguments = {},
                       std::function<void()> limits = {}) const {
    ProgramOptions options = machine_.options();
    for (auto& [name, value] : more) {
      std::erase_if(options.variables, [&key = name](const auto& variable) { return variable.first == key; });
      options.variables.emplace_back(name, value);
    }
    options.before_start = std::move(limits);
    arguments.insert(arguments.begin(), "doctor");
    return run(arguments, options);
  }
  static void expect_advice(const ProgramResult& result, const std::string& advice) {
    EXPECT_EQ(result.status, 3) << result.out;
    EXPECT_NE(result.out.find("-> " + advice), std::string::npos) << result.out;
  }
  FakeMachine machine_;
};

TEST_F(CliDoctorAdvice, NamesTheSettingThatExcludesTheDevices) {
  const ProgramResult masked = doctor({{"CUDA_VISIBLE_DEVICES", "5"}});
  expect_advice(masked, "unset CUDA_VISIBLE_DEVICES");
  EXPECT_EQ(masked.out.find("change allow"), std::string::npos) << masked.out;
  expect_advice(doctor({}, {"--need", "30G"}), "ask for less with --need");
  expect_advice(doctor({}, {"--device", "4090"}), "change --device");
  expect_advice(doctor({}, {"--min-memory", "30G"}), "change allow, deny or min-memory");
}

TEST_F(CliDoctorAdvice, NamesTheLeaseFolderThatWasSet) {
  expect_advice(doctor({{"WEIR_LEASE_DIR", "/proc/x"}}), "install -d -m 1777 /proc/x");
  expect_advice(doctor({{"WEIR_LEASE_DIR", "leases"}}), "set WEIR_LEASE_DIR to an absolute path");
}

TEST_F(CliDoctorAdvice, TooFewOpenFilesAreReported) {
  const ProgramResult result = doctor({}, {}, [] {
    const rlimit limit{8, 8};
    setrlimit(RLIMIT_NOFILE, &limit);
  });
  expect_advice(result, "ulimit -n 1024");
  EXPECT_NE(result.out.find("only 8 files may be open at once"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("make install"), std::string::npos) << result.out;
}

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
TEST_F(CliDoctorAdvice, ALimitOfTheAddressSpaceIsReported) {
  const ProgramResult result = doctor({}, {"--json"}, [] {
    const rlimit limit{200'000 << 10, 200'000 << 10};
    setrlimit(RLIMIT_AS, &limit);
  });
  EXPECT_NE(result.out.find("addresses are limited to 195 MiB (ulimit -v)"), std::string::npos) << result.out;
  const auto cpu = nlohmann::json::parse(result.out.substr(0, result.out.find('\n')));
  EXPECT_LE(cpu["ram_bytes"].get<std::uint64_t>(), 200'000ULL << 10U) << result.out;
  EXPECT_GT(cpu["ram_bytes"].get<std::uint64_t>(), 0U);
}
#endif

TEST_F(CliDoctorAdvice, ALeaseFileThatIsAPipeMakesLeaseAndRunFail) {
  ASSERT_EQ(mkfifo((machine_.folder() / "leases" / "gpu-pci-0000:02:00.0.lease").c_str(), 0600), 0);
  const ProgramResult result = doctor({}, {"--device", "3090", "--json"});
  EXPECT_EQ(result.status, 3) << result.out;
  EXPECT_EQ(result.out.find("\"command\":\"lease\",\"device\":\"\",\"works\":true"), std::string::npos) << result.out;
  EXPECT_EQ(result.out.find("\"command\":\"run\",\"device\":\"\",\"works\":true"), std::string::npos) << result.out;
}

}  // namespace
}  // namespace weir::test

// Tests of the built program: `weir upscale --device` with lavapipe, Mesa's software driver. VK_DRIVER_FILES names the
// manifest of the driver; a copy of the manifest makes a further device.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <sstream>

#include "device/lease.hpp"
#include "pictures.hpp"
#include "program.hpp"
#include "tiny_network.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;
using testing::ContainsRegex;
using testing::HasSubstr;

/// Returns the manifest of the driver; an empty path if it is not installed.
fs::path lavapipe() {
  std::error_code none;
  for (const auto& entry : fs::directory_iterator{"/usr/share/vulkan/icd.d", none}) {
    if (entry.path().filename().native().starts_with("lvp_icd")) return entry.path();
  }
  return {};
}

class CliGpu : public ::testing::Test {
 protected:
  void SetUp() override {
    if (lavapipe().empty()) GTEST_SKIP() << "no lavapipe here";
    write_tiny_network(folder_ / "nets", "blocks");
    ASSERT_TRUE(write_picture(folder_ / "a.png", 40, 30, 3));
  }
  /// Runs weir with only the drivers of these manifests (paths separated by colons).
  ProgramResult upscale(std::vector<std::string> arguments, const std::string& manifests = lavapipe()) const {
    ProgramOptions options;
    options.folder = folder_.path();
    options.variables = {{"VK_DRIVER_FILES", manifests}, {"MESA_SHADER_CACHE_DISABLE", "true"}};
    arguments.insert(arguments.begin(), {"upscale", "a.png", "--model", "nets/blocks.param", "--ram", "2G"});
    return run(arguments, options);
  }
  /// Returns true if the picture is a.png enlarged 2x, each pixel as a block. Samples may differ by 1.
  bool is_enlarged(const fs::path& name) const {
    constexpr int kWidth = 80;
    constexpr int kHeight = 60;
    const Picture large = read_picture(folder_ / name);
    if (large.info.width != kWidth || large.info.height != kHeight) return false;
    for (int y = 0; y < kHeight; ++y) {
      for (int i = 0; i < 3 * kWidth; ++i) {  // three samples per pixel
        const auto at = static_cast<std::size_t>(y * 3 * kWidth + i);
        const int expected = std::to_integer<int>(sample_at(i / 3 / 2, y / 2, i % 3));
        if (std::abs(std::to_integer<int>(large.samples[at]) - expected) > 1) return false;
      }
    }
    return true;
  }
  /// Makes two copies of the manifest and returns their paths.
  std::string two_manifests() const {
    for (const char* name : {"one.json", "two.json"}) fs::copy_file(lavapipe(), folder_ / name);
    return (folder_ / "one.json").native() + ":" + (folder_ / "two.json").native();
  }

  Folder folder_;
};

TEST_F(CliGpu, ANamedDeviceMakesThePicture) {
  const ProgramResult result = upscale({"-o", "b.png", "--device", "llvmpipe", "--json"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(is_enlarged("b.png"));
  const Json json = Json::parse(result.out);
  EXPECT_THAT(json["device"].get<std::string>(), HasSubstr("llvmpipe"));
  EXPECT_EQ(json["precision"], "float32");
  const Json& use = json["device_use"];
  EXPECT_EQ(use["retries"], 0);
  const Json& plan = json["plan"];
  std::uint64_t planned = 0;
  for (const Json& part : plan["parts"]) planned += part["device_bytes"].get<std::uint64_t>();
  EXPECT_EQ(plan["device_bytes"], planned);
  std::uint64_t used = 0;
  for (const Json& peak : use["peak_bytes"]) used += peak.get<std::uint64_t>();
  EXPECT_LE(used, planned);
  EXPECT_LE(json["peak_bytes"].get<std::uint64_t>(), plan["ram_bytes"].get<std::uint64_t>());
}

TEST_F(CliGpu, IfOnlySoftwareDevicesExistTheBestIsUsedWithAWarning) {
  const ProgramResult result = upscale({"-o", "b.png", "--device", "gpu"});
  ASSERT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(is_enlarged("b.png"));
  EXPECT_THAT(result.error, HasSubstr("no GPU here: llvmpipe"));
  EXPECT_THAT(result.error, HasSubstr("is a software device, slower than --device cpu"));
}

TEST_F(CliGpu, ANameThatMatchesNoneOrSeveralDevicesListsThem) {
  const ProgramResult none = upscale({"-o", "b.png", "--device", "voodoo"});
  EXPECT_EQ(none.status, 2);
  EXPECT_THAT(none.error, HasSubstr("no device matches 'voodoo'; there are: llvmpipe"));
  EXPECT_EQ(none.error_lines(), 1U) << none.error;
  const std::string manifests = two_manifests();
  const ProgramResult several = upscale({"-o", "b.png", "--device", "llvmpipe"}, manifests);
  EXPECT_EQ(several.status, 2);
  EXPECT_THAT(several.error, HasSubstr("several devices match 'llvmpipe'"));
  EXPECT_FALSE(fs::exists(folder_ / "b.png"));
  const ProgramResult second = upscale({"-o", "b.png", "--device", "llvmpipe#2"}, manifests);
  EXPECT_EQ(second.status, 0) << second.error;
  EXPECT_TRUE(is_enlarged("b.png"));
}

TEST_F(CliGpu, WithoutADriverTheGpuIsRefusedAndTheCpuWorks) {
  const ProgramResult gpu = upscale({"-o", "b.png", "--device", "gpu"}, (folder_ / "none.json").native());
  EXPECT_EQ(gpu.status, 3);
  EXPECT_THAT(gpu.error, HasSubstr("Vulkan: no driver is installed"));
  const ProgramResult cpu = upscale({"-o", "b.png"}, (folder_ / "none.json").native());
  EXPECT_EQ(cpu.status, 0) << cpu.error;
  EXPECT_TRUE(is_enlarged("b.png"));
}

TEST_F(CliGpu, ABrokenManifestDoesNotDisableTheOtherDrivers) {
  folder_.put("broken.json", "{ \"file_format_version\": ");
  folder_.put("gone.json", R"({"file_format_version": "1.0.0",
    "ICD": {"library_path": "/nonexistent/libvulkan_gone.so", "api_version": "1.3.0"}})");
  const std::string manifests =
      (folder_ / "broken.json").native() + ":" + (folder_ / "gone.json").native() + ":" + lavapipe().native();
  const ProgramResult result = upscale({"-o", "b.png", "--device", "llvmpipe"}, manifests);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(is_enlarged("b.png"));
}

TEST_F(CliGpu, AMemoryLimitBelowTheSmallestPlanIsRefusedWithTheNumbers) {
  const ProgramResult result = upscale({"-o", "b.png", "--device", "llvmpipe", "--vram", "100K"});
  EXPECT_EQ(result.status, 3);
  EXPECT_THAT(result.error, HasSubstr("with tiles of 16 pixels; available: 100 KiB"));
  EXPECT_THAT(result.error, HasSubstr("raise --vram"));
  EXPECT_FALSE(fs::exists(folder_ / "b.png"));
}

TEST_F(CliGpu, ThePlanNamesTilesAndMemory) {
  const ProgramResult result = upscale({"-o", "b.png", "--device", "llvmpipe", "--tile", "24", "--dry-run"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_THAT(result.out, HasSubstr("tiles of 24 pixels"));
  EXPECT_THAT(result.out, HasSubstr("device: activations"));
  EXPECT_FALSE(fs::exists(folder_ / "b.png"));
}

TEST_F(CliGpu, TwoProcessesShareOneDevice) {
  ProgramResult inner;
  ProgramOptions options;
  options.folder = folder_.path();
  options.variables = {{"VK_DRIVER_FILES", lavapipe()}, {"MESA_SHADER_CACHE_DISABLE", "true"}};
  options.while_running = [&](pid_t) { inner = upscale({"-o", "c.png", "--device", "llvmpipe"}); };
  const ProgramResult outer =
      run({"upscale", "a.png", "-o", "b.png", "--model", "nets/blocks.param", "--device", "llvmpipe"}, options);
  EXPECT_EQ(outer.status, 0) << outer.error;
  EXPECT_EQ(inner.status, 0) << inner.error;
  EXPECT_TRUE(is_enlarged("b.png"));
  EXPECT_TRUE(is_enlarged("c.png"));
}

/// Tests of runs with several pictures, which a coordinator and workers do.
class CliGpuBatch : public CliGpu {
 protected:
  void SetUp() override {
    CliGpu::SetUp();
    if (IsSkipped()) return;
    fs::create_directory(folder_ / "leases");
    for (const char* name : {"in/a.png", "in/b.png", "in/c.png"}) ASSERT_TRUE(write_picture(folder_ / name, 40, 30, 3));
  }
  ProgramResult batch(const std::string& out, std::vector<std::string> more, const std::string& manifests = lavapipe(),
                      std::vector<std::pair<std::string, std::string>> variables = {}) const {
    ProgramOptions options;
    options.folder = folder_.path();
    options.variables = std::move(variables);
    options.variables.insert(options.variables.end(), {{"VK_DRIVER_FILES", manifests},
                                                       {"MESA_SHADER_CACHE_DISABLE", "true"},
                                                       {"WEIR_LEASE_DIR", (folder_ / "leases").native()}});
    std::vector<std::string> arguments{"upscale",           "in",    "-o", out,     "--model",
                                       "nets/blocks.param", "--ram", "2G", "--log", "log"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run(arguments, options);
  }
  /// Returns the first event with this name in the log; null if there is none.
  Json event(const std::string& name) const {
    std::istringstream lines{folder_.text("log")};
    for (std::string line; std::getline(lines, line);) {
      Json json = Json::parse(line);
      if (json["event"] == name) return json;
    }
    return {};
  }
};

TEST_F(CliGpuBatch, TheWorkerLeasesAndProvesTheDeviceThatWasNamed) {
  const ProgramResult result = batch("out", {"--device", "llvmpipe", "--metrics-file", "metrics"});
  ASSERT_EQ(result.status, 0) << result.error;
  for (const char* name : {"out/a.png", "out/b.png", "out/c.png"}) EXPECT_TRUE(is_enlarged(name)) << name;
  const std::string metrics = folder_.text("metrics");
  for (const char* kind : {"allocated", "in_use", "idle", "peak"})
    EXPECT_THAT(metrics, ContainsRegex(R"(weir_pool_bytes\{[^}]*kind=")" + std::string{kind} + R"("\} [0-9])"));
  for (const char* kind : {"hits", "misses"})
    EXPECT_THAT(metrics,
                ContainsRegex(R"(weir_pool_requests_total\{[^}]*result=")" + std::string{kind} + R"("\} [1-9])"));
  EXPECT_TRUE(event("worker_start")["identity"].get<std::string>().starts_with("GPU-")) << "known before the start";
  EXPECT_EQ(event("worker_ready")["identity"], event("worker_start")["identity"]);
  const auto lease = device::acquire_lease(folder_ / "leases", {.keys = {event("lease")["lease"]}, .max_wait = {}},
                                           [](const char*) { return std::nullopt; });
  ASSERT_TRUE(lease) << "the run has not released the lease: " << lease.error().what;
  const ProgramResult refused = batch("two", {"--device", "llvmpipe", "--wait", "0"});
  EXPECT_EQ(refused.status, 3);
  EXPECT_THAT(refused.error, HasSubstr("is held by pid " + std::to_string(getpid())));
  const ProgramResult others = batch("two", {"--device", "llvmpipe,cpu:0"});
  EXPECT_EQ(others.status, 0) << others.error;
}

TEST_F(CliGpuBatch, EqualDevicesAreSelectedByTheirNumbers) {
  const ProgramResult result = batch("out", {"--device", "llvmpipe#1,llvmpipe#2"}, two_manifests());
  ASSERT_EQ(result.status, 0) << result.error;
  for (const char* name : {"out/a.png", "out/b.png", "out/c.png"}) EXPECT_TRUE(is_enlarged(name)) << name;
  EXPECT_TRUE(event("lease").is_null());
}

TEST_F(CliGpuBatch, UnknownAndRepeatedDevicesAreRefusedBeforeAnyWork) {
  EXPECT_EQ(batch("out", {"--device", "voodoo"}).status, 2);
  EXPECT_EQ(batch("out", {"--device", "llvmpipe,gpu"}).status, 2);  // one device under two names
  const ProgramResult none = batch("out", {"--device", "gpu"}, (folder_ / "none.json").native());
  EXPECT_EQ(none.status, 3);
  EXPECT_THAT(none.error, HasSubstr("no driver is installed"));
  EXPECT_FALSE(fs::exists(folder_ / "out"));
}

TEST_F(CliGpu, WrongValuesAreWrongUsage) {
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"--device", ""},
                                                    {"--tile", "8"},
                                                    {"--tile", "x"},
                                                    {"--vram", "0"},
                                                    {"--vram", "much"},
                                                    {"--device", "llvmpipe#0"}}) {
    std::vector<std::string> all{"-o", "b.png"};
    all.insert(all.end(), arguments.begin(), arguments.end());
    const ProgramResult result = upscale(all);
    EXPECT_EQ(result.status, 2) << arguments[0] << ' ' << arguments[1];
    EXPECT_EQ(result.error_lines(), 1U) << result.error;
  }
}

}  // namespace
}  // namespace weir::test

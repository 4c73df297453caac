#include "device/inventory.hpp"

#include <dlfcn.h>
#include <gtest/gtest.h>

#include "device/child_probe.hpp"
#include "device/device_json.hpp"
#include "device/machines_test.hpp"
#include "device/nvml.hpp"
#include "device/processes_test.hpp"
#include "places.hpp"

namespace weir::device {
namespace {

/// Loads the fake NVML (tests/fake_nvml/fake_nvml.cpp) under the real one's file name, so that weir finds it, and
/// writes the file that describes its machine.
class FakeNvml {
 public:
  explicit FakeNvml(const std::string& machine) {
    test::put(folder_.path(), "machine", machine);
    setenv("FAKE_NVML", (folder_.path() / "machine").c_str(), 1);
    if (dlopen((std::string{places::fake_nvml()} + "/libnvidia-ml.so.1").c_str(), RTLD_NOW) == nullptr)
      ADD_FAILURE() << dlerror();
  }
  ~FakeNvml() { unsetenv("FAKE_NVML"); }
  FakeNvml(const FakeNvml&) = delete;
  FakeNvml& operator=(const FakeNvml&) = delete;
  void change(const std::string& machine) { test::put(folder_.path(), "machine", machine); }

 private:
  test::Folder folder_;
};

/// Lines: card NAME UUID ADDRESS TOTAL USED RESERVED, process CARD PID MEMORY; sizes in MiB, '?' is not available.
constexpr const char* kTwoCards =
    "card NVIDIA_GeForce_RTX_3090 GPU-aaaa 0000:02:00.0 24576 1024 300\n"
    "card NVIDIA_GeForce_RTX_5060_Ti GPU-bbbb 0000:01:00.0 16384 0 200\n"
    "process 0 4242 700\nprocess 0 4243 ?\n";

TEST(Nvml, ReturnsTheValuesOfTheLibrary) {
  const FakeNvml fake{kTwoCards};
  const auto library = nvml::Library::open();
  ASSERT_TRUE(library) << library.error().what;
  const auto devices = library->devices();
  ASSERT_TRUE(devices);
  ASSERT_EQ(devices->size(), 2u);
  const Device& big = devices->front();
  EXPECT_EQ(big.name, "NVIDIA GeForce RTX 3090");
  EXPECT_EQ(to_text(*big.pci), "0000:02:00.0");
  EXPECT_EQ(big.total->value, 24_GiB);
  EXPECT_EQ(big.used->value, 1_GiB) << "without the memory that the driver reserves";
  EXPECT_EQ(big.free->value, 24_GiB - 1_GiB - 300_MiB);
  ASSERT_EQ(big.processes.size(), 2u);
  EXPECT_EQ(big.processes[0].memory->value, 700_MiB);
  EXPECT_FALSE(big.processes[1].memory) << "NVML reports its memory as not available";
  EXPECT_EQ(library->memory_of(*big.pci)->used->value, 1_GiB);
  EXPECT_EQ(library->memory_of_process(*big.pci, 4242)->value, 700_MiB);
  EXPECT_FALSE(library->memory_of_process(*big.pci, 1));
  EXPECT_FALSE(library->memory_of(PciAddress{0, 9, 0, 0}));
}

TEST(Nvml, MigInstancesAreListed) {
  const FakeNvml fake{
      "card NVIDIA_A100 GPU-aaaa 0000:07:00.0 40960 0 0\nmig 0 MIG-1 NVIDIA_A100_MIG_3g.20gb 20096 64\n"};
  const auto library = nvml::Library::open();
  ASSERT_TRUE(library);
  const auto devices = library->devices();
  ASSERT_EQ(devices->front().mig_instances.size(), 1u);
  EXPECT_EQ(devices->front().mig_instances[0].uuid, "MIG-1");
  EXPECT_EQ(devices->front().mig_instances[0].free->value, 20032_MiB);
}

TEST(Inventory, DevicesAreInPciOrderAndHaveCudaIndices) {
  const FakeNvml fake{kTwoCards};
  Providers providers;
  providers.push_back(make_nvml_provider());
  const Inventory inventory = take_inventory(providers);
  ASSERT_EQ(inventory.probes.size(), 1u);
  EXPECT_TRUE(inventory.probes[0].answered) << inventory.probes[0].problem;
  ASSERT_EQ(inventory.devices.size(), 2u);
  EXPECT_EQ(inventory.devices[0].name, "NVIDIA GeForce RTX 5060 Ti") << "NVML lists the other card first";
  EXPECT_EQ(inventory.devices[0].stack_indices.cuda, 0);
  EXPECT_EQ(inventory.devices[1].stack_indices.cuda, 1);
  EXPECT_EQ(inventory.devices[1].sources, std::vector<std::string>{"NVML"});
  EXPECT_EQ(lease_key(inventory.devices[1]), "pci-0000:02:00.0");
}

TEST(Inventory, ADriverThatHangsIsReportedAndNotWaitedFor) {
  const FakeNvml fake{"hang\n"};
  Providers providers;
  providers.push_back(make_nvml_provider());
  const Inventory inventory = take_inventory(providers, std::chrono::milliseconds{100});
  EXPECT_FALSE(inventory.probes[0].answered);
  EXPECT_EQ(inventory.probes[0].problem, "does not answer within 0.1 s");
}

TEST(Inventory, AMissingDriverIsReported) {
  const FakeNvml fake{""};
  unsetenv("FAKE_NVML");
  Providers providers;
  providers.push_back(make_nvml_provider());
  EXPECT_EQ(take_inventory(providers).probes[0].problem, "NVML: Driver Not Loaded");
}

TEST(Inventory, AProviderThatCrashesAffectsNoOther) {
  class Crash : public Provider {
    std::string_view name() const override { return "crash"; }
    Result<std::vector<Device>> devices() override { std::abort(); }
  };
  Providers providers;
  providers.push_back(std::make_unique<Crash>());
  EXPECT_NE(take_inventory(providers).probes[0].problem.find("crashed with signal"), std::string::npos);
}

/// Returns a device as one source lists it.
Device device_from(const char* source, std::optional<PciAddress> pci, std::string name = {}) {
  Device device;
  device.pci = pci;
  device.name = std::move(name);
  device.sources = {source};
  return device;
}

TEST(MergeDevices, TheFirstNameAndTheReadingThatCoversMoreAreKept) {
  const PciAddress at{0, 3, 0, 0};
  Device drm = device_from("DRM", at);
  drm.used = memory::Reading{.value = 1_MiB, .source = "fdinfo", .coverage = memory::Coverage::lower_bound};
  Device vulkan = device_from("Vulkan", at, "Arc");
  vulkan.total = memory::Reading{.value = 16_GiB, .source = "Vulkan heaps"};
  vulkan.free = memory::Reading{.value = 15_GiB, .source = "Vulkan budget", .coverage = memory::Coverage::process};
  vulkan.stack_indices.vulkan = 1;
  const auto merged = merge_devices({{drm}, {device_from("Vulkan", PciAddress{0, 1, 0, 0}, "Other"), vulkan}});
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_EQ(merged[1].name, "Arc");
  EXPECT_EQ(merged[1].sources, (std::vector<std::string>{"DRM", "Vulkan"}));
  EXPECT_EQ(merged[1].free->source, "Vulkan budget");
  EXPECT_EQ(merged[1].used->source, "fdinfo");
  EXPECT_EQ(merged[1].stack_indices.vulkan, 1);
}

TEST(MergeDevices, SoftwareDevicesWithOneUuidStayApart) {
  Device first = device_from("Vulkan", std::nullopt, "llvmpipe");
  first.stack_indices.vulkan = 0;
  Device second = first;
  second.stack_indices.vulkan = 1;
  const auto merged = merge_devices({{first, second}});
  ASSERT_EQ(merged.size(), 2u);
  EXPECT_NE(lease_key(merged[0]), lease_key(merged[1]));
}

TEST(MergeDevices, ProcessesOfSeveralSourcesAreOneList) {
  const PciAddress at{0, 3, 0, 0};
  Device drm = device_from("DRM", at);
  drm.processes = {{7, "a", memory::Reading{.value = 10_MiB, .source = "fdinfo"}, 5}};
  Device kfd = device_from("KFD", at);
  kfd.processes = {{7, "", memory::Reading{.value = 30_MiB, .source = "KFD"}, {}}, {8, "b", {}, {}}};
  const auto merged = merge_devices({{drm}, {kfd}});
  ASSERT_EQ(merged[0].processes.size(), 2u);
  EXPECT_EQ(merged[0].processes[0].memory->value, 30_MiB);
  EXPECT_EQ(merged[0].processes[0].engine_ns, 5u);
}

TEST(DeviceJson, ReadingTheTextGivesTheSameDevices) {
  auto machine = test::two_nvidia(true);
  machine[0].mig_instances = {{"MIG-1", "one", test::on_device(5_GiB), std::nullopt}};
  machine[0].processes = {{42, "p \"x\"", test::on_device(1_GiB), 17}};
  machine[0].used = memory::Reading{.value = 3_MiB,
                                    .source = "fdinfo",
                                    .coverage = memory::Coverage::lower_bound,
                                    .privilege = memory::Privilege::lacking};
  machine[0].sources = {"NVML", "DRM"};
  const std::string text = devices_to_text(machine);
  const auto back = devices_from_text(text);
  ASSERT_TRUE(back);
  EXPECT_EQ(devices_to_text(*back), text);
}

TEST(DeviceJson, InvalidFieldsKeepTheirDefaults) {
  for (const char* text : {R"([{"total":{"bytes":1,"taken_ms":9223372036854775807}}])",
                           R"([{"total":{"bytes":-1,"taken_ms":-9223372036854775808},"pci":7,"index":[1]}])",
                           R"([1,null,{"processes":[1,{"pid":"x"}],"mig":{},"sources":[1]}])"}) {
    const auto devices = devices_from_text(text);
    ASSERT_TRUE(devices) << text;
    EXPECT_FALSE(devices_to_text(*devices).empty());
  }
  EXPECT_FALSE(devices_from_text("{}"));
}

TEST(ChildProbe, ChangesTheEnvironmentOfTheChildOnly) {
  setenv("WEIR_TEST_GONE", "x", 1);
  const auto text = run_in_child(
      [] {
        const char* set = std::getenv("WEIR_TEST_SET");
        return std::string{set == nullptr ? "" : set} + (std::getenv("WEIR_TEST_GONE") == nullptr ? " gone" : " there");
      },
      std::chrono::seconds{30}, {{"WEIR_TEST_SET", "1"}, {"WEIR_TEST_GONE", ""}});
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(*text, "1 gone");
  EXPECT_EQ(std::getenv("WEIR_TEST_SET"), nullptr);
  unsetenv("WEIR_TEST_GONE");
}

TEST(ChildProbe, LongAnswersArriveWhole) {
  const auto text = run_in_child([] { return std::string(3'000'000, 'x'); }, std::chrono::seconds{60});
  ASSERT_TRUE(text) << text.error().what;
  EXPECT_EQ(text->size(), 3'000'000u);
}

TEST(PciAddress, IsParsedInAllForms) {
  EXPECT_EQ(to_text(*parse_pci_address("00000000:0A:1f.7")), "0000:0a:1f.7");
  EXPECT_EQ(to_text(*parse_pci_address("c1:00.0")), "0000:c1:00.0");
  for (const char* wrong :
       {"", ":", "1:2", "0000:01:00", "0000:01:00.8", "0000:01:20.0", "x:01:00.0", "1:2:3:4.0", "01:00.0 "})
    EXPECT_FALSE(parse_pci_address(wrong)) << wrong;
}

}  // namespace
}  // namespace weir::device

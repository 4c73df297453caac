#include "device/policy.hpp"

#include <gtest/gtest.h>

#include "device/machines_test.hpp"

namespace weir::device {
namespace {

/// Never the RTX 5060 Ti, only the RTX 3090 with at least 20 GiB: the settings that docs/guard.md shows.
Policy only_3090() {
  return {.allow = {"*RTX 3090*"}, .deny = {"*RTX 5060 Ti*"}, .request = {}, .prefer = {}, .min_memory = 20_GiB};
}

std::vector<std::string> names(const std::vector<Device>& machine, const DeviceChoice& choice) {
  std::vector<std::string> names;
  for (const std::size_t i : choice.ranked) names.push_back(machine[i].name);
  return names;
}

TEST(Policy, ThePciOrderDoesNotMatter) {
  for (const bool big_first : {true, false}) {
    const auto machine = test::two_nvidia(big_first);
    const DeviceChoice choice = choose_devices(machine, only_3090(), {});
    EXPECT_EQ(names(machine, choice), std::vector<std::string>{"NVIDIA GeForce RTX 3090"});
    ASSERT_EQ(choice.assessments.size(), 2u);
    EXPECT_EQ(choice.assessments[big_first ? 1 : 0].reason, "denied by '*RTX 5060 Ti*'");
  }
}

TEST(Policy, IfTheAllowedCardIsMissingTheOtherIsNotUsed) {
  const std::vector<Device> machine{test::make_device(test::kRtx5060)};
  const DeviceChoice choice = choose_devices(machine, only_3090(), {});
  EXPECT_TRUE(choice.ranked.empty());
  EXPECT_EQ(describe_refusal(machine, choice),
            "no device may be used: NVIDIA GeForce RTX 5060 Ti at 0000:02:00.0: denied by '*RTX 5060 Ti*'");
  EXPECT_NE(describe_refusal({}, choose_devices({}, {}, {})).find("no GPU was found"), std::string::npos);
}

TEST(Policy, TotalAndFreeMemoryAreCheckedSeparately) {
  const auto machine = test::two_nvidia(true);
  EXPECT_EQ(choose_devices(machine, {.allow = {}, .deny = {}, .request = {}, .prefer = {}, .min_memory = 20_GiB}, {})
                .ranked.size(),
            1u);
  const DeviceChoice choice = choose_devices(machine, {}, {.free = 20_GiB});
  EXPECT_EQ(names(machine, choice), std::vector<std::string>{"NVIDIA GeForce RTX 3090"});
  EXPECT_EQ(choice.assessments[1].reason, "15 GiB free, 20 GiB needed");
}

TEST(Policy, UnknownMemoryIsNotFree) {
  auto machine = test::two_nvidia(true);
  machine[0].free = std::nullopt;
  machine[1].free->coverage = memory::Coverage::lower_bound;
  EXPECT_TRUE(choose_devices(machine, {}, {.free = 1_GiB}).ranked.empty());
  EXPECT_EQ(choose_devices(machine, {}, {.free = 1_GiB, .trust_unknown = true}).ranked.size(), 2u);
  machine[0].total = std::nullopt;
  EXPECT_EQ(choose_devices(machine, only_3090(), {}).assessments[0].reason, "its memory is not known, 20 GiB wanted");
}

TEST(Policy, EqualCardsAreOrderedByFreeMemoryAndNamedByAddress) {
  const auto machine = test::two_arc();
  EXPECT_EQ(choose_devices(machine, {}, {}).ranked, (std::vector<std::size_t>{1, 0}));
  const Policy second{.allow = {"pci:0000:03:00.0"}, .deny = {}, .request = {}, .prefer = {}, .min_memory = {}};
  EXPECT_EQ(choose_devices(machine, second, {}).ranked, std::vector<std::size_t>{0});
}

TEST(Policy, ADiscreteCardComesBeforeAnIntegratedOneWithMoreMemory) {
  const auto machine = test::amd_and_igpu();
  EXPECT_EQ(choose_devices(machine, {}, {}).ranked, (std::vector<std::size_t>{1, 0}));
  Policy prefer;
  prefer.prefer = {"*UHD*"};
  const DeviceChoice choice = choose_devices(machine, prefer, {});
  EXPECT_EQ(choice.ranked, (std::vector<std::size_t>{0, 1}));
  EXPECT_EQ(choice.assessments[0].reason, "preferred by '*UHD*'");
}

TEST(Policy, SoftwareIsUsedOnlyByName) {
  std::vector<Device> machine{
      test::make_device({"llvmpipe (LLVM 15)", Vendor::other, 9, 2_GiB, 2_GiB, DeviceKind::software})};
  EXPECT_TRUE(choose_devices(machine, {}, {}).ranked.empty());
  Policy named;
  named.request = {"llvmpipe"};
  EXPECT_EQ(choose_devices(machine, named, {}).ranked.size(), 1u);
}

TEST(Policy, ARequestNarrowsAndNeverWidens) {
  const auto machine = test::two_nvidia(true);
  Policy policy = only_3090();
  policy.request = {"*5060*"};
  EXPECT_TRUE(choose_devices(machine, policy, {}).ranked.empty());
  policy.request = {"!*3090*"};
  EXPECT_TRUE(choose_devices(machine, policy, {}).ranked.empty());
  policy.request = {"rtx 3090"};
  EXPECT_EQ(choose_devices(machine, policy, {}).ranked.size(), 1u);
}

TEST(Policy, ACardInMigModeIsReplacedByItsInstances) {
  Device a100 = test::make_device({"NVIDIA A100-SXM4-40GB", Vendor::nvidia, 7, 40_GiB, 39_GiB});
  a100.mig_instances = {
      {"MIG-11111111-2222", "NVIDIA A100-SXM4-40GB MIG 3g.20gb", test::on_device(20_GiB), test::on_device(19_GiB)},
      {"MIG-33333333-4444", "NVIDIA A100-SXM4-40GB MIG 1g.5gb", test::on_device(5_GiB), test::on_device(5_GiB)}};
  const auto machine = expand_mig_instances(std::vector<Device>{a100});
  ASSERT_EQ(machine.size(), 3u);
  const DeviceChoice choice = choose_devices(machine, {}, {.free = 10_GiB});
  ASSERT_EQ(choice.ranked, std::vector<std::size_t>{1});
  EXPECT_EQ(machine[1].uuid, "MIG-11111111-2222");
  EXPECT_NE(lease_key(machine[1]), lease_key(machine[0]));
}

TEST(Policy, ADeviceWithoutAProcessListCanBeChosen) {
  auto machine = test::two_nvidia(true);
  for (Device& device : machine) device.has_process_list = false;
  EXPECT_EQ(choose_devices(machine, only_3090(), {}).ranked.size(), 1u);
}

/// A container with the second of two cards: the PCI address is that of the host, the index starts at 0, and the free
/// memory includes the use by processes outside.
TEST(Policy, AContainerWithARenumberedCardIsChosenByNameAndAddress) {
  auto machine = test::two_nvidia(false);  // the RTX 3090 is the second card of the host
  std::vector<Device> inside{machine[1]};
  inside[0].stack_indices.cuda = 0;
  inside[0].has_process_list = false;  // NVML reports process ids of the host
  EXPECT_EQ(choose_devices(inside, only_3090(), {.free = 20_GiB}).ranked, std::vector<std::size_t>{0});
  EXPECT_EQ(lease_key(inside[0]), lease_key(machine[1])) << "one lease inside and outside of the container";
  inside[0] = machine[0];
  EXPECT_TRUE(choose_devices(inside, only_3090(), {}).ranked.empty()) << "index 0 is the other card";
}

TEST(Policy, OnWslTheFreeMemoryThatNvmlReportsIsEnough) {
  auto machine = test::two_nvidia(true);
  for (Device& device : machine) {
    device.has_process_list = false;
    device.drm_card.clear();
    device.sources = {"NVML"};
    device.processes = {{.pid = 42, .name = "", .memory = {}, .engine_ns = {}}};  // listed without its memory
  }
  EXPECT_EQ(names(machine, choose_devices(machine, only_3090(), {.free = 20_GiB})).size(), 1u);
  EXPECT_EQ(choose_devices(machine, only_3090(), {.free = 24_GiB}).assessments[0].reason, "23 GiB free, 24 GiB needed");
}

TEST(Policy, PatternsMatchNamesUuidsAndAddresses) {
  Device device = test::make_device(test::kRtx3090);
  device.uuid = "GPU-4f3e0000-aaaa-bbbb-cccc-123456789abc";
  for (const char* pattern : {"*3090", "3090", "nvidia*", "rtx 30", "GPU-4f3e0000-aaaa-bbbb-cccc-123456789ABC",
                              "gpu-4f3e*", "pci:0000:01:00.0", "0000:01:00.0", "01:00.0", "00000000:01:00.0"})
    EXPECT_TRUE(matches(device, pattern)) << pattern;
  for (const char* pattern : {"", "*4090*", "GPU-4f3e", "pci:0000:02:00.0", "pci:", "02:00.0"})
    EXPECT_FALSE(matches(device, pattern)) << pattern;
}

TEST(Policy, ListsAreSplitAtCommas) {
  EXPECT_EQ(split_list("a,,b c,"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_TRUE(split_list("").empty());
}

}  // namespace
}  // namespace weir::device

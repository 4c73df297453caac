#include "device/mask.hpp"

#include <gtest/gtest.h>

#include "device/machines_test.hpp"

namespace weir::device {
namespace {

std::map<std::string, std::string> changes_of(const Result<Mask>& mask) {
  EXPECT_TRUE(mask) << (mask ? "" : mask.error().what);
  if (!mask) return {};
  return {mask->changes.begin(), mask->changes.end()};
}

TEST(Mask, NvidiaUsesTheUuidAndSetsTheOrder) {
  const auto machine = test::two_nvidia(false);
  const auto changes = changes_of(make_mask(machine, 1, {}));
  EXPECT_EQ(changes.at("CUDA_VISIBLE_DEVICES"), machine[1].uuid);
  EXPECT_EQ(changes.at("CUDA_DEVICE_ORDER"), "PCI_BUS_ID");
  EXPECT_EQ(changes.at("MESA_VK_DEVICE_SELECT").substr(0, 5), "10de:");
  EXPECT_EQ(changes.count("ROCR_VISIBLE_DEVICES"), 0u);
}

TEST(Mask, NvidiaMayUseTheIndexInPciOrder) {
  const auto machine = test::two_nvidia(false);
  EXPECT_EQ(changes_of(make_mask(machine, 1, {}, {.cuda_names = CudaNames::index})).at("CUDA_VISIBLE_DEVICES"), "1");
}

TEST(Mask, AnAmdMaskSetsTheVariableOfOneLayerOnly) {
  const auto machine = test::amd_and_igpu();
  auto changes = changes_of(make_mask(machine, 1, {}));
  EXPECT_EQ(changes.at("ROCR_VISIBLE_DEVICES"), machine[1].uuid);
  EXPECT_EQ(changes.at("HIP_VISIBLE_DEVICES"), "") << "an empty value removes the variable";
  EXPECT_EQ(changes.at("CUDA_VISIBLE_DEVICES"), "") << "HIP reads this variable too, so it is removed";
  changes = changes_of(make_mask(machine, 1, {{"HIP_VISIBLE_DEVICES", "0"}}));
  EXPECT_EQ(changes.at("ROCR_VISIBLE_DEVICES"), "");
  EXPECT_EQ(changes.at("HIP_VISIBLE_DEVICES"), "0");
}

TEST(Mask, IntelUsesTheCardAndNeverATile) {
  const auto machine = test::two_arc();
  const auto mask = make_mask(machine, 1, {});
  const auto changes = changes_of(mask);
  EXPECT_EQ(changes.at("ZE_AFFINITY_MASK"), "1");
  EXPECT_EQ(changes.at("ZE_FLAT_DEVICE_HIERARCHY"), "COMPOSITE");
  EXPECT_EQ(changes.at("ZE_ENABLE_PCI_ID_DEVICE_ORDER"), "1");
  EXPECT_EQ(changes.at("DRI_PRIME"), "pci-0000_07_00_0") << "set, because there are two cards of this model";
  EXPECT_FALSE(mask->notes.empty());
  EXPECT_EQ(changes_of(make_mask(machine, 1, {{"ZE_AFFINITY_MASK", "0,1.0"}})).at("ZE_AFFINITY_MASK"), "1");
}

TEST(Mask, AnEntryThatIsNoTileOfAnIntelCardNamesNoCard) {
  const auto machine = test::two_arc();
  for (const char* named : {"1", "1.0", "1.0.2", "0.7,1"})
    EXPECT_EQ(find_hidden_reasons(machine, {{"ZE_AFFINITY_MASK", named}}).at(1), "") << named;
  for (const char* unnamed : {"1.abc", "1.", "1.0x", "1.0.", "1..0", "1.-1", "1x", "0.1"})
    EXPECT_NE(find_hidden_reasons(machine, {{"ZE_AFFINITY_MASK", unnamed}}).at(1), "") << unnamed;
}

TEST(Mask, AMaskThatIsSetIsNarrowedAndNeverWidened) {
  const auto machine = test::two_nvidia(true);
  // The variables that are set, and for each of the two devices whether they hide it.
  const std::vector<std::pair<MaskVariables, std::vector<bool>>> cases{
      {{{"CUDA_VISIBLE_DEVICES", "1"}}, {true, false}},
      {{{"CUDA_VISIBLE_DEVICES", "0,1"}}, {false, false}},
      {{{"CUDA_VISIBLE_DEVICES", machine[0].uuid}}, {false, true}},
      {{{"CUDA_VISIBLE_DEVICES", ""}}, {true, true}},
      {{{"CUDA_VISIBLE_DEVICES", "-1"}}, {true, true}},
      {{{"ROCR_VISIBLE_DEVICES", "5"}}, {false, false}},
  };
  for (const auto& [set, hidden] : cases) {
    const auto reasons = find_hidden_reasons(machine, set);
    for (std::size_t i = 0; i < 2; ++i) {
      EXPECT_EQ(!reasons[i].empty(), hidden[i]) << set.begin()->second << " " << i << " " << reasons[i];
      EXPECT_EQ(static_cast<bool>(make_mask(machine, i, set)), !hidden[i]);
    }
  }
  const auto narrowed = make_mask(machine, 1, {{"CUDA_VISIBLE_DEVICES", "0,1"}});
  EXPECT_EQ(changes_of(narrowed).at("CUDA_VISIBLE_DEVICES"), machine[1].uuid);
  ASSERT_EQ(narrowed->notes.size(), 1u) << "a note that the indices are read in PCI order";
}

TEST(Mask, AMaskThatNamesTheDeviceByUuidIsKept) {
  const auto machine = test::two_nvidia(true);
  const auto changes = changes_of(
      make_mask(machine, 1, {{"CUDA_VISIBLE_DEVICES", machine[1].uuid}, {"CUDA_DEVICE_ORDER", "PCI_BUS_ID"}}));
  EXPECT_EQ(changes.count("CUDA_VISIBLE_DEVICES"), 0u);
}

TEST(Mask, InAContainerTheIndexIsThatOfTheContainer) {
  auto outside = test::two_nvidia(false);
  std::vector<Device> inside{outside[1]};
  inside[0].stack_indices.cuda = 0;
  EXPECT_EQ(changes_of(make_mask(inside, 0, {})).at("CUDA_VISIBLE_DEVICES"), outside[1].uuid);
  EXPECT_EQ(changes_of(make_mask(inside, 0, {}, {.cuda_names = CudaNames::index})).at("CUDA_VISIBLE_DEVICES"), "0");
  // A mask with an index of the host hides the only card. This is better than using a wrong card.
  EXPECT_NE(find_hidden_reasons(inside, {{"CUDA_VISIBLE_DEVICES", "1"}}).at(0), "");
  EXPECT_EQ(find_hidden_reasons(inside, {{"CUDA_VISIBLE_DEVICES", outside[1].uuid}}).at(0), "");
}

TEST(Mask, TorchAllocatorSettingsAreAddedOnlyIfNoneAreSet) {
  const MaskOptions options{.torch_allocator = kTorchAllocatorSettings};
  const auto nvidia = test::two_nvidia(false);
  EXPECT_EQ(changes_of(make_mask(nvidia, 0, {}, options)).at("PYTORCH_CUDA_ALLOC_CONF"), "max_split_size_mb:1024");
  EXPECT_EQ(changes_of(make_mask(nvidia, 0, {})).count("PYTORCH_CUDA_ALLOC_CONF"), 0u) << "no settings were requested";
  for (const char* name : {"PYTORCH_ALLOC_CONF", "PYTORCH_CUDA_ALLOC_CONF", "PYTORCH_HIP_ALLOC_CONF"}) {
    const auto changes = changes_of(make_mask(nvidia, 0, {{name, ""}}, options));
    EXPECT_EQ(changes.count("PYTORCH_CUDA_ALLOC_CONF") + changes.count("PYTORCH_ALLOC_CONF"), 0u) << name;
  }
  const auto amd = changes_of(make_mask(test::amd_and_igpu(), 1, {}, options));
  EXPECT_EQ(amd.at("PYTORCH_HIP_ALLOC_CONF"), "max_split_size_mb:1024");
  EXPECT_EQ(amd.count("PYTORCH_CUDA_ALLOC_CONF"), 0u);
  EXPECT_EQ(changes_of(make_mask(test::two_arc(), 1, {}, options)).count("PYTORCH_CUDA_ALLOC_CONF"), 0u);
}

TEST(Mask, MigInstancesAlwaysUseTheUuid) {
  auto machine = test::two_nvidia(true);
  machine[0].uuid = "MIG-11111111-2222";
  EXPECT_EQ(changes_of(make_mask(machine, 0, {}, {.cuda_names = CudaNames::index})).at("CUDA_VISIBLE_DEVICES"),
            "MIG-11111111-2222");
}

}  // namespace
}  // namespace weir::device

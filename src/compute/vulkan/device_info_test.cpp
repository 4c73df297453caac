#include "compute/vulkan/device_info.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "compute/vulkan/device_features.hpp"
#include "compute/vulkan/device_names.hpp"
#include "compute/vulkan/logical_device.hpp"
#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

using testing::HasSubstr;

/// Returns an invented device with one device-local heap.
DeviceInfo invented(std::string name, DeviceKind kind, Bytes memory, std::string pci = {}) {
  DeviceInfo info;
  info.uuid = "GPU-00000000-0000-0000-0000-" + std::to_string(100000000000 + name.size());
  info.name = std::move(name);
  info.vendor = "V";
  info.driver = "D 1";
  info.kind = kind;
  info.pci = std::move(pci);
  info.heaps = {{memory, memory, {}, true}};
  return info;
}

const DeviceInfo kBig = invented("Big Card 9000", DeviceKind::discrete, 16_GiB, "0000:01:00.0");
const DeviceInfo kBigger = invented("Bigger Card", DeviceKind::discrete, 24_GiB, "0000:02:00.0");
const DeviceInfo kSmall = invented("Built-in Graphics", DeviceKind::integrated, 64_GiB);
const DeviceInfo kSoft = invented("llvmpipe (LLVM 15)", DeviceKind::software, 128_GiB);

TEST(ChooseDevice, GpuIsTheBestDeviceThatIsNotSoftware) {
  const std::vector devices{kSoft, kSmall, kBig, kBigger};
  const auto choice = choose_device(devices, "gpu");
  ASSERT_TRUE(choice) << choice.error().what;
  EXPECT_EQ(choice->index, 3U);
  EXPECT_FALSE(choice->software_by_default);
}

TEST(ChooseDevice, SoftwareIsChosenByNameOrIfItIsTheOnlyDevice) {
  const std::vector several{kSmall, kSoft};
  const auto named = choose_device(several, "LLVMpipe");
  ASSERT_TRUE(named);
  EXPECT_EQ(named->index, 1U);
  EXPECT_FALSE(named->software_by_default);
  const std::vector alone{kSoft};
  const auto fallback = choose_device(alone, "gpu");
  ASSERT_TRUE(fallback);
  EXPECT_TRUE(fallback->software_by_default);
  DeviceInfo lacking = kSmall;
  lacking.missing_features = {"Vulkan 1.1"};
  const std::vector useless{lacking, kSoft};
  const auto refused = choose_device(useless, "gpu");
  ASSERT_FALSE(refused) << "the list has a GPU, so 'gpu' must not choose the software device";
  EXPECT_THAT(refused.error().what, HasSubstr("to use a software device"));
}

TEST(ChooseDevice, ByUuidPciAndPartOfTheName) {
  const std::vector devices{kSoft, kSmall, kBig, kBigger};
  EXPECT_EQ(choose_device(devices, kSmall.uuid)->index, 1U);
  EXPECT_EQ(choose_device(devices, "pci:0000:02:00.0")->index, 3U);
  EXPECT_EQ(choose_device(devices, "9000")->index, 2U);
}

TEST(ChooseDevice, ErrorsForNoneOrSeveralListTheDevices) {
  const std::vector devices{kBig, kBigger};
  const auto none = choose_device(devices, "other");
  ASSERT_FALSE(none);
  EXPECT_EQ(none.error().code, Errc::invalid_argument);
  EXPECT_THAT(none.error().what, HasSubstr("Big Card 9000, discrete GPU, V, 16 GiB"));
  EXPECT_THAT(none.error().what, HasSubstr("pci:0000:02:00.0"));
  const auto several = choose_device(devices, "card");
  ASSERT_FALSE(several);
  EXPECT_THAT(several.error().what, HasSubstr("several devices match 'card'"));
  EXPECT_EQ(choose_device(devices, "card#2")->index, 1U);
  EXPECT_FALSE(choose_device(devices, "card#3"));
  EXPECT_FALSE(choose_device(devices, "card#0"));
  EXPECT_FALSE(choose_device(devices, "card#x"));
  EXPECT_THAT(choose_device({}, "gpu").error().what, HasSubstr("there are none"));
}

TEST(ChooseDevice, MissingFeaturesOfADriverAreNamed) {
  DeviceInfo lacking = kBig;
  lacking.missing_features = {"Vulkan 1.1", "a compute queue"};
  const std::vector devices{lacking};
  const auto refused = choose_device(devices, "big");
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::unsupported);
  EXPECT_THAT(refused.error().what, HasSubstr("(D 1) lacks Vulkan 1.1, a compute queue"));
}

TEST(ListMissingFeatures, EachMissingFeatureIsNamed) {
  VkPhysicalDeviceProperties properties{};
  properties.apiVersion = VK_API_VERSION_1_1;
  properties.limits.maxPerStageDescriptorStorageBuffers = 16;
  VkPhysicalDeviceFeatures features{};
  features.shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
  EXPECT_THAT(list_missing_features(properties, features, true), testing::IsEmpty());
  properties.limits.maxPerStageDescriptorStorageBuffers = 8;
  EXPECT_THAT(list_missing_features(properties, features, true), testing::ElementsAre("16 storage buffers per shader"));
  features.shaderStorageBufferArrayDynamicIndexing = VK_FALSE;
  EXPECT_THAT(list_missing_features(properties, features, false),
              testing::ElementsAre("16 storage buffers per shader", "a compute queue",
                                   "shaderStorageBufferArrayDynamicIndexing"));
  properties.apiVersion = VK_API_VERSION_1_0;  // nothing else is checked for this version
  EXPECT_THAT(list_missing_features(properties, features, true), testing::ElementsAre("Vulkan 1.1"));
}

TEST(DeviceNames, SoftwareIsFoundByItsDriverNotByItsType) {
  VkPhysicalDeviceProperties properties{};
  properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU;
  EXPECT_EQ(device_kind_of(properties, VK_DRIVER_ID_NVIDIA_PROPRIETARY), DeviceKind::discrete);
  EXPECT_EQ(device_kind_of(properties, VK_DRIVER_ID_MESA_DOZEN), DeviceKind::software);
  properties.deviceType = VK_PHYSICAL_DEVICE_TYPE_CPU;
  EXPECT_EQ(device_kind_of(properties, static_cast<VkDriverId>(0)), DeviceKind::software);
  EXPECT_EQ(vendor_name(0x10DE), "NVIDIA");
  EXPECT_EQ(vendor_name(0x1234), "vendor 0x1234");
}

VkPhysicalDeviceMemoryProperties memory_of(std::vector<std::pair<VkMemoryPropertyFlags, std::uint32_t>> types,
                                           std::vector<VkDeviceSize> heaps) {
  VkPhysicalDeviceMemoryProperties memory{};
  memory.memoryTypeCount = static_cast<std::uint32_t>(types.size());
  for (std::size_t i = 0; i < types.size(); ++i) memory.memoryTypes[i] = {types[i].first, types[i].second};
  memory.memoryHeapCount = static_cast<std::uint32_t>(heaps.size());
  for (std::size_t i = 0; i < heaps.size(); ++i) memory.memoryHeaps[i].size = heaps[i];
  return memory;
}

constexpr VkMemoryPropertyFlags kLocal = VK_MEMORY_PROPERTY_DEVICE_LOCAL_BIT;
constexpr VkMemoryPropertyFlags kVisible = VK_MEMORY_PROPERTY_HOST_VISIBLE_BIT | VK_MEMORY_PROPERTY_HOST_COHERENT_BIT;
constexpr VkMemoryPropertyFlags kCached = VK_MEMORY_PROPERTY_HOST_CACHED_BIT;

TEST(ChooseMemory, PrefersTheWholeDeviceMemoryToTheHostVisibleWindow) {
  // In the list, a host-visible window of 256 MiB comes before the rest of the device memory.
  const auto memory = memory_of({{kLocal | kVisible, 0}, {kVisible, 1}, {kVisible | kCached, 1}, {kLocal, 2}},
                                {256 << 20, 32ULL << 30, 8ULL << 30});
  EXPECT_EQ(*choose_memory_type(memory, ~0U, MemoryUsage::device), 3U);
  EXPECT_EQ(*choose_memory_type(memory, ~0U, MemoryUsage::upload), 1U);
  EXPECT_EQ(*choose_memory_type(memory, ~0U, MemoryUsage::download), 2U);
}

TEST(ChooseMemory, UsesOneTypeForAllIfThereIsNoOther) {
  const auto memory = memory_of({{kLocal | kVisible | kCached, 0}}, {2ULL << 30});
  for (const MemoryUsage usage : {MemoryUsage::device, MemoryUsage::upload, MemoryUsage::download})
    EXPECT_EQ(*choose_memory_type(memory, ~0U, usage), 0U);
}

TEST(ChooseMemory, TakesTheLargestHeapAmongEqualsAndOnlyAllowedTypes) {
  const auto memory = memory_of({{kLocal, 0}, {kLocal, 1}}, {1ULL << 30, 8ULL << 30});
  EXPECT_EQ(*choose_memory_type(memory, ~0U, MemoryUsage::device), 1U);
  EXPECT_EQ(*choose_memory_type(memory, 1U, MemoryUsage::device), 0U);
  EXPECT_FALSE(choose_memory_type(memory, ~0U, MemoryUsage::upload));
}

class VulkanDevices : public test::VulkanTest {};

TEST_F(VulkanDevices, AreDescribed) {
  for (const DeviceInfo& info : devices()) {
    EXPECT_FALSE(info.name.empty());
    EXPECT_FALSE(info.driver.empty());
    EXPECT_EQ(info.uuid.size(), 4U + 36U) << info.uuid;
    EXPECT_FALSE(info.heaps.empty());
    EXPECT_GE(info.max_buffer_range, 128_MiB);
    EXPECT_GE(info.binding_alignment, Bytes{1});
    EXPECT_LE(info.binding_alignment, Bytes{256});
  }
}

}  // namespace
}  // namespace weir::compute::vulkan

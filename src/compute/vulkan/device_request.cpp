#include "compute/vulkan/device_request.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "compute/vulkan/make_struct.hpp"

namespace weir::compute::vulkan {

namespace {

/// The queues to request, for VkDeviceCreateInfo. Not copyable, because it contains pointers to its own members.
struct QueueRequest {
  explicit QueueRequest(const Queues& queues) {
    const bool one_family = queues.transfer_family == queues.compute_family;
    add(queues.compute_family, one_family ? queues.transfer_index + 1 : 1);
    if (!one_family) add(queues.transfer_family, queues.transfer_index + 1);
  }
  QueueRequest(const QueueRequest&) = delete;
  QueueRequest& operator=(const QueueRequest&) = delete;

  /// Requests the queues 0..count-1 of a family.
  void add(std::uint32_t family, std::uint32_t count) {
    auto& info = infos[family_count++];
    info = make_struct<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
    info.queueFamilyIndex = family;
    info.queueCount = count;
    info.pQueuePriorities = priorities.data();
  }

  std::array<float, 2> priorities{0.5F, 0.5F};  // for at most two queues in one family
  std::array<VkDeviceQueueCreateInfo, 2> infos{};
  std::uint32_t family_count = 0;
};

/// The features and extensions to request, for VkDeviceCreateInfo. Not copyable, because it contains pointers to its
/// own members.
struct FeatureRequest {
  explicit FeatureRequest(const DeviceInfo& info) {
    features.features.shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
    storage.storageBuffer16BitAccess = info.has_half_storage ? VK_TRUE : VK_FALSE;
    chain(storage);
    if (info.has_half_arithmetic) {
      half.shaderFloat16 = VK_TRUE;
      chain(half);
      extensions.push_back(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    }
    if (info.has_cooperative_matrix) {
      matrix.cooperativeMatrix = VK_TRUE;
      memory_model.vulkanMemoryModel = VK_TRUE;
      chain(matrix);
      chain(memory_model);
      extensions.push_back(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME);
      extensions.push_back(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
    }
    if (info.has_timeline_semaphores) {
      timelines.timelineSemaphore = VK_TRUE;
      chain(timelines);
      extensions.push_back(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    }
    if (info.has_memory_budget) extensions.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  }
  FeatureRequest(const FeatureRequest&) = delete;
  FeatureRequest& operator=(const FeatureRequest&) = delete;

  template <class Feature>
  void chain(Feature& feature) {
    feature.pNext = features.pNext;
    features.pNext = &feature;
  }

  VkPhysicalDeviceFeatures2 features =
      make_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  VkPhysicalDevice16BitStorageFeatures storage =
      make_struct<VkPhysicalDevice16BitStorageFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  VkPhysicalDeviceShaderFloat16Int8Features half = make_struct<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  VkPhysicalDeviceCooperativeMatrixFeaturesNV matrix = make_struct<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  VkPhysicalDeviceVulkanMemoryModelFeatures memory_model = make_struct<VkPhysicalDeviceVulkanMemoryModelFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  VkPhysicalDeviceTimelineSemaphoreFeatures timelines = make_struct<VkPhysicalDeviceTimelineSemaphoreFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  std::vector<const char*> extensions;
};

}  // namespace

VkResult create_device(const DeviceInfo& info, VkDevice& device) {
  const QueueRequest queues{info.queues};
  const FeatureRequest features{info};
  auto create_info = make_struct<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  create_info.pNext = &features.features;
  create_info.queueCreateInfoCount = queues.family_count;
  create_info.pQueueCreateInfos = queues.infos.data();
  create_info.enabledExtensionCount = static_cast<std::uint32_t>(features.extensions.size());
  create_info.ppEnabledExtensionNames = features.extensions.data();
  return vkCreateDevice(info.handle, &create_info, nullptr, &device);
}

}  // namespace weir::compute::vulkan

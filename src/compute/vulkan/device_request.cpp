#include "compute/vulkan/device_request.hpp"

#include <array>
#include <cstdint>
#include <vector>

#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

/// The queues that are asked for; points into itself.
struct QueueRequest {
  explicit QueueRequest(const Queues& queues) {
    const bool one_family = queues.copy_family == queues.family;
    add(queues.family, one_family ? queues.copy_index + 1 : 1);
    if (!one_family) add(queues.copy_family, queues.copy_index + 1);
  }
  QueueRequest(const QueueRequest&) = delete;
  QueueRequest& operator=(const QueueRequest&) = delete;

  void add(std::uint32_t family, std::uint32_t count) {
    auto& info = infos[families++];
    info = typed<VkDeviceQueueCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO);
    info.queueFamilyIndex = family;
    info.queueCount = count;
    info.pQueuePriorities = priorities.data();
  }

  std::array<float, 2> priorities{0.5F, 0.5F};  // of the most queues that one family gives
  std::array<VkDeviceQueueCreateInfo, 2> infos{};
  std::uint32_t families = 0;
};

/// The features and extensions that are asked for; points into itself.
struct FeatureRequest {
  explicit FeatureRequest(const DeviceInfo& info) {
    features.features.shaderStorageBufferArrayDynamicIndexing = VK_TRUE;
    storage.storageBuffer16BitAccess = info.half_storage ? VK_TRUE : VK_FALSE;
    chain(storage);
    if (info.half_arithmetic) {
      half.shaderFloat16 = VK_TRUE;
      chain(half);
      extensions.push_back(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME);
    }
    if (info.cooperative_matrix) {
      matrix.cooperativeMatrix = VK_TRUE;
      model.vulkanMemoryModel = VK_TRUE;
      chain(matrix);
      chain(model);
      extensions.push_back(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME);
      extensions.push_back(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
    }
    if (info.timeline_semaphores) {
      timelines.timelineSemaphore = VK_TRUE;
      chain(timelines);
      extensions.push_back(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME);
    }
    if (info.memory_budget) extensions.push_back(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  }
  FeatureRequest(const FeatureRequest&) = delete;
  FeatureRequest& operator=(const FeatureRequest&) = delete;

  template <class Feature>
  void chain(Feature& feature) {
    feature.pNext = features.pNext;
    features.pNext = &feature;
  }

  VkPhysicalDeviceFeatures2 features = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  VkPhysicalDevice16BitStorageFeatures storage =
      typed<VkPhysicalDevice16BitStorageFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  VkPhysicalDeviceShaderFloat16Int8Features half =
      typed<VkPhysicalDeviceShaderFloat16Int8Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  VkPhysicalDeviceCooperativeMatrixFeaturesNV matrix = typed<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  VkPhysicalDeviceVulkanMemoryModelFeatures model =
      typed<VkPhysicalDeviceVulkanMemoryModelFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  VkPhysicalDeviceTimelineSemaphoreFeatures timelines =
      typed<VkPhysicalDeviceTimelineSemaphoreFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  std::vector<const char*> extensions;
};

}  // namespace

VkResult create_device(const DeviceInfo& info, VkDevice& device) {
  const QueueRequest queues{info.queues};
  const FeatureRequest wanted{info};
  auto create = typed<VkDeviceCreateInfo>(VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO);
  create.pNext = &wanted.features;
  create.queueCreateInfoCount = queues.families;
  create.pQueueCreateInfos = queues.infos.data();
  create.enabledExtensionCount = static_cast<std::uint32_t>(wanted.extensions.size());
  create.ppEnabledExtensionNames = wanted.extensions.data();
  return vkCreateDevice(info.handle, &create, nullptr, &device);
}

}  // namespace weir::compute::vulkan

#include "compute/vulkan/device_features.hpp"

#include <algorithm>
#include <cstdint>

#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

bool has_matrix_of_halves(VkPhysicalDevice device) {
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV == nullptr) return false;
  std::uint32_t count = 0;
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(device, &count, nullptr) != VK_SUCCESS) return false;
  auto empty = typed<VkCooperativeMatrixPropertiesNV>(VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV);
  std::vector<VkCooperativeMatrixPropertiesNV> list(count, empty);
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(device, &count, list.data()) != VK_SUCCESS) return false;
  return std::any_of(list.begin(), list.end(), [](const VkCooperativeMatrixPropertiesNV& m) {
    return m.MSize == 16 && m.NSize == 16 && m.KSize == 16 && m.AType == VK_COMPONENT_TYPE_FLOAT16_NV &&
           m.BType == VK_COMPONENT_TYPE_FLOAT16_NV && m.CType == VK_COMPONENT_TYPE_FLOAT32_NV &&
           m.DType == VK_COMPONENT_TYPE_FLOAT32_NV && m.scope == VK_SCOPE_SUBGROUP_NV;
  });
}

}  // namespace

std::vector<std::string> what_is_missing(const VkPhysicalDeviceProperties& properties,
                                         const VkPhysicalDeviceFeatures& features, bool computes) {
  if (properties.apiVersion < VK_API_VERSION_1_1) return {"Vulkan 1.1"};
  std::vector<std::string> missing;
  if (properties.limits.maxPerStageDescriptorStorageBuffers < 16) missing.emplace_back("16 storage buffers per shader");
  if (!computes) missing.emplace_back("a compute queue");
  if (features.shaderStorageBufferArrayDynamicIndexing == VK_FALSE)
    missing.emplace_back("shaderStorageBufferArrayDynamicIndexing");
  return missing;
}

VkPhysicalDeviceFeatures read_features(VkPhysicalDevice device, const std::set<std::string>& extensions,
                                       DeviceInfo& info) {
  auto half =
      typed<VkPhysicalDeviceShaderFloat16Int8Features>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  auto storage = typed<VkPhysicalDevice16BitStorageFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  auto matrix = typed<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  auto model =
      typed<VkPhysicalDeviceVulkanMemoryModelFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  auto features = typed<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  features.pNext = &storage;
  if (extensions.contains(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) {
    half.pNext = features.pNext;
    features.pNext = &half;
  }
  const bool matrices = extensions.contains(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
                        extensions.contains(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
  if (matrices) {
    matrix.pNext = features.pNext;
    model.pNext = &matrix;
    features.pNext = &model;
  }
  auto timelines =
      typed<VkPhysicalDeviceTimelineSemaphoreFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  if (extensions.contains(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) {
    timelines.pNext = features.pNext;
    features.pNext = &timelines;
  }
  vkGetPhysicalDeviceFeatures2(device, &features);
  info.half_storage = storage.storageBuffer16BitAccess == VK_TRUE;
  info.timeline_semaphores = timelines.timelineSemaphore == VK_TRUE;
  info.half_arithmetic = half.shaderFloat16 == VK_TRUE;
  info.cooperative_matrix = matrices && model.vulkanMemoryModel == VK_TRUE && info.subgroup_size == 32 &&
                            info.shared_memory >= 40_KiB && matrix.cooperativeMatrix == VK_TRUE && info.half_storage &&
                            info.half_arithmetic && has_matrix_of_halves(device);
  return features.features;
}

}  // namespace weir::compute::vulkan

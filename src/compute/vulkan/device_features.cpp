#include "compute/vulkan/device_features.hpp"

#include <algorithm>
#include <cstdint>

#include "compute/vulkan/make_struct.hpp"

namespace weir::compute::vulkan {

namespace {

/// Returns whether the device multiplies 16x16 matrices of float16 with float32 sums within a subgroup.
bool has_float16_matrices(VkPhysicalDevice device) {
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV == nullptr) return false;
  std::uint32_t count = 0;
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(device, &count, nullptr) != VK_SUCCESS) return false;
  auto empty = make_struct<VkCooperativeMatrixPropertiesNV>(VK_STRUCTURE_TYPE_COOPERATIVE_MATRIX_PROPERTIES_NV);
  std::vector<VkCooperativeMatrixPropertiesNV> list(count, empty);
  if (vkGetPhysicalDeviceCooperativeMatrixPropertiesNV(device, &count, list.data()) != VK_SUCCESS) return false;
  return std::any_of(list.begin(), list.end(), [](const VkCooperativeMatrixPropertiesNV& m) {
    return m.MSize == 16 && m.NSize == 16 && m.KSize == 16 && m.AType == VK_COMPONENT_TYPE_FLOAT16_NV &&
           m.BType == VK_COMPONENT_TYPE_FLOAT16_NV && m.CType == VK_COMPONENT_TYPE_FLOAT32_NV &&
           m.DType == VK_COMPONENT_TYPE_FLOAT32_NV && m.scope == VK_SCOPE_SUBGROUP_NV;
  });
}

}  // namespace

std::vector<std::string> list_missing_features(const VkPhysicalDeviceProperties& properties,
                                               const VkPhysicalDeviceFeatures& features, bool has_compute_queue) {
  if (properties.apiVersion < VK_API_VERSION_1_1) return {"Vulkan 1.1"};
  std::vector<std::string> missing;
  // A kernel binds kDescriptorCount (14) storage buffers.
  if (properties.limits.maxPerStageDescriptorStorageBuffers < 16) missing.emplace_back("16 storage buffers per shader");
  if (!has_compute_queue) missing.emplace_back("a compute queue");
  if (features.shaderStorageBufferArrayDynamicIndexing == VK_FALSE)
    missing.emplace_back("shaderStorageBufferArrayDynamicIndexing");
  return missing;
}

VkPhysicalDeviceFeatures read_features(VkPhysicalDevice device, const std::set<std::string>& extensions,
                                       DeviceInfo& info) {
  // The driver fills the structures that are chained to `features`. The others keep their zeros: the device lacks them.
  auto half = make_struct<VkPhysicalDeviceShaderFloat16Int8Features>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SHADER_FLOAT16_INT8_FEATURES);
  auto storage =
      make_struct<VkPhysicalDevice16BitStorageFeatures>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_16BIT_STORAGE_FEATURES);
  auto matrix = make_struct<VkPhysicalDeviceCooperativeMatrixFeaturesNV>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_COOPERATIVE_MATRIX_FEATURES_NV);
  auto memory_model = make_struct<VkPhysicalDeviceVulkanMemoryModelFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_MEMORY_MODEL_FEATURES);
  auto features = make_struct<VkPhysicalDeviceFeatures2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2);
  const auto chain = [&](auto& structure) {
    structure.pNext = features.pNext;
    features.pNext = &structure;
  };
  chain(storage);
  if (extensions.contains(VK_KHR_SHADER_FLOAT16_INT8_EXTENSION_NAME)) chain(half);
  const bool has_matrices = extensions.contains(VK_NV_COOPERATIVE_MATRIX_EXTENSION_NAME) &&
                            extensions.contains(VK_KHR_VULKAN_MEMORY_MODEL_EXTENSION_NAME);
  if (has_matrices) {
    chain(matrix);
    chain(memory_model);
  }
  auto timelines = make_struct<VkPhysicalDeviceTimelineSemaphoreFeatures>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_TIMELINE_SEMAPHORE_FEATURES);
  if (extensions.contains(VK_KHR_TIMELINE_SEMAPHORE_EXTENSION_NAME)) chain(timelines);
  vkGetPhysicalDeviceFeatures2(device, &features);
  info.has_half_storage = storage.storageBuffer16BitAccess == VK_TRUE;
  info.has_timeline_semaphores = timelines.timelineSemaphore == VK_TRUE;
  info.has_half_arithmetic = half.shaderFloat16 == VK_TRUE;
  // conv3x3_matrix.comp needs subgroups of 32 invocations and at most 40 KiB of shared memory.
  info.has_cooperative_matrix = has_matrices && memory_model.vulkanMemoryModel == VK_TRUE && info.subgroup_size == 32 &&
                                info.shared_memory >= 40_KiB && matrix.cooperativeMatrix == VK_TRUE &&
                                info.has_half_storage && info.has_half_arithmetic && has_float16_matrices(device);
  return features.features;
}

}  // namespace weir::compute::vulkan

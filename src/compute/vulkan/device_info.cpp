#include "compute/vulkan/device_info.hpp"

#include <algorithm>
#include <optional>
#include <set>

#include <fmt/format.h>

#include "compute/vulkan/instance.hpp"
#include "compute/vulkan/typed.hpp"

namespace weir::compute::vulkan {

namespace {

std::string vendor_name(std::uint32_t id) {
  switch (id) {  // PCI vendor numbers, and those that Khronos gives to others
    case 0x10DE:
      return "NVIDIA";
    case 0x1002:
      return "AMD";
    case 0x8086:
      return "Intel";
    case 0x13B5:
      return "Arm";
    case 0x5143:
      return "Qualcomm";
    case 0x106B:
      return "Apple";
    case 0x10005:
      return "Mesa";
    default:
      return fmt::format("vendor 0x{:04x}", id);
  }
}

DeviceKind kind_of(const VkPhysicalDeviceProperties& properties, VkDriverId driver) {
  // dzn translates to Direct3D 12 and is announced as the GPU behind it; its results are not to be relied on.
  if (driver == VK_DRIVER_ID_MESA_DOZEN || driver == VK_DRIVER_ID_MESA_LLVMPIPE ||
      driver == VK_DRIVER_ID_GOOGLE_SWIFTSHADER)
    return DeviceKind::software;
  switch (properties.deviceType) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return DeviceKind::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return DeviceKind::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_VIRTUAL_GPU:
      return DeviceKind::virtual_gpu;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return DeviceKind::software;
    default:
      return DeviceKind::other;
  }
}

/// As NVIDIA's and AMD's tools write it, so that one name serves them all.
std::string uuid_text(const std::uint8_t (&uuid)[VK_UUID_SIZE]) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < VK_UUID_SIZE; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

std::set<std::string> extensions_of(VkPhysicalDevice device) {
  std::uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkExtensionProperties> list(count);
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, list.data()) != VK_SUCCESS) return {};
  std::set<std::string> names;
  for (const auto& extension : list) names.emplace(extension.extensionName);
  return names;
}

bool find_queues(VkPhysicalDevice device, DeviceInfo& info) {
  std::uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  const std::optional<Queues> queues = choose_queues(families);
  if (!queues) return false;
  info.queues = *queues;
  if (families[queues->family].timestampValidBits == 0) info.timestamp_ns = 0;
  return true;
}

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

void read_features(VkPhysicalDevice device, const std::set<std::string>& extensions, DeviceInfo& info) {
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
  if (features.features.shaderStorageBufferArrayDynamicIndexing == VK_FALSE)
    info.missing.emplace_back("shaderStorageBufferArrayDynamicIndexing");
}

DeviceInfo read_device(VkPhysicalDevice device) {
  DeviceInfo info;
  info.handle = device;
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties(device, &basic);
  info.name = basic.deviceName;
  info.vendor = vendor_name(basic.vendorID);
  info.kind = kind_of(basic, static_cast<VkDriverId>(0));
  if (basic.apiVersion < VK_API_VERSION_1_1) {
    info.missing.emplace_back("Vulkan 1.1");
    info.heaps = read_heaps(device, false);
    return info;
  }
  const std::set<std::string> extensions = extensions_of(device);
  auto driver = typed<VkPhysicalDeviceDriverProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
  auto pci =
      typed<VkPhysicalDevicePCIBusInfoPropertiesEXT>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT);
  auto id = typed<VkPhysicalDeviceIDProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
  auto sizes =
      typed<VkPhysicalDeviceMaintenance3Properties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
  auto subgroup = typed<VkPhysicalDeviceSubgroupProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  auto properties = typed<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  properties.pNext = &id;
  id.pNext = &sizes;
  sizes.pNext = &subgroup;
  const bool has_driver = extensions.contains(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  const bool has_pci = extensions.contains(VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
  if (has_driver) {
    driver.pNext = properties.pNext;
    properties.pNext = &driver;
  }
  if (has_pci) {
    pci.pNext = properties.pNext;
    properties.pNext = &pci;
  }
  vkGetPhysicalDeviceProperties2(device, &properties);
  info.kind = kind_of(basic, has_driver ? driver.driverID : static_cast<VkDriverId>(0));
  info.driver = has_driver ? fmt::format("{} {}", driver.driverName, driver.driverInfo)
                           : fmt::format("version 0x{:x}", basic.driverVersion);
  info.uuid = uuid_text(id.deviceUUID);
  if (has_pci)
    info.pci = fmt::format("{:04x}:{:02x}:{:02x}.{}", pci.pciDomain, pci.pciBus, pci.pciDevice, pci.pciFunction);
  info.memory_budget = extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  info.heaps = read_heaps(device, info.memory_budget);
  info.largest_range = Bytes{basic.limits.maxStorageBufferRange};
  info.largest_allocation = Bytes{sizes.maxMemoryAllocationSize};
  info.subgroup_size = subgroup.subgroupSize;
  info.shared_memory = Bytes{basic.limits.maxComputeSharedMemorySize};
  info.binding_alignment = Bytes{basic.limits.minStorageBufferOffsetAlignment};
  info.timestamp_ns = static_cast<double>(basic.limits.timestampPeriod);
  if (basic.limits.maxPerStageDescriptorStorageBuffers < 16) info.missing.emplace_back("16 storage buffers per shader");
  if (!find_queues(device, info)) info.missing.emplace_back("a compute queue");
  read_features(device, extensions, info);
  return info;
}

}  // namespace

std::vector<Heap> read_heaps(VkPhysicalDevice device, bool memory_budget) {
  auto budget =
      typed<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
  auto memory = typed<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  if (memory_budget) {
    memory.pNext = &budget;
    vkGetPhysicalDeviceMemoryProperties2(device, &memory);
  } else {
    vkGetPhysicalDeviceMemoryProperties(device, &memory.memoryProperties);
  }
  std::vector<Heap> heaps;
  for (std::uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = memory.memoryProperties.memoryHeaps[i];
    heaps.push_back({.size = Bytes{heap.size},
                     .budget = Bytes{memory_budget ? budget.heapBudget[i] : heap.size},
                     .used = Bytes{memory_budget ? budget.heapUsage[i] : 0},
                     .device_local = (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0});
  }
  return heaps;
}

std::vector<DeviceInfo> list_devices(const Instance& instance) {
  std::uint32_t count = 0;
  if (vkEnumeratePhysicalDevices(instance.handle(), &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkPhysicalDevice> handles(count);
  // VK_INCOMPLETE: one came while we looked; those that were counted are there.
  if (vkEnumeratePhysicalDevices(instance.handle(), &count, handles.data()) < VK_SUCCESS) return {};
  handles.resize(count);
  std::vector<DeviceInfo> devices;
  devices.reserve(handles.size());
  for (VkPhysicalDevice handle : handles) devices.push_back(read_device(handle));
  return devices;
}

}  // namespace weir::compute::vulkan

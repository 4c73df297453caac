#include "compute/vulkan/device_info.hpp"

#include <optional>
#include <set>

#include <fmt/format.h>

#include "compute/vulkan/device_features.hpp"
#include "compute/vulkan/device_names.hpp"
#include "compute/vulkan/instance.hpp"
#include "compute/vulkan/make_struct.hpp"

namespace weir::compute::vulkan {

namespace {

/// Returns the names of the device's extensions; empty if the driver fails.
std::set<std::string> list_extensions(VkPhysicalDevice device) {
  std::uint32_t count = 0;
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkExtensionProperties> list(count);
  if (vkEnumerateDeviceExtensionProperties(device, nullptr, &count, list.data()) != VK_SUCCESS) return {};
  std::set<std::string> names;
  for (const auto& extension : list) names.emplace(extension.extensionName);
  return names;
}

/// Chooses the queues and stores them in `info`. Sets timestamp_ns to 0 if the compute queue has no timestamps. Returns
/// false if the device has no queue for compute.
bool find_queues(VkPhysicalDevice device, DeviceInfo& info) {
  std::uint32_t count = 0;
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, nullptr);
  std::vector<VkQueueFamilyProperties> families(count);
  vkGetPhysicalDeviceQueueFamilyProperties(device, &count, families.data());
  const std::optional<Queues> queues = choose_queues(families);
  if (!queues) return false;
  info.queues = *queues;
  if (families[queues->compute_family].timestampValidBits == 0) info.timestamp_ns = 0;
  return true;
}

/// Reads the properties that need Vulkan 1.1 into `info`.
void read_properties(VkPhysicalDevice device, const std::set<std::string>& extensions, DeviceInfo& info) {
  auto driver = make_struct<VkPhysicalDeviceDriverProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES);
  auto pci = make_struct<VkPhysicalDevicePCIBusInfoPropertiesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT);
  auto id = make_struct<VkPhysicalDeviceIDProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES);
  auto sizes =
      make_struct<VkPhysicalDeviceMaintenance3Properties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MAINTENANCE_3_PROPERTIES);
  auto subgroup =
      make_struct<VkPhysicalDeviceSubgroupProperties>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES);
  auto properties = make_struct<VkPhysicalDeviceProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2);
  const auto chain = [&](auto& structure) {
    structure.pNext = properties.pNext;
    properties.pNext = &structure;
  };
  chain(id);
  chain(sizes);
  chain(subgroup);
  const bool has_driver = extensions.contains(VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  const bool has_pci = extensions.contains(VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
  if (has_driver) chain(driver);
  if (has_pci) chain(pci);
  vkGetPhysicalDeviceProperties2(device, &properties);
  const VkPhysicalDeviceProperties& basic = properties.properties;
  info.kind = device_kind_of(basic, has_driver ? driver.driverID : static_cast<VkDriverId>(0));
  info.driver = has_driver ? fmt::format("{} {}", driver.driverName, driver.driverInfo)
                           : fmt::format("version 0x{:x}", basic.driverVersion);
  info.uuid = format_uuid(id.deviceUUID);
  if (has_pci)
    info.pci = fmt::format("{:04x}:{:02x}:{:02x}.{}", pci.pciDomain, pci.pciBus, pci.pciDevice, pci.pciFunction);
  info.max_buffer_range = Bytes{basic.limits.maxStorageBufferRange};
  info.max_allocation = Bytes{sizes.maxMemoryAllocationSize};
  info.subgroup_size = subgroup.subgroupSize;
  info.shared_memory = Bytes{basic.limits.maxComputeSharedMemorySize};
  info.binding_alignment = Bytes{basic.limits.minStorageBufferOffsetAlignment};
  info.timestamp_ns = static_cast<double>(basic.limits.timestampPeriod);
}

DeviceInfo read_device(VkPhysicalDevice device) {
  DeviceInfo info;
  info.handle = device;
  VkPhysicalDeviceProperties basic;
  vkGetPhysicalDeviceProperties(device, &basic);
  info.name = basic.deviceName;
  info.vendor = vendor_name(basic.vendorID);
  info.kind = device_kind_of(basic, static_cast<VkDriverId>(0));
  VkPhysicalDeviceFeatures features{};
  bool has_compute_queue = false;
  if (basic.apiVersion >= VK_API_VERSION_1_1) {
    const std::set<std::string> extensions = list_extensions(device);
    read_properties(device, extensions, info);
    info.has_memory_budget = extensions.contains(VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
    has_compute_queue = find_queues(device, info);
    features = read_features(device, extensions, info);
  }
  info.heaps = read_heaps(device, info.has_memory_budget);
  info.missing_features = list_missing_features(basic, features, has_compute_queue);
  return info;
}

}  // namespace

std::vector<Heap> read_heaps(VkPhysicalDevice device, bool has_memory_budget) {
  auto budget = make_struct<VkPhysicalDeviceMemoryBudgetPropertiesEXT>(
      VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT);
  auto memory = make_struct<VkPhysicalDeviceMemoryProperties2>(VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2);
  if (has_memory_budget) {
    memory.pNext = &budget;
    vkGetPhysicalDeviceMemoryProperties2(device, &memory);
  } else {
    vkGetPhysicalDeviceMemoryProperties(device, &memory.memoryProperties);
  }
  std::vector<Heap> heaps;
  for (std::uint32_t i = 0; i < memory.memoryProperties.memoryHeapCount; ++i) {
    const VkMemoryHeap& heap = memory.memoryProperties.memoryHeaps[i];
    heaps.push_back({.size = Bytes{heap.size},
                     .budget = Bytes{has_memory_budget ? budget.heapBudget[i] : heap.size},
                     .used = Bytes{has_memory_budget ? budget.heapUsage[i] : 0},
                     .device_local = (heap.flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) != 0});
  }
  return heaps;
}

std::vector<DeviceInfo> list_devices(const Instance& instance) {
  std::uint32_t count = 0;
  if (vkEnumeratePhysicalDevices(instance.handle(), &count, nullptr) != VK_SUCCESS) return {};
  std::vector<VkPhysicalDevice> handles(count);
  // Errors are below VK_SUCCESS. VK_INCOMPLETE, which is above, means that a device was added between the calls; the
  // devices counted before are in the list.
  if (vkEnumeratePhysicalDevices(instance.handle(), &count, handles.data()) < VK_SUCCESS) return {};
  handles.resize(count);
  std::vector<DeviceInfo> devices;
  devices.reserve(handles.size());
  for (VkPhysicalDevice handle : handles) devices.push_back(read_device(handle));
  return devices;
}

}  // namespace weir::compute::vulkan

// The provider of Vulkan's list of physical devices.

#include <algorithm>
#include <string_view>

#include <fmt/format.h>

#include "device/provider.hpp"
#include "device/vulkan_api.hpp"

namespace weir::device {
namespace {

using memory::Reading;

std::string hex(const std::uint8_t* bytes, std::size_t count) {
  std::string text;
  for (std::size_t i = 0; i < count; ++i) text += fmt::format("{:02x}", bytes[i]);
  return text;
}

DeviceKind kind_of(VkPhysicalDeviceType type) {
  switch (type) {
    case VK_PHYSICAL_DEVICE_TYPE_DISCRETE_GPU:
      return DeviceKind::discrete;
    case VK_PHYSICAL_DEVICE_TYPE_INTEGRATED_GPU:
      return DeviceKind::integrated;
    case VK_PHYSICAL_DEVICE_TYPE_CPU:
      return DeviceKind::software;
    default:
      return DeviceKind::unknown;
  }
}

bool has_extension(const VulkanInstance& instance, VkPhysicalDevice device, std::string_view name) {
  const auto enumerate =
      instance.find<PFN_vkEnumerateDeviceExtensionProperties>("vkEnumerateDeviceExtensionProperties");
  std::uint32_t count = 0;
  if (enumerate(device, nullptr, &count, nullptr) != VK_SUCCESS) return false;
  std::vector<VkExtensionProperties> all(count);
  if (enumerate(device, nullptr, &count, all.data()) < VK_SUCCESS) return false;  // VK_INCOMPLETE, above, is no error
  return std::any_of(all.begin(), all.end(), [&](const auto& one) { return name == one.extensionName; });
}

/// Sets the total memory of the device-local heaps, and their free memory if the driver reports a budget.
void read_memory(const VulkanInstance& instance, VkPhysicalDevice handle, Device& device) {
  const bool has_budget = has_extension(instance, handle, VK_EXT_MEMORY_BUDGET_EXTENSION_NAME);
  VkPhysicalDeviceMemoryBudgetPropertiesEXT budget{};
  budget.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_BUDGET_PROPERTIES_EXT;
  VkPhysicalDeviceMemoryProperties2 properties{};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_MEMORY_PROPERTIES_2;
  if (has_budget) properties.pNext = &budget;
  instance.find<PFN_vkGetPhysicalDeviceMemoryProperties2>("vkGetPhysicalDeviceMemoryProperties2")(handle, &properties);
  Bytes total;
  Bytes free;
  const VkPhysicalDeviceMemoryProperties& memory = properties.memoryProperties;
  for (std::uint32_t heap = 0; heap < std::min<std::uint32_t>(memory.memoryHeapCount, VK_MAX_MEMORY_HEAPS); ++heap) {
    if ((memory.memoryHeaps[heap].flags & VK_MEMORY_HEAP_DEVICE_LOCAL_BIT) == 0) continue;
    total += Bytes{memory.memoryHeaps[heap].size};
    free += Bytes{budget.heapBudget[heap]} - Bytes{budget.heapUsage[heap]};
  }
  if (total > Bytes{}) device.total = Reading{.value = total, .source = "Vulkan heaps"};
  // VK_EXT_memory_budget gives only the driver's estimate of what this process may still allocate.
  if (has_budget)
    device.free = Reading{.value = free, .source = "Vulkan budget", .coverage = memory::Coverage::process};
}

/// Reads one device. The driver fills the structures that are chained to `properties`; a structure whose extension the
/// driver lacks is left out of the chain.
Device describe(const VulkanInstance& instance, VkPhysicalDevice handle, int index) {
  const bool has_pci = has_extension(instance, handle, VK_EXT_PCI_BUS_INFO_EXTENSION_NAME);
  VkPhysicalDevicePCIBusInfoPropertiesEXT pci{};
  pci.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PCI_BUS_INFO_PROPERTIES_EXT;
  VkPhysicalDeviceIDProperties id{};
  id.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ID_PROPERTIES;
  if (has_pci) id.pNext = &pci;
  const bool has_driver = has_extension(instance, handle, VK_KHR_DRIVER_PROPERTIES_EXTENSION_NAME);
  VkPhysicalDeviceDriverProperties driver{};
  driver.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES;
  driver.pNext = id.pNext;
  if (has_driver) id.pNext = &driver;
  VkPhysicalDeviceProperties2 properties{};
  properties.sType = VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2;
  properties.pNext = &id;
  instance.find<PFN_vkGetPhysicalDeviceProperties2>("vkGetPhysicalDeviceProperties2")(handle, &properties);

  Device device;
  device.name = properties.properties.deviceName;
  device.pci_vendor = properties.properties.vendorID;
  device.pci_device = properties.properties.deviceID;
  device.vendor = vendor_of(properties.properties.vendorID);
  device.kind = kind_of(properties.properties.deviceType);
  if (has_driver) device.driver = fmt::format("{} {}", driver.driverName, driver.driverInfo);
  device.vulkan_uuid = hex(id.deviceUUID, VK_UUID_SIZE);
  if (has_pci)
    device.pci = PciAddress{pci.pciDomain, static_cast<std::uint8_t>(pci.pciBus),
                            static_cast<std::uint8_t>(pci.pciDevice), static_cast<std::uint8_t>(pci.pciFunction)};
  device.stack_indices.vulkan = index;
  read_memory(instance, handle, device);
  return device;
}

class VulkanProvider : public Provider {
 public:
  std::string_view name() const override { return "Vulkan"; }
  Result<std::vector<Device>> devices() override {
    const auto instance = VulkanInstance::create();
    if (!instance) return instance.error();
    std::vector<Device> devices;
    for (VkPhysicalDevice handle : instance->physical_devices())
      devices.push_back(describe(*instance, handle, static_cast<int>(devices.size())));
    return devices;
  }
};

}  // namespace

std::unique_ptr<Provider> make_vulkan_provider() { return std::make_unique<VulkanProvider>(); }

}  // namespace weir::device

#include "compute/vulkan/device_names.hpp"

#include <cstddef>

#include <fmt/format.h>

namespace weir::compute::vulkan {

std::string vendor_name(std::uint32_t id) {
  switch (id) {
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

DeviceKind device_kind_of(const VkPhysicalDeviceProperties& properties, VkDriverId driver) {
  // MESA_DOZEN is dzn, which would report the type of the real GPU.
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

std::string format_uuid(const std::uint8_t (&uuid)[VK_UUID_SIZE]) {
  std::string text = "GPU-";
  for (std::size_t i = 0; i < VK_UUID_SIZE; ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
    text += fmt::format("{:02x}", uuid[i]);
  }
  return text;
}

}  // namespace weir::compute::vulkan

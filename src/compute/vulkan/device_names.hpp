#pragma once

#include <cstdint>
#include <string>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// By the numbers of PCI, and those that Khronos gives to others; "vendor 0x1234" for one without a name here.
std::string vendor_name(std::uint32_t id);

/// What kind of device that is; `driver` is 0 where it does not say.
DeviceKind device_kind_of(const VkPhysicalDeviceProperties& properties, VkDriverId driver);

/// As NVIDIA's and AMD's tools write it, so that one name serves them all: "GPU-6d657361-3232-2e33-2e36-000000000000".
std::string format_uuid(const std::uint8_t (&uuid)[VK_UUID_SIZE]);

}  // namespace weir::compute::vulkan

#pragma once

#include <cstdint>
#include <string>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Returns the name of a vendor by its PCI number or its Khronos number; "vendor 0x1234" for an unknown one.
std::string vendor_name(std::uint32_t id);

/// Returns the kind of a device: the type that the driver reports; `software` for drivers that run on the CPU, and also
/// for dzn (Mesa's driver on top of Direct3D 12), which runs on a real GPU but whose results are not reliable. `driver`
/// is 0 if the driver does not report its ID.
DeviceKind device_kind_of(const VkPhysicalDeviceProperties& properties, VkDriverId driver);

/// Returns the UUID in the format of NVIDIA's and AMD's tools: "GPU-6d657361-3232-2e33-2e36-000000000000".
std::string format_uuid(const std::uint8_t (&uuid)[VK_UUID_SIZE]);

}  // namespace weir::compute::vulkan

#pragma once

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Creates a VkDevice with the queues in `info`, with all required features and with the optional ones that `info` has.
/// Sets `device` only if it returns VK_SUCCESS.
VkResult create_device(const DeviceInfo& info, VkDevice& device);

}  // namespace weir::compute::vulkan

#pragma once

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Asks the driver for a device with the queues, and with those features of weir's, that `info` says it has.
VkResult create_device(const DeviceInfo& info, VkDevice& device);

}  // namespace weir::compute::vulkan

#pragma once

#include <set>
#include <string>
#include <vector>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// What weir cannot do without and a device lacks, each by the name that Vulkan has for it; empty if it will do. Makes no
/// driver call.
std::vector<std::string> list_missing_features(const VkPhysicalDeviceProperties& properties,
                                               const VkPhysicalDeviceFeatures& features, bool has_compute_queue);

/// Notes what weir uses where it is there. What the device says of its subgroups and its memory is in `info` already.
VkPhysicalDeviceFeatures read_features(VkPhysicalDevice device, const std::set<std::string>& extensions,
                                       DeviceInfo& info);

}  // namespace weir::compute::vulkan

#pragma once

#include <set>
#include <string>
#include <vector>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Returns the names of the required features that a device lacks; empty if it has all. If Vulkan 1.1 is missing, the
/// list has only this entry. Calls no driver function.
std::vector<std::string> list_missing_features(const VkPhysicalDeviceProperties& properties,
                                               const VkPhysicalDeviceFeatures& features, bool has_compute_queue);

/// Reads the device's features. Stores the optional ones that weir can use in `info`, which must already have the
/// subgroup size and the size of the shared memory. Returns the basic features, for list_missing_features().
/// `extensions` has the names of the extensions that the device supports.
VkPhysicalDeviceFeatures read_features(VkPhysicalDevice device, const std::set<std::string>& extensions,
                                       DeviceInfo& info);

}  // namespace weir::compute::vulkan

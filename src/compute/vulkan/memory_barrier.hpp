#pragma once

#include <volk.h>

#include "compute/vulkan/hazard_tracker.hpp"

namespace weir::compute::vulkan {

/// Records a barrier as Vulkan has it: for all memory.
void record_barrier(const VolkDeviceTable& api, VkCommandBuffer commands, const Barrier& barrier);

}  // namespace weir::compute::vulkan

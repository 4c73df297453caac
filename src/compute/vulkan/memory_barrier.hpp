#pragma once

#include <volk.h>

#include "compute/vulkan/hazard_tracker.hpp"

namespace weir::compute::vulkan {

/// Records the barrier into a command buffer, as a Vulkan memory barrier that covers all memory.
void record_barrier(const VolkDeviceTable& api, VkCommandBuffer commands, const Barrier& barrier);

}  // namespace weir::compute::vulkan

#pragma once

#include <memory>

#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/device_info.hpp"
#include "memory/meter.hpp"

namespace weir::compute::vulkan {

/// What of a pool's memory somebody uses: the allocator's witness. A software device's memory is the machine's, so its pools
/// are watched on the host's side, beside resident memory. To be read on the pool's thread; the pool must outlive it.
std::shared_ptr<const memory::Meter> make_pool_meter(const BufferPool& pool, const DeviceInfo& device);

/// What this process has on the device's own heaps by the driver's word (VK_EXT_memory_budget): the system's witness. Several
/// drivers count by instance, so it is the instance that did the work which must be asked. Null where the driver does
/// not say, and for a software device, which tells the use of the whole machine. Keeps the instance alive. Thread-safe.
/// Source  Vulkan specification, "VkPhysicalDeviceMemoryBudgetPropertiesEXT".
std::shared_ptr<const memory::Meter> make_budget_meter(std::shared_ptr<const Instance> instance,
                                                       const DeviceInfo& device);

}  // namespace weir::compute::vulkan

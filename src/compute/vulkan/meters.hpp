#pragma once

#include <memory>

#include "compute/vulkan/buffer_pool.hpp"
#include "compute/vulkan/device_info.hpp"
#include "memory/meter.hpp"

namespace weir::compute::vulkan {

/// Returns a meter (an object that returns a number of bytes when it is read) of the pool's memory that is in use (not
/// idle). It is a meter of device memory (staging buffers are counted too, even if they are in host memory). For a
/// software device it is a meter of host memory, because such a device uses the host's memory. It must be read on the
/// thread that uses the pool; the pool must outlive it.
std::shared_ptr<const memory::Meter> make_pool_meter(const BufferPool& pool, const DeviceInfo& device);

/// Returns a meter of the memory that this process uses in device-local heaps, as the driver reports it
/// (VK_EXT_memory_budget). Some drivers count per instance, so `instance` must be the instance that does the work.
/// Returns null if the driver reports nothing, and for a software device, which reports the use of the whole machine.
/// The meter keeps the instance alive. Thread-safe.
/// Source: Vulkan specification, "VkPhysicalDeviceMemoryBudgetPropertiesEXT".
std::shared_ptr<const memory::Meter> make_budget_meter(std::shared_ptr<const Instance> instance,
                                                       const DeviceInfo& device);

}  // namespace weir::compute::vulkan

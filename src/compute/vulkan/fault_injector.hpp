#pragma once

#include <vector>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Driver calls that a FaultInjector can replace by a failure: allocation of a MemoryBlock, submission of commands, and
/// wait for a fence.
enum class FaultPoint { allocate, submit, wait };

/// Lets a test simulate failures that a software driver does not produce: refused memory, memory that other processes
/// use, a lost device, a submission that hangs. All functions are called from the thread that uses the device.
class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  /// Called before a driver call. If it returns VK_SUCCESS, the call is made. Otherwise the call is not made, and
  /// this result is used as its result.
  virtual VkResult inject(FaultPoint point) = 0;
  /// Called after a device was opened. An injector that simulates a lost device must end the simulation here.
  virtual void on_device_opened() {}
  /// Called with the heaps that the driver reported; may change them, to simulate the memory use of another process.
  virtual void adjust_heaps(std::vector<Heap>& heaps) { (void)heaps; }
};

}  // namespace weir::compute::vulkan

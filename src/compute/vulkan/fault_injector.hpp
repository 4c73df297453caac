#pragma once

#include <vector>

#include <volk.h>

#include "compute/vulkan/device_info.hpp"

namespace weir::compute::vulkan {

/// Where the layer of faults is asked before the driver is.
enum class FaultPoint { allocate, submit, wait };

/// Stands between weir and the driver, so that a test can have what no software driver gives: memory that is refused,
/// or taken by others, a device that is lost, a submission that hangs. Called from the thread that uses the device.
class FaultInjector {
 public:
  virtual ~FaultInjector() = default;
  /// VK_SUCCESS: the driver is called; anything else is returned in its stead.
  virtual VkResult inject(FaultPoint point) = 0;
  /// A device was opened anew: what was lost is back.
  virtual void on_device_opened() {}
  /// What the driver has said of its memory; may be changed, as if another process had taken of it.
  virtual void adjust_heaps(std::vector<Heap>& heaps) { (void)heaps; }
};

}  // namespace weir::compute::vulkan

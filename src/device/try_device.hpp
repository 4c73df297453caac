#pragma once

#include <string>

#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::device {

// These functions test one device for `weir doctor`: they fill 4 MiB of its memory, copy them back and compare. They
// may hang in a driver, so call them in a child with a deadline (run_in_child()). They return the text "4 MiB filled
// and read back". Errors: unsupported if there is no driver or no such device, or a call fails; device_lost for
// wrong data.

/// Tests the device with Vulkan, at the index device.stack_indices.vulkan.
Result<std::string> try_vulkan(const Device& device);
/// Tests the device with CUDA. The device's mask (make_mask()) must be set, so that CUDA lists only this device.
/// Errors: also device_lost if CUDA reports another UUID.
Result<std::string> try_cuda(const Device& device);

}  // namespace weir::device

#pragma once

#include <string>

#include "base/result.hpp"
#include "device/device.hpp"

namespace weir::device {

/// Small pieces of real work on one device, for the doctor: fill memory there, copy it back, compare. Each runs in the
/// calling process, so call them in a child with a deadline. What they return says what was done: "4 MiB filled and read
/// back". Errors: unsupported (no such device for this stack, or no driver), device_lost (wrong data).
Result<std::string> try_vulkan(const Device& device);
/// The mask must be set: CUDA must show this device, and it alone, as its number 0.
Result<std::string> try_cuda(const Device& device);

}  // namespace weir::device

#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compute/vulkan/device_info.hpp"
#include "compute/vulkan/instance.hpp"

namespace weir::nn::vulkan {

/// A Vulkan device that was chosen but is not open yet: a GPU, or a software device. Shared, read-only.
struct Gpu {
  std::shared_ptr<compute::vulkan::Instance> instance;
  compute::vulkan::DeviceInfo info;
  /// The selector was "gpu" or "gpu#N", and the device is a software device: the user must be informed.
  bool software_by_default = false;
};

/// Returns the device that compute::vulkan::choose_device() chooses for the selector among the devices of all drivers.
/// Errors: those of Instance::create(): unsupported if there is no Vulkan; those of choose_device(): invalid_argument,
/// with the list of devices, or unsupported.
Result<std::shared_ptr<const Gpu>> find_gpu(std::string_view selector,
                                            compute::vulkan::Validation validation = compute::vulkan::Validation::none);

}  // namespace weir::nn::vulkan

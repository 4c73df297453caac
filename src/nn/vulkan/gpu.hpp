#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "compute/vulkan/device_info.hpp"
#include "compute/vulkan/instance.hpp"

namespace weir::nn::vulkan {

/// A device that was chosen and not opened yet; shared read-only.
struct Gpu {
  std::shared_ptr<compute::vulkan::Instance> instance;
  compute::vulkan::DeviceInfo info;
  bool software_by_default = false;  ///< nothing else was there: to be said once
};

/// The device that a name means: see compute::vulkan::choose_device. Asks the drivers that are installed.
/// Errors: unsupported (no Vulkan here, or a driver that lacks something), invalid_argument with the list of devices.
Result<std::shared_ptr<const Gpu>> find_gpu(std::string_view selector,
                                            compute::vulkan::Validation validation = compute::vulkan::Validation::none);

}  // namespace weir::nn::vulkan

#pragma once

#include <string>
#include <string_view>

#include <volk.h>

#include "base/result.hpp"

namespace weir::compute::vulkan {

/// "VK_ERROR_DEVICE_LOST"; "VkResult -1234" for one without a name here.
std::string name_of(VkResult result);

/// What failed, as an error of ours: over_budget for memory that the driver has not, device_lost for a device that is
/// gone or does not answer, unsupported for the rest.
Error error_from_result(VkResult result, std::string_view operation);

}  // namespace weir::compute::vulkan

#pragma once

#include <string>
#include <string_view>

#include <volk.h>

#include "base/result.hpp"

namespace weir::compute::vulkan {

/// Returns the name of a result, such as "VK_ERROR_DEVICE_LOST"; "VkResult -1234" if weir has no name for it.
std::string name_of(VkResult result);

/// Returns the error of a failed driver call: over_budget if the driver has no more memory or allows no more objects,
/// device_lost if the device is lost or did not respond in time, unsupported for all other results. `operation`
/// describes the call in the message.
Error error_from_result(VkResult result, std::string_view operation);

}  // namespace weir::compute::vulkan

#pragma once

#include <string_view>

#include "base/result.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::compute::vulkan {

/// Runs two kernels of 3x3 convolutions of float16 on the same drawn features and tells whether they make the same, but
/// for rounding: what a test cannot prove for want of the device, the device proves before it is trusted. Takes some
/// milliseconds and some 64 KiB. Values are about 1, so `within` is some units of float16. `second` is dispatched as conv3x3_matrix is, unless it is a variant of conv.
/// Errors: those of pool and stream.
Result<bool> kernels_agree(BufferPool& pool, Stream& stream, std::string_view first, std::string_view second,
                           float tolerance = 0.01F);

}  // namespace weir::compute::vulkan

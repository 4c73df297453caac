#pragma once

#include <string_view>

#include "base/result.hpp"
#include "compute/vulkan/stream.hpp"

namespace weir::compute::vulkan {

/// Runs two kernels for 3x3 convolutions of float16 on the same random features, and returns whether each value of the
/// results differs by at most `tolerance`. Results are of the order of 1, so the default allows a few rounding steps of
/// float16. weir calls it when it opens a device, because its tests did not run on the user's device. It takes a few
/// milliseconds and less than half a MiB of memory.
/// `first` and `second` are shader names. A name that begins with "conv_" is run as a variant of conv.comp, any other
/// name as conv3x3_matrix.comp.
/// Errors: those of BufferPool::acquire() and of Stream.
Result<bool> kernels_agree(BufferPool& pool, Stream& stream, std::string_view first, std::string_view second,
                           float tolerance = 0.01F);

}  // namespace weir::compute::vulkan

#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "nn/value_check.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Checks a tile that a device computed: three planes of `pixels` values each. `source_range` is the range of the input
/// picture's colours at the same place. Errors: bad_values if nn::check_values() finds a fault.
Status check_tile(const float* planes, std::size_t pixels, const ColourRange& source_range);
/// Checks a tile of 8-bit samples in the layout SamplesLayout. It uses the flags, which the device computed before it
/// limited the values to 0..255, and compares the first pixels of all rows with each other. Errors: as check_tile().
Status check_samples(const std::byte* tile, const Rect& rect, const ColourRange& source_range);
/// Returns true if a row of samples has more than one colour, according to its flags. `row` is an index within the
/// tile.
bool is_non_uniform(const std::byte* tile, const SamplesLayout& layout, std::size_t row);

}  // namespace weir::nn::vulkan

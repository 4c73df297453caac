#pragma once

#include <cstddef>

#include "base/result.hpp"
#include "nn/value_check.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Judges three planes of `pixels` values that a device made, above a part of the picture with this range.
/// Errors: bad_values, where judge() suspects something.
Status check_tile(const float* planes, std::size_t pixels, const ColourRange& source_range);
/// The same of 8-bit samples, by what the device saw before it cut them; rows are compared by their first pixel.
Status check_samples(const std::byte* tile, const Rect& rect, const ColourRange& source_range);
/// Whether the values of a row of samples were not all one colour.
bool is_non_uniform(const std::byte* tile, const SamplesLayout& layout, std::size_t row);

}  // namespace weir::nn::vulkan

#pragma once

#include <array>
#include <cstddef>

#include "base/result.hpp"
#include "nn/vulkan/samples_layout.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Lowest and highest value of each plane of a tile's part of the picture.
struct TileRange {
  std::array<float, 3> low{1, 1, 1};
  std::array<float, 3> high{0, 0, 0};
};

/// Judges three planes of `pixels` values that a device made, of a part of the picture with this range.
/// Errors: bad_values: a value is no number, or all are one colour where the picture has many (by a quarter of its range).
Status check_tile(const float* planes, std::size_t pixels, const TileRange& range);
/// The same of 8-bit samples, by what the device saw before it cut them; rows are compared by their first pixel.
Status check_samples(const std::byte* tile, const Rect& rect, const TileRange& range);
/// Whether the values of a row of samples were not all one colour.
bool is_uneven(const std::byte* tile, const SamplesLayout& layout, std::size_t row);

}  // namespace weir::nn::vulkan

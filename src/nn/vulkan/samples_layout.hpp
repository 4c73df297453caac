#pragma once

#include <cstddef>
#include <cstdint>

#include "base/round_up.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Where kernels/samples/samples_out puts the 8-bit samples of a rectangle and what it saw of them: rows of pixels of three
/// bytes, filled up to whole groups of four pixels; then one word for each piece of 256 pixels of each row.
struct SamplesLayout {
  explicit SamplesLayout(const Rect& rect)
      : rows{static_cast<std::size_t>(rect.height())},
        row_bytes{3 * round_up(static_cast<std::size_t>(rect.width()), 4)},
        flags_per_row{(static_cast<std::size_t>(rect.width()) + kFlagPixels - 1) / kFlagPixels} {}
  static constexpr std::size_t kFlagPixels = 256;
  static constexpr std::uint32_t kNotFinite = 1;   ///< a value is NaN or infinite
  static constexpr std::uint32_t kNonUniform = 2;  ///< a value differs from the one on its left

  std::size_t flags_offset() const { return rows * row_bytes; }
  std::size_t total_bytes() const { return flags_offset() + rows * flags_per_row * sizeof(std::uint32_t); }

  std::size_t rows;
  std::size_t row_bytes;
  std::size_t flags_per_row;  ///< of a row
};

}  // namespace weir::nn::vulkan

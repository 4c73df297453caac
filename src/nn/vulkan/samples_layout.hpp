#pragma once

#include <cstddef>
#include <cstdint>

#include "base/round_up.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// The layout of the 8-bit samples of a rectangle, as the kernels write them (compute/kernels/samples/samples.glsl):
/// first all rows, three bytes per pixel, each row padded to a multiple of four pixels; then, for each row, one 32-bit
/// word of flags for every 256 pixels.
struct SamplesLayout {
  explicit SamplesLayout(const Rect& rect)
      : rows{static_cast<std::size_t>(rect.height())},
        row_bytes{3 * round_up(static_cast<std::size_t>(rect.width()), 4)},
        flags_per_row{(static_cast<std::size_t>(rect.width()) + kFlagPixels - 1) / kFlagPixels} {}
  static constexpr std::size_t kFlagPixels = 256;  ///< number of pixels that share a word of flags
  static constexpr std::uint32_t kNotFinite = 1;   ///< flag: a value is NaN or infinite
  static constexpr std::uint32_t kNonUniform = 2;  ///< flag: a value differs from that of the pixel on its left

  /// Returns the offset of the flags in bytes.
  std::size_t flags_offset() const { return rows * row_bytes; }
  std::size_t total_bytes() const { return flags_offset() + rows * flags_per_row * sizeof(std::uint32_t); }

  std::size_t rows;           ///< number of rows
  std::size_t row_bytes;      ///< bytes of the samples of a row, padding included
  std::size_t flags_per_row;  ///< number of words of flags per row
};

}  // namespace weir::nn::vulkan

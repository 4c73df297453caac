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
        pieces{(static_cast<std::size_t>(rect.width()) + kPiece - 1) / kPiece} {}
  static constexpr std::size_t kPiece = 256;
  static constexpr std::uint32_t kNoNumber = 1;  ///< a value is NaN or infinite
  static constexpr std::uint32_t kUneven = 2;    ///< a value differs from the one on its left

  std::size_t seen_at() const { return rows * row_bytes; }
  std::size_t bytes() const { return seen_at() + rows * pieces * sizeof(std::uint32_t); }

  std::size_t rows;
  std::size_t row_bytes;
  std::size_t pieces;  ///< of a row
};

}  // namespace weir::nn::vulkan

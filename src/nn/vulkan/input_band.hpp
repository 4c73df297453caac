#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Rows of the picture as a network reads it, three planes of float32, for as long as a row of tiles needs them.
class InputBand {
 public:
  InputBand(InputRows& input, Extent extent) : input_{input}, extent_{extent} {}
  /// Has rows first..last-1, and may forget those before. `first` never goes back. Errors: those of the input.
  Status require(int first, int last);
  /// Copies a rectangle of the rows that are there: [3][h][w].
  void copy_planes(const Rect& rect, float* to) const;
  /// The same as the 8-bit samples that the values are.
  void copy_samples(const Rect& rect, std::uint8_t* to) const;
  /// Lowest and highest value of each plane in what a rectangle has of the rows that are held and of the picture.
  ColourRange colour_range(const Rect& rect) const;

 private:
  const float* row(int plane, int y) const;
  InputRows& input_;
  Extent extent_;
  int first_ = 0, last_ = 0;
  std::vector<float> rows_;  // [row][3][width]
};

}  // namespace weir::nn::vulkan

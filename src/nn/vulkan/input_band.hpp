#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/result.hpp"
#include "nn/rows.hpp"
#include "nn/value_check.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Reads the network's input and keeps the rows that the current row of tiles needs: three planes of float32. Not
/// thread-safe.
class InputBand {
 public:
  InputBand(InputRows& input, Extent extent) : input_{input}, extent_{extent} {}
  /// Reads rows of the input, so that rows first..last-1 are kept; drops earlier rows. `first` must not decrease from
  /// call to call.
  /// Errors: those of the input.
  Status require(int first, int last);
  /// Copies a rectangle of the rows that are kept to `to`, as planes [3][h][w].
  void copy_planes(const Rect& rect, float* to) const;
  /// Copies a rectangle of the rows that are kept to `to`, as 8-bit samples [3][h][w]; the values must be multiples of
  /// 1/255 in 0..1.
  void copy_samples(const Rect& rect, std::uint8_t* to) const;
  /// Returns the lowest and highest value of each plane in a rectangle. Ignores pixels of the rectangle that are beyond
  /// the edges of the picture or in rows that are not kept.
  ColourRange colour_range(const Rect& rect) const;

 private:
  const float* row(int plane, int y) const;
  InputRows& input_;
  Extent extent_;
  int first_ = 0, last_ = 0;  // rows first_..last_-1 are kept
  std::vector<float> rows_;   // [row][3][width]
};

}  // namespace weir::nn::vulkan

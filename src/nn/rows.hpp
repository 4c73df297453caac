#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.hpp"

namespace weir::nn {

/// Some consecutive rows of a planar picture, as they lie in a ring; a view.
struct PlanarRows {
  int first = 0, count = 0;
  int left = 0;  ///< the picture's column that column 0 is
  int width = 0, planes = 0;
  std::ptrdiff_t plane_stride = 0;  ///< floats
  std::vector<float*> row;          ///< column 0 of the first plane of each row
};

/// The bordered picture that a network reads, from the top down; of a picture in strips, some of its columns.
class InputRows {
 public:
  virtual ~InputRows() = default;
  /// The next fill() is for row 0. Called before each pass (over each strip) that reads the picture, and before the last
  /// one always.
  virtual Status rewind() = 0;
  /// Writes rows.first .. rows.first + rows.count - 1, each `width` columns of `planes` planes, from column `left` on.
  virtual Status fill(const PlanarRows& rows) = 0;
};

/// Takes the network's result from the top down; of a picture in strips, strip by strip.
using OutputRows = std::function<Status(const PlanarRows& rows)>;

/// Some consecutive rows of a result as 8-bit samples, three colours side by side; a view.
struct ByteRows {
  int first = 0, count = 0, width = 0;
  const std::uint8_t* samples = nullptr;
  std::size_t row_bytes = 0;      ///< from one row to the next
  std::vector<bool> non_uniform;  ///< by row: its values were not one colour, though cut to 0..255 they may be
};
using OutputBytes = std::function<Status(const ByteRows& rows)>;

}  // namespace weir::nn

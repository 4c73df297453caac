#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <vector>

#include "base/result.hpp"

namespace weir::nn {

/// A view of consecutive rows of a planar picture: each channel (plane) has a row of its own. The rows are often in a
/// ring buffer, so each row has its own pointer. The picture is the input or the output of a network. In the input, row
/// 0 and column 0 are those of the border. In the output, they are the first ones that the network computes, before the
/// output is cropped to the enlarged picture (Family::crop).
struct PlanarRows {
  int first = 0, count = 0;         ///< first row in the picture, and number of rows
  int left = 0;                     ///< column of the picture that is column 0 of these rows
  int width = 0, planes = 0;        ///< number of columns, and number of planes
  std::ptrdiff_t plane_stride = 0;  ///< distance from one plane of a row to the next, in floats
  std::vector<float*> row;          ///< for each row: pointer to column 0 of the first plane
};

/// Source of the picture with its border, which a network reads from top to bottom. Some networks need several passes
/// over the picture: the earlier ones compute means. In a run in strips (ranges of columns) each pass reads the picture
/// once for each strip, and only the strip's columns.
class InputRows {
 public:
  virtual ~InputRows() = default;
  /// Goes back to row 0, the first row of the border. Called before each strip of every pass that reads the picture,
  /// and before each strip of the last pass even if that pass does not read it.
  virtual Status rewind() = 0;
  /// Fills rows rows.first .. rows.first + rows.count - 1: `width` columns of `planes` planes each, from column `left`
  /// on.
  virtual Status fill(const PlanarRows& rows) = 0;
};

/// Receives the network's output from top to bottom; in a run in strips, one strip after the other.
using OutputRows = std::function<Status(const PlanarRows& rows)>;

/// A view of consecutive rows of a network's output, before the crop, as 8-bit samples of three interleaved colours.
struct ByteRows {
  int first = 0, count = 0, width = 0;  ///< first row in the output, number of rows, number of columns
  const std::uint8_t* samples = nullptr;
  std::size_t row_bytes = 0;  ///< distance from one row to the next in bytes
  /// By row: true if its pixels have more than one colour. The pixels of one tile are compared before their values are
  /// rounded and limited to 0..255, which can make them equal; pixels of different tiles are compared afterwards.
  std::vector<bool> non_uniform;
};
/// Receives the network's output as 8-bit rows, from top to bottom.
using OutputBytes = std::function<Status(const ByteRows& rows)>;

}  // namespace weir::nn

#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weir::media {

/// Chooses and applies the filters of PNG rows. A filter replaces each byte by its difference from a prediction, which
/// is made from the pixel to the left and the row above. Small differences compress better. PNG has five filters.
///
/// Every fourth row is filtered with each of the five filters. The filter whose result has the smallest sum of
/// absolute values (bytes taken as signed) is used for this row and the next three.
/// Source  W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 9 "Filtering" and 12.7 "Filter
///         selection" (the heuristic).
/// Cost    memory: two rows; time: docs/measurements.md
class PngFilter {
 public:
  /// row_bytes    bytes of a row
  /// pixel_bytes  bytes of a pixel
  PngFilter(std::size_t row_bytes, std::size_t pixel_bytes);
  std::size_t row_bytes() const { return row_bytes_; }
  /// Filters the next row. Call it for all rows in order.
  /// row   [row_bytes] big-endian samples
  /// out   [1 + row_bytes] receives the number of the filter (0 to 4), then the filtered row
  void apply(std::span<const std::uint8_t> row, std::span<std::uint8_t> out);

 private:
  static constexpr unsigned kRowsPerChoice = 4;  // files are less than 1 % larger than with a choice per row
  void choose_filter(const std::uint8_t* row);

  std::size_t row_bytes_, pixel_bytes_;
  std::size_t chosen_filter_ = 0;
  unsigned rows_done_ = 0;
  std::unique_ptr<std::uint8_t[]> previous_;   // the row above, unfiltered; zeros for the first row
  std::unique_ptr<std::uint8_t[]> candidate_;  // result of a filter while choose_filter() compares
};

}  // namespace weir::media

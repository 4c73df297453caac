#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weir::media {

/// Chooses a filter for each few rows of a PNG and applies it.
///
/// On every fourth row each of the five filters is tried; the one with the smallest sum of absolute differences (bytes
/// taken as signed) serves until the next trial.
/// Source  W3C, "Portable Network Graphics (PNG) Specification (Third Edition)", 9 "Filtering" and 12.7 "Filter
///         selection" (the heuristic).
/// Cost    docs/measurements.md; two rows of memory
class PngFilter {
 public:
  PngFilter(std::size_t row_bytes, std::size_t pixel_bytes);
  std::size_t row_bytes() const { return row_bytes_; }
  /// row   [row_bytes] big-endian samples
  /// out   [1 + row_bytes] the filter's number and the filtered row
  void apply(std::span<const std::uint8_t> row, std::span<std::uint8_t> out);

 private:
  static constexpr unsigned kRowsPerChoice = 4;  // neighbours are alike: the file grows by well under 1 %
  void choose_filter(const std::uint8_t* row);

  std::size_t row_bytes_, pixel_bytes_;
  std::size_t chosen_filter_ = 0;
  unsigned rows_done_ = 0;
  std::unique_ptr<std::uint8_t[]> previous_;  // zeros above the first row
  std::unique_ptr<std::uint8_t[]> candidate_;
};

}  // namespace weir::media

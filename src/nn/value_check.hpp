#pragma once

#include <array>

#include "compute/kernels/kernels.hpp"

namespace weir::nn {

/// Minimum and maximum of red, green and blue in a part of a picture, 0..1. The initial range is empty.
struct ColourRange {
  std::array<float, 3> low{1, 1, 1};
  std::array<float, 3> high{0, 0, 0};
  /// Extends the range so that it contains `other`.
  void add(const ColourRange& other);
  /// Returns the largest difference between maximum and minimum of one colour; below 0 if the range is empty.
  float largest_spread() const;
};

/// The reason why a part of a result cannot be correct.
enum class ValueFault { none, not_finite, single_colour };

/// Checks a part of a result with a summary of its values and the colour range of the input picture at the same place.
/// A result of a single colour is a fault if, in the picture, the maximum of red, green or blue exceeds its minimum by
/// at least 0.25.
ValueFault check_values(const compute::ValueSummary& summary, const ColourRange& input_range);

}  // namespace weir::nn

#pragma once

#include <array>

#include "compute/kernels/kernels.hpp"

namespace weir::nn {

/// Lowest and highest value of each colour in some part of a picture, 0..1.
struct ColourRange {
  std::array<float, 3> low{1, 1, 1};
  std::array<float, 3> high{0, 0, 0};
  void add(const ColourRange& other);
  /// The largest difference within one colour; below 0 if nothing was added.
  float largest_spread() const;
};

/// Why a part of a result cannot be right.
enum class ValueFault { none, not_finite, single_colour };

/// Judges a part of a result by what was seen of its values and by the range of the picture under it. One colour is
/// suspicious where the picture has many: in one colour at least a quarter of what there is.
ValueFault check_values(const compute::ValueSummary& summary, const ColourRange& input_range);

}  // namespace weir::nn

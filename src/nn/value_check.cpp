#include "nn/value_check.hpp"

#include <algorithm>

namespace weir::nn {

void ColourRange::add(const ColourRange& other) {
  for (std::size_t c = 0; c < low.size(); ++c) {
    low[c] = std::min(low[c], other.low[c]);
    high[c] = std::max(high[c], other.high[c]);
  }
}

float ColourRange::largest_spread() const { return std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]}); }

ValueFault check_values(const compute::ValueSummary& summary, const ColourRange& input_range) {
  constexpr float kMinSpread = 0.25F;  // the picture must have at least this spread for a single colour to be a fault
  if (summary.has_non_finite) return ValueFault::not_finite;
  return !summary.has_unequal && input_range.largest_spread() >= kMinSpread ? ValueFault::single_colour
                                                                            : ValueFault::none;
}

}  // namespace weir::nn

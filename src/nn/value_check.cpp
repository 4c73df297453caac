#include "nn/value_check.hpp"

#include <algorithm>

namespace weir::nn {

void ColourRange::add(const ColourRange& other) {
  for (std::size_t c = 0; c < low.size(); ++c) {
    low[c] = std::min(low[c], other.low[c]);
    high[c] = std::max(high[c], other.high[c]);
  }
}

float ColourRange::widest() const { return std::max({high[0] - low[0], high[1] - low[1], high[2] - low[2]}); }

Suspicion judge(const compute::Seen& seen, const ColourRange& under) {
  constexpr float kManyColours = 0.25F;
  if (seen.not_finite) return Suspicion::no_numbers;
  return !seen.unequal && under.widest() >= kManyColours ? Suspicion::one_colour : Suspicion::none;
}

}  // namespace weir::nn

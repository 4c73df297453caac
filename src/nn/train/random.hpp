#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/splitmix64.hpp"

namespace weir::nn::train {

/// Numbers that depend on (seed, item) alone, so that an item is the same on whichever device or thread it is made, and in
/// whichever order. Source: Box and Muller, "A note on the generation of random normal deviates", 1958.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t item)
      : bits_{SplitMix64::mix(SplitMix64::mix(seed) ^ (item + SplitMix64::kIncrement))} {}

  std::uint64_t next() { return bits_.next(); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In 0..count-1; `count` at least 1.
  int next_below(int count) { return static_cast<int>(uniform() * count); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  SplitMix64 bits_;
};

}  // namespace weir::nn::train

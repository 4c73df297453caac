#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/splitmix64.hpp"

namespace weir::nn::train {

/// A generator of random numbers that depend only on the seed and on `item`, the index of the thing that needs them
/// (for example of a parameter). An item therefore gets the same numbers on every device and thread and in any order.
/// Source of normal(): Box and Muller, "A note on the generation of random normal deviates", 1958.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t item)
      : bits_{SplitMix64::mix(SplitMix64::mix(seed) ^ (item + SplitMix64::kIncrement))} {}

  /// Returns 64 random bits.
  std::uint64_t next() { return bits_.next(); }
  /// Returns a uniformly distributed number in [0, 1), or in [low, high).
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Returns a uniformly distributed integer from 0 to count - 1; `count` is at least 1.
  int next_below(int count) { return static_cast<int>(uniform() * count); }
  /// Returns a normally distributed number with mean 0 and variance 1.
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  SplitMix64 bits_;
};

}  // namespace weir::nn::train

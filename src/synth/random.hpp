#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/splitmix64.hpp"

namespace weir::synth {

/// A random number generator whose values depend only on the seed. They are the same on every machine, except for the
/// last bits of normal() and power_law(), which depend on the C library. Not thread-safe; cheap to copy.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_{seed} {}

  /// Returns 64 random bits.
  std::uint64_t bits() { return bits_.next(); }
  /// Returns an independent generator for one part of the work, so that parts do not depend on each other's random
  /// numbers.
  Random split() { return Random{bits()}; }

  float uniform() { return bits_.next_unit(); }  ///< uniform in [0, 1)
  /// Returns a uniform number in [low, high).
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  /// Returns a uniform whole number from `low` to `high`, both included.
  int uniform_int(int low, int high) {
    return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  /// Returns true with this probability.
  bool chance(float probability) { return uniform() < probability; }
  /// Returns a uniform angle in [0, 2 pi).
  float random_angle() { return uniform(0, 2 * std::numbers::pi_v<float>); }
  /// Returns a normally distributed number with mean 0 and standard deviation 1.
  /// Source  Box, Muller, Annals of Mathematical Statistics 29 (1958)
  float normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(random_angle()); }
  /// Returns a number between `low` and `high` with density proportional to x^-exponent; `exponent` is above 1.
  float power_law(float low, float high, float exponent) {
    const float e = 1 - exponent;
    const float a = std::pow(low, e);
    return std::pow(a + (std::pow(high, e) - a) * uniform(), 1 / e);
  }

 private:
  SplitMix64 bits_;
};

}  // namespace weir::synth

#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

#include "base/splitmix64.hpp"

namespace weir::synth {

/// Numbers that depend on the seed alone, the same on every machine. Not thread-safe; cheap to copy.
class Random {
 public:
  explicit Random(std::uint64_t seed) : bits_{seed} {}

  std::uint64_t bits() { return bits_.next(); }
  /// A generator of its own for one part of the work, so that parts do not depend on each other's draws.
  Random split() { return Random{bits()}; }

  float uniform() { return bits_.next_unit(); }  ///< [0, 1)
  float uniform(float low, float high) { return low + (high - low) * uniform(); }
  int uniform_int(int low, int high) {
    return low + static_cast<int>(bits() % static_cast<std::uint64_t>(high - low + 1));
  }
  bool chance(float probability) { return uniform() < probability; }
  float random_angle() { return uniform(0, 2 * std::numbers::pi_v<float>); }
  /// Mean 0, deviation 1. Source  Box, Muller, Annals of Mathematical Statistics 29 (1958).
  float normal() { return std::sqrt(-2 * std::log(1 - uniform())) * std::cos(random_angle()); }
  /// Density proportional to x^-exponent between low and high; exponent above 1.
  float power_law(float low, float high, float exponent) {
    const float e = 1 - exponent;
    const float a = std::pow(low, e);
    return std::pow(a + (std::pow(high, e) - a) * uniform(), 1 / e);
  }

 private:
  SplitMix64 bits_;
};

}  // namespace weir::synth

#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>

namespace weir::nn::train {

/// Numbers that depend on (seed, item) alone, so that an item is the same on whichever device or thread it is made, and in
/// whichever order. Source: Steele, Lea and Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
/// (SplitMix64); Box and Muller, "A note on the generation of random normal deviates", 1958.
class Random {
 public:
  Random(std::uint64_t seed, std::uint64_t item) : state_{mixed(mixed(seed) ^ (item + 0x9e3779b97f4a7c15ULL))} {}

  std::uint64_t next() { return mixed(state_ += 0x9e3779b97f4a7c15ULL); }
  /// In [0, 1).
  double uniform() { return static_cast<double>(next() >> 11U) * 0x1p-53; }
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// In 0..count-1; `count` at least 1.
  int below(int count) { return static_cast<int>(uniform() * count); }
  double normal() {
    const double radius = std::sqrt(-2 * std::log(1 - uniform()));
    return radius * std::cos(2 * std::numbers::pi * uniform());
  }

 private:
  static std::uint64_t mixed(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31U);
  }
  std::uint64_t state_;
};

}  // namespace weir::nn::train

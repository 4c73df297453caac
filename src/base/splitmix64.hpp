#pragma once

#include <cstdint>

namespace weir {

/// The random number generator SplitMix64: 64 random bits per call, the same on every machine. Not thread-safe; cheap
/// to copy.
/// Source  Steele, Lea, Flood, "Fast splittable pseudorandom number generators", OOPSLA 2014
class SplitMix64 {
 public:
  static constexpr std::uint64_t kIncrement = 0x9e3779b97f4a7c15U;

  explicit constexpr SplitMix64(std::uint64_t seed) : state_{seed} {}

  /// Returns the next 64 random bits.
  constexpr std::uint64_t next() { return mix(state_ += kIncrement); }
  /// Returns a uniform random number in [0, 1).
  constexpr float next_unit() { return static_cast<float>(next() >> 40U) * 0x1p-24F; }

  /// Spreads every bit over all 64 bits; the function is a bijection.
  static constexpr std::uint64_t mix(std::uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27U)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31U);
  }

 private:
  std::uint64_t state_;
};

}  // namespace weir

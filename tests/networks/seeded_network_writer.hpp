#pragma once

// What makers of drawn networks share: a network that is written, numbers from a seed, and the blob that layers are added to.

#include "networks/generate_network.hpp"

namespace weir::test::detail {

/// Adds layers to one blob, of which it knows the channels and how much larger than the picture it is.
class SeededNetworkWriter {
 protected:
  explicit SeededNetworkWriter(std::uint64_t seed)
      : w_{{.weights = seed % 2 == 0 ? StoredWeights::float16 : StoredWeights::float32, .seed = seed}}, draw_{seed} {}

  /// A whole number from `low` to `high`, both included.
  int draw_integer(int low, int high) {
    return low + static_cast<int>(draw_.next() % static_cast<std::uint64_t>(high - low + 1));
  }
  template <std::size_t N>
  int draw_one_of(const std::array<int, N>& values) {
    return values[draw_.next() % N];
  }

  NetworkWriter w_;
  SeededNumbers draw_;
  std::string blob_;
  int channels_ = 3;
  int scale_ = 1;
};

}  // namespace weir::test::detail

#pragma once

// The base class of the writers of random networks.

#include "networks/generate_network.hpp"

namespace weir::test::detail {

/// Holds the network that is being written, random numbers from a seed, and the current blob: the output of the last
/// layer.
class SeededNetworkWriter {
 protected:
  explicit SeededNetworkWriter(std::uint64_t seed)
      : w_{{.weights = seed % 2 == 0 ? StoredWeights::float16 : StoredWeights::float32, .seed = seed}}, draw_{seed} {}

  /// Returns a random integer from `low` to `high`, both included.
  int draw_integer(int low, int high) {
    return low + static_cast<int>(draw_.next() % static_cast<std::uint64_t>(high - low + 1));
  }
  /// Returns a random element of `values`.
  template <std::size_t N>
  int draw_one_of(const std::array<int, N>& values) {
    return values[draw_.next() % N];
  }

  NetworkWriter w_;
  SeededNumbers draw_;
  std::string blob_;  // name of the current blob
  int channels_ = 3;  // its number of channels
  int scale_ = 1;     // its size relative to the picture
};

}  // namespace weir::test::detail

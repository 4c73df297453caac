#pragma once

#include <gtest/gtest.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include "nn/network.hpp"

namespace weir::film {

/// Returns a network of one convolution that passes its input on.
inline std::shared_ptr<const nn::Network> identity_network() {
  const std::string param = "7767517\n2 2\nInput in0 0 1 in0\nConvolution copy 1 1 in0 out0 0=3 1=1 5=0 6=9\n";
  std::vector<std::byte> bin(sizeof(std::uint32_t) + (9 * sizeof(float)));  // a tag of zeros: weights of float32
  const float weights[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
  std::memcpy(bin.data() + sizeof(std::uint32_t), weights, sizeof weights);
  auto network = nn::parse_network(param, bin, "identity");
  EXPECT_TRUE(network) << (network ? "" : network.error().what);
  return network ? std::make_shared<const nn::Network>(*std::move(network)) : nullptr;
}

}  // namespace weir::film

#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/cpu/packed.hpp"
#include "nn/program.hpp"

namespace weir::nn::vulkan {

/// A number of bytes at a place of a buffer.
struct Piece {
  std::uint64_t offset = 0, size = 0;
};

/// Where the weights of a program lie, in the order in which the kernels read them, and their bytes.
struct DeviceWeights {
  struct Of {
    Piece weights;     ///< of an op
    Piece parameters;  ///< bias, then slope; of a shuffle: its order
  };
  std::vector<Of> ops;      ///< by op
  std::vector<Of> vectors;  ///< by vector op
  std::uint64_t size = 0;
  std::vector<std::byte> bytes;
  /// Of a piece: what one layer's kernel reads as one.
  std::uint64_t largest() const;
};

/// Packs the weights; with `half` those of convolutions are float16.
DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation);
/// The same without the bytes.
DeviceWeights layout_weights(const Graph& graph, const Program& program, bool half);

/// Where the tables of one picture lie: taps of resizes, values of vectors, sums of means.
struct ParameterLayout {
  std::vector<Piece> taps;     ///< by op; size 0: no resize
  std::vector<Piece> vectors;  ///< by blob; size 0: no vector
  Piece sums;                  ///< of one statistic at a time
  std::uint64_t size = 0;
};
/// With `bytes`, fills them: the taps, and nothing in vectors and sums.
ParameterLayout layout_parameters(const Program& program, const Graph& graph, const std::vector<Extent>& extent,
                                  std::vector<std::byte>* bytes = nullptr);

}  // namespace weir::nn::vulkan

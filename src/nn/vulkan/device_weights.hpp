#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/cpu/packed_weights.hpp"
#include "nn/program.hpp"

namespace weir::nn::vulkan {

/// A number of bytes at a place of a buffer.
struct BufferRange {
  std::uint64_t offset = 0, size = 0;
};

/// Where the weights of a program lie, in the order in which the kernels read them, and their bytes.
struct DeviceWeights {
  struct OpWeights {
    BufferRange weights;     ///< of an op
    BufferRange parameters;  ///< bias, then slope; of a shuffle: its order
  };
  std::vector<OpWeights> ops;         ///< by op
  std::vector<OpWeights> vector_ops;  ///< by vector op
  std::uint64_t size = 0;
  std::vector<std::byte> bytes;
  /// Of a piece: what one layer's kernel reads as one.
  std::uint64_t largest_range() const;
};

/// Packs the weights; with `half` those of convolutions are float16.
DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation);
/// The same without the bytes.
DeviceWeights layout_weights(const Graph& graph, const Program& program, bool half);

/// Where the tables of one picture lie: taps of resizes, values of vectors, sums of means.
struct ParameterLayout {
  std::vector<BufferRange> taps;     ///< by op; size 0: no resize
  std::vector<BufferRange> vectors;  ///< by blob; size 0: no vector
  BufferRange sums;                  ///< of one statistic at a time
  std::uint64_t size = 0;
};
/// With `bytes`, fills them: the taps, and nothing in vectors and sums.
ParameterLayout layout_parameters(const Program& program, const Graph& graph, const std::vector<Extent>& extent,
                                  std::vector<std::byte>* bytes = nullptr);

}  // namespace weir::nn::vulkan

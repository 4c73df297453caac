#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
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
  std::vector<std::byte> bytes;
};

/// Packs the weights; with `half` those of convolutions are float16.
DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation);
/// The bytes of pack_for_device, without packing.
Bytes weight_bytes(const Program& program, const Graph& graph, bool half);
/// The largest piece of it: what one layer's kernel reads as one.
Bytes largest_weights(const Program& program, const Graph& graph, bool half);

/// Where the tables of one picture lie: taps of resizes, values of vectors, sums of means.
struct ParameterLayout {
  std::vector<Piece> taps;     ///< by op; size 0: no resize
  std::vector<Piece> vectors;  ///< by blob; size 0: no vector
  Piece sums;                  ///< of one statistic at a time
  std::uint64_t size = 0;
};
ParameterLayout layout_parameters(const Program& program, const Graph& graph, const std::vector<Extent>& extent);
Bytes parameter_bytes(const Program& program, const Graph& graph, const std::vector<Extent>& extent);
/// The words of a resize's table, as kernels/interp reads them: each column of the output, then each row.
std::vector<float> taps_table(const Interp& interp, Extent in, Extent out);

}  // namespace weir::nn::vulkan

#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/program.hpp"

namespace weir::nn {

/// One of the eight ways to lay a picture: transposed first, then mirrored. A network whose kernels are laid this way
/// makes, of the picture as it is, what the network itself would make of the picture laid the other way and back.
struct Orientation {
  bool transpose = false, mirror_rows = false, mirror_columns = false;
};

/// Every n x n kernel of [pairs][n][n], laid as `orientation` and multiplied by `scale`.
std::vector<float> orient_kernels(const std::vector<float>& weight, int n, Orientation orientation, float scale = 1);
/// For each (y, x) of an n x n kernel that is laid as `orientation`, the number of the place that it comes from.
std::vector<std::uint8_t> orient_shuffle_order(int n, Orientation orientation);

/// What the weights of one op take once they are packed; all is 0 if it has none.
struct PackedLayout {
  compute::MatrixLayout matrix;
  std::size_t direct_floats = 0;  ///< floats
  int epilogue_lanes = 0;         ///< of the epilogue
  int phases = 1;                 ///< of a transposed convolution: see compute::PatchJob
  std::size_t order_bytes = 0;
  Bytes bytes() const;
};
PackedLayout packed_layout(const Graph& graph, const Op& op, const compute::Kernels& kernels,
                           compute::Arithmetic arithmetic);

/// The weights of one op in the order in which the kernels read them.
struct PackedOp {
  compute::PackedMatrix matrix;
  compute::EpilogueWeights epilogue;
  compute::AlignedArray<float> direct;
  std::vector<std::uint8_t> shuffle_order;  ///< shuffle: which channel of a group goes to (dy, dx)
};

struct PackedWeights {
  std::vector<PackedOp> ops;  ///< by op
  Orientation orientation;
  compute::Arithmetic arithmetic = compute::Arithmetic::int16;
};

/// Packs every op's weights. Takes one thread some milliseconds per million parameters.
PackedWeights pack_weights(const Graph& graph, const Program& program, const compute::Kernels& kernels,
                           compute::Arithmetic arithmetic, Orientation orientation = {});
/// What pack() will take.
Bytes packed_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels,
                   compute::Arithmetic arithmetic);

}  // namespace weir::nn

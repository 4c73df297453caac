#pragma once

#include <cstdint>
#include <vector>

#include "base/bytes.hpp"
#include "compute/kernels/kernels.hpp"
#include "nn/program.hpp"

namespace weir::nn {

/// One of the eight orientations of a picture: transposed first, then mirrored. A run of a network whose kernels have
/// this orientation, on the unchanged picture, gives the same result as these three steps: give the picture the inverse
/// orientation, run the unchanged network, give the result this orientation.
struct Orientation {
  bool transpose = false;       ///< exchange rows and columns
  bool mirror_rows = false;     ///< reverse the order of the rows: the first row becomes the last one
  bool mirror_columns = false;  ///< reverse the order of the columns: the first column becomes the last one
};

/// Returns the kernels in `weight`, which is [number of kernels][n][n], each oriented as `orientation` and multiplied
/// by `scale`.
std::vector<float> orient_kernels(const std::vector<float>& weight, int n, Orientation orientation, float scale = 1);
/// Returns, for each position of an oriented n x n block, row by row, the position in the original block from which its
/// value comes, as the index y * n + x.
std::vector<std::uint8_t> orient_shuffle_order(int n, Orientation orientation);

/// The sizes of the packed weights of one op. Packed weights are reordered and padded as the compute kernels read them.
/// A pixel shuffle has only `order_bytes`; for other ops without weights, all sizes are 0.
struct PackedLayout {
  compute::MatrixLayout matrix;
  std::size_t direct_floats = 0;  ///< number of weights of OpKind::direct, padding included
  int epilogue_lanes = 0;         ///< values in each of the two epilogue arrays, bias and slope
  int phases = 1;  ///< transposed convolution with stride s: s * s, the number of convolutions that it consists of (one
                   ///< for each position in a block of s x s output pixels); other ops: 1
  std::size_t order_bytes = 0;  ///< size of PackedOp::shuffle_order
  /// Returns the bytes of all arrays together.
  Bytes bytes() const;
};
/// Returns the sizes of the packed weights of `op`.
PackedLayout packed_layout(const Graph& graph, const Op& op, const compute::Kernels& kernels,
                           compute::Arithmetic arithmetic);

/// The weights of one op, in the order in which the compute kernels read them.
struct PackedOp {
  compute::PackedMatrix matrix;         ///< of OpKind::conv3x3 and OpKind::patch
  compute::EpilogueWeights epilogue;    ///< bias and slope
  compute::AlignedArray<float> direct;  ///< of OpKind::direct
  /// Only for a pixel shuffle, which makes each block of factor x factor output pixels from one input pixel. For each
  /// position (dy, dx) in the block, row by row: the input channel that is written there, as an index among the
  /// factor * factor channels of one output channel.
  std::vector<std::uint8_t> shuffle_order;
};

/// The packed weights of a program.
struct PackedWeights {
  std::vector<PackedOp> ops;  ///< by op
  Orientation orientation;
  compute::Arithmetic arithmetic = compute::Arithmetic::int16;
};

/// Packs the weights of all ops, on the calling thread. Takes some milliseconds per million parameters.
PackedWeights pack_weights(const Graph& graph, const Program& program, const compute::Kernels& kernels,
                           compute::Arithmetic arithmetic, Orientation orientation = {});
/// Returns the bytes that the result of pack_weights() will need.
Bytes packed_bytes(const Program& program, const Graph& graph, const compute::Kernels& kernels,
                   compute::Arithmetic arithmetic);

}  // namespace weir::nn

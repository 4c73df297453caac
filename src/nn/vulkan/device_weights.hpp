#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "nn/cpu/packed_weights.hpp"
#include "nn/program.hpp"

namespace weir::nn::vulkan {

// The layout of weights and tables in buffers of the device. "Packed" weights are in the order in which the kernels
// read them. An op (nn::Op) computes rows; a vector op (nn::VectorOp) computes a vector with one value per channel, for
// gates (factors of the channels of a tensor).

/// A range of bytes in a buffer.
struct BufferRange {
  std::uint64_t offset = 0, size = 0;
};

/// The packed weights of a program: the bytes of a buffer that has the weights of all ops, and where in the buffer each
/// op has its own.
struct DeviceWeights {
  struct OpWeights {
    BufferRange weights;     ///< weights; size 0: the op has none
    BufferRange parameters;  ///< bias, then slopes of the activation; for a pixel shuffle the order of its channels
  };
  std::vector<OpWeights> ops;         ///< one for each op
  std::vector<OpWeights> vector_ops;  ///< one for each vector op
  std::uint64_t size = 0;             ///< size of the buffer in bytes
  std::vector<std::byte> bytes;       ///< content of the buffer; empty: only the places are known
  /// Returns the size of the largest range, in bytes. Kernels must be able to read a range of this size.
  std::uint64_t largest_range() const;
};

/// Packs the weights of a program, transposed and mirrored as `orientation` requires. If `half` is true, the weights of
/// convolutions are float16; all other numbers are float32.
DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation);
/// Returns the places of the weights only, without the bytes.
DeviceWeights layout_weights(const Graph& graph, const Program& program, bool half);

/// The places of the picture tables in a buffer: the data, other than tensors, that depend on the size of the picture
/// or on its values. A tap is an input pixel that a resize reads for an output pixel.
struct PictureTableLayout {
  std::vector<BufferRange> taps;  ///< by op: positions and weights of its taps; size 0: the op is no resize
  /// By blob (tensor of the graph): the values of a vector, which has one value per channel: a mean, or a gate that is
  /// computed from means. Size 0: the blob is no vector.
  std::vector<BufferRange> vectors;
  BufferRange sums;        ///< sums of the mean that is being computed
  std::uint64_t size = 0;  ///< size of the buffer in bytes
};
/// Returns the places of the tables. `extents` has the extent of each tensor of the program. If `bytes` is not null, it
/// receives the initial content of the buffer: the taps; vectors and sums are zero.
PictureTableLayout layout_picture_tables(const Program& program, const Graph& graph, const std::vector<Extent>& extents,
                                         std::vector<std::byte>* bytes = nullptr);

}  // namespace weir::nn::vulkan

#pragma once

#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/stream.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// The parts of buffers that have a program's data on a device. The user of the Recorder owns the buffers.
struct DeviceMemory {
  compute::vulkan::Slice weights;         ///< layout: DeviceWeights
  compute::vulkan::Slice picture_tables;  ///< taps of resizes, vectors and sums; layout: PictureTableLayout
  compute::vulkan::Slice arena;           ///< the tensors of a tile; layout: Tile::offsets
};

/// Records the commands that compute tiles into a stream. Each function records commands and returns before they are
/// executed; errors are those of the stream. All objects that the constructor gets by reference, except `memory`, must
/// outlive the Recorder. `extents` has the extent of each tensor. `half`: features are float16. `use_matrices`: 3x3
/// convolutions of float16 run on cooperative matrices (matrix units of the GPU) where possible. Not thread-safe.
class Recorder {
 public:
  Recorder(const Graph& graph, const Program& program, const std::vector<Extent>& extents, const DeviceWeights& weights,
           const PictureTableLayout& table_layout, const DeviceMemory& memory, compute::vulkan::Stream& stream,
           bool half, bool use_matrices = false)
      : graph_{graph},
        program_{program},
        extents_{extents},
        weights_{weights},
        table_layout_{table_layout},
        memory_{memory},
        stream_{stream},
        half_{half},
        use_matrices_{use_matrices} {}

  /// Records the ops that the tile needs, in their order. `input` has the input, [3][h][w] of the input's region:
  /// float32 or, if `samples` is true, bytes. If `means` is true, the tile must be the whole picture; each mean is then
  /// computed directly after the tensor that it averages.
  Status record_tile(const Tile& tile, compute::vulkan::Slice input, bool samples, bool means);
  /// Adds a rectangle of the averaged tensor, which the tile has computed, to the sums of the mean.
  Status add_to_mean(const Tile& tile, const ChannelMeans& mean, Rect rect);
  /// Sets the sums to zero.
  Status begin_mean();
  /// Computes the mean (a vector with one value per channel) from the sums, and every vector that depends on it.
  Status finish_mean(const ChannelMeans& mean);
  /// Copies `rect` of a planar tensor to `to`, as planes [channels][h][w]. The host can read `to` only after
  /// Stream::make_host_readable().
  Status write_planes(const Tile& tile, int tensor, Rect rect, compute::vulkan::Slice to);
  /// Converts `rect` of the result to 8-bit samples in the layout SamplesLayout. The tile must have computed the
  /// outputs that tile_outputs() returns.
  Status write_samples(const Tile& tile, Rect rect, compute::vulkan::Slice to, const TransferFormat& transfer);

 private:
  using Slice = compute::vulkan::Slice;
  using Dispatch = compute::vulkan::Dispatch;
  // The functions record_X record one op each. `op_index` is its index in Program::ops; for record_vector_op(), its
  // index in Program::vector_ops.
  /// Calls the function for the kind of the op.
  Status record_op(const Tile& tile, const Op& op, int op_index);
  Status record_convolution(const Tile& tile, const Op& op, int op_index);
  /// Returns true if the kernel for cooperative matrices can compute this op.
  bool can_use_matrices(const Op& op) const;
  Status record_deconvolution(const Tile& tile, const Op& op, int op_index);
  Status record_shuffle(const Tile& tile, const Op& op, int op_index);
  Status record_resize(const Tile& tile, const Op& op, int op_index);
  Status record_combine(const Tile& tile, const Op& op);
  /// Records the kernel calls that nn::OpTraits::device_calls of the op's kind returns.
  Status record_calls(const Tile& tile, const Op& op);
  Status record_input(const Tile& tile, int tensor, Slice input, bool samples);
  /// Records a vector op: an inner product, or an activation. Such ops compute gates (factors per channel) from means.
  Status record_vector_op(std::size_t op_index);
  /// Where a kernel reads the residual (a tensor that is added to the result). Both are 0 without a residual.
  struct ResidualPosition {
    /// Position (x, y), in the residual's region, of the pixel that is added to output pixel (0, 0); packed with
    /// pack_pair().
    std::uint32_t packed_position = 0;
    std::uint32_t width = 0;  ///< width of the residual's region
  };
  /// Binds to `dispatch` what a convolution reads besides its input tensors: weights, bias and slopes, the gate (one
  /// factor per channel) of the first input, the residual, and the gate of the residual. Returns where the kernel reads
  /// the residual, for its push constants.
  ResidualPosition bind_weights_and_residual(const Tile& tile, const Op& op, int op_index, Dispatch& dispatch) const;

  // The functions X_slice return the part of a buffer that has a tensor, weights or a table.
  Slice tensor_slice(const Tile& tile, int tensor) const;
  Slice weight_slice(BufferRange range) const;
  Slice table_slice(BufferRange range) const;
  const ProgramTensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const Rect& region(const Tile& tile, int t) const { return tile.regions[static_cast<std::size_t>(t)]; }
  /// Returns the name of the shader that does the work `name` for tensor `from`, which it reads, and tensor `to`, which
  /// it writes; -1 stands for a float32 buffer that is no tensor. The name is `name`, an underscore, and one letter
  /// each for `from` and `to`: h is float16, f is float32. A tensor is float16 if `half` is set and it is not planar.
  /// For example, "conv" from features to a picture is "conv_hf". The text is static; empty: there is no such shader.
  std::string_view kernel_name(std::string_view name, int from, int to) const;

  const Graph& graph_;
  const Program& program_;
  const std::vector<Extent>& extents_;
  const DeviceWeights& weights_;
  const PictureTableLayout& table_layout_;
  DeviceMemory memory_;
  compute::vulkan::Stream& stream_;
  bool half_;
  bool use_matrices_;
};

}  // namespace weir::nn::vulkan

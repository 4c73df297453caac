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
  compute::vulkan::Slice weights;     ///< layout: DeviceWeights
  compute::vulkan::Slice parameters;  ///< layout: ParameterLayout
  compute::vulkan::Slice arena;       ///< the tensors of a tile; layout: Tile::offsets
};

/// Records the commands that compute tiles into a stream. Each function records commands and returns before they are
/// executed; errors are those of the stream. All objects that the constructor gets by reference, except `memory`, must
/// outlive the Recorder. `extents` has the extent of each tensor. `half`: features are float16. `use_matrices`: 3x3
/// convolutions of float16 run on cooperative matrices (matrix units of the GPU) where possible. Not thread-safe.
class Recorder {
 public:
  Recorder(const Graph& graph, const Program& program, const std::vector<Extent>& extents, const DeviceWeights& weights,
           const ParameterLayout& parameters, const DeviceMemory& memory, compute::vulkan::Stream& stream, bool half,
           bool use_matrices = false)
      : graph_{graph},
        program_{program},
        extents_{extents},
        weights_{weights},
        parameters_{parameters},
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
  /// Where a kernel reads the residual (a tensor that is added to the result).
  struct ResidualOrigin {
    std::uint32_t offset = 0;  ///< pack_pair(x, y) of the pixel that belongs to the first output pixel
    std::uint32_t width = 0;   ///< width of the residual's region
  };
  /// Binds what a convolution reads besides its inputs: weights, bias and slopes, gates (factors per channel) and the
  /// residual.
  ResidualOrigin add_epilogue(const Tile& tile, const Op& op, int op_index, Dispatch& dispatch) const;

  // The functions X_slice return the part of a buffer that has a tensor, weights or a table.
  Slice tensor_slice(const Tile& tile, int tensor) const;
  Slice weight_slice(BufferRange range) const;
  Slice parameter_slice(BufferRange range) const;
  const ProgramTensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const Rect& region(const Tile& tile, int t) const { return tile.regions[static_cast<std::size_t>(t)]; }
  /// Returns the name of the variant of a shader that reads tensor `from` and writes tensor `to`; -1 is a buffer of
  /// float32. With float16, for example, "conv" from features to a picture is "conv_hf". The text is static;
  /// empty if there is no such shader.
  std::string_view kernel_name(std::string_view name, int from, int to) const;

  const Graph& graph_;
  const Program& program_;
  const std::vector<Extent>& extents_;
  const DeviceWeights& weights_;
  const ParameterLayout& parameters_;
  DeviceMemory memory_;
  compute::vulkan::Stream& stream_;
  bool half_;
  bool use_matrices_;
};

}  // namespace weir::nn::vulkan

#pragma once

#include <vector>

#include "base/result.hpp"
#include "compute/vulkan/stream.hpp"
#include "nn/program.hpp"
#include "nn/vulkan/device_plan.hpp"
#include "nn/vulkan/device_weights.hpp"
#include "nn/vulkan/tile.hpp"

namespace weir::nn::vulkan {

/// Where a program's data lie on a device; views of buffers that its user owns.
struct DeviceMemory {
  compute::vulkan::Slice weights, parameters, arena;
};

/// Records the commands of tiles. Everything given must outlive it. Not thread-safe.
class Recorder {
 public:
  Recorder(const Graph& graph, const Program& program, const std::vector<Extent>& extent, const DeviceWeights& weights,
           const ParameterLayout& parameters, const DeviceMemory& memory, compute::vulkan::Stream& stream, bool half,
           bool matrices = false)
      : graph_{graph},
        program_{program},
        extent_{extent},
        weights_{weights},
        parameters_{parameters},
        memory_{memory},
        stream_{stream},
        half_{half},
        matrices_{matrices} {}

  /// Every op of the tile in its order; the input is read from `planes` ([3][h][w] of the input's region), float32 or, with
  /// `samples`, bytes.
  /// With `means`, the tile is the whole picture, and every mean is found as soon as its tensor is made.
  Status record(const Tile& tile, compute::vulkan::Slice planes, bool samples, bool means);
  /// Adds a rectangle of a statistic's tensor, which the tile made, to its sums.
  Status add_to_mean(const Tile& tile, const Statistic& statistic, Rect rect);
  Status begin_mean();
  /// The mean, and every vector that follows from it.
  Status finish_mean(const Statistic& statistic);
  /// The goal's tensor as planes, [3][h][w] of `rect`. The host does not see it yet.
  Status read_planes(const Tile& tile, int tensor, Rect rect, compute::vulkan::Slice to);
  /// `rect` of the result as 8-bit samples, laid as SamplesLayout says. The tile has what goals_of asks for it.
  Status read_samples(const Tile& tile, Rect rect, compute::vulkan::Slice to, const Transfer& transfer);

 private:
  using Slice = compute::vulkan::Slice;
  using Dispatch = compute::vulkan::Dispatch;
  Status op(const Tile& tile, const Op& op, int number);
  Status convolution(const Tile& tile, const Op& op, int number);
  /// Whether the kernel for cooperative matrices can make this.
  bool fits_matrices(const Op& op) const;
  Status deconvolution(const Tile& tile, const Op& op, int number);
  Status shuffle(const Tile& tile, const Op& op, int number);
  Status resize(const Tile& tile, const Op& op, int number);
  Status combine(const Tile& tile, const Op& op);
  /// As the kind's own traits say.
  Status calls(const Tile& tile, const Op& op);
  Status input(const Tile& tile, int tensor, Slice planes, bool samples);
  Status vector_op(std::size_t number);
  /// Binds what an epilogue reads; returns the residual's pixel under the target's first, and its width.
  struct Under {
    std::uint32_t offset = 0, width = 0;
  };
  Under add_epilogue(const Tile& tile, const Op& op, int number, Dispatch& dispatch) const;

  Slice tensor_slice(const Tile& tile, int tensor) const;
  Slice weight_slice(Piece piece) const;
  Slice parameter_slice(Piece piece) const;
  const Tensor& tensor(int t) const { return program_.tensors[static_cast<std::size_t>(t)]; }
  const Rect& region(const Tile& tile, int t) const { return tile.region[static_cast<std::size_t>(t)]; }
  std::string_view kernel(std::string_view name, int from, int to) const;

  const Graph& graph_;
  const Program& program_;
  const std::vector<Extent>& extent_;
  const DeviceWeights& weights_;
  const ParameterLayout& parameters_;
  DeviceMemory memory_;
  compute::vulkan::Stream& stream_;
  bool half_;
  bool matrices_;  // 3x3 convolutions of float16 run on cooperative matrices
};

}  // namespace weir::nn::vulkan

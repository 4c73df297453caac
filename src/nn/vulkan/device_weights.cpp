#include "nn/vulkan/device_weights.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

#include "base/round_up.hpp"
#include "compute/half.hpp"
#include "compute/vulkan/buffer_pool.hpp"
#include "nn/taps.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

/// The weights [out][in][size][size] of a convolution or a transposed convolution.
struct ConvolutionWeights {
  int in = 0, out = 0, size = 0;
  const std::vector<float>* weight = nullptr;
  int in_padded() const { return round_up(in, 4); }
  int out_padded() const { return round_up(out, 4); }
  /// Returns the number of weights, padding included.
  std::size_t count() const { return to_index(in_padded()) * to_index(out_padded()) * to_index(size) * to_index(size); }
};

bool is_convolution(const Op& op) {
  return op.kind == OpKind::conv3x3 || op.kind == OpKind::direct || op.kind == OpKind::patch;
}

ConvolutionWeights convolution_weights(const Graph& graph, const Op& op) {
  const Operation& operation = graph.layers[to_index(op.layer)].operation;
  if (const auto* conv = std::get_if<Convolution>(&operation))
    return {conv->in_channels, conv->out_channels, conv->kernel, &conv->weight};
  const auto& transposed = std::get<Deconvolution>(operation);
  return {transposed.in_channels, transposed.out_channels, transposed.kernel, &transposed.weight};
}

/// Returns the weights in the order [out / 4][ky][kx][in][4 outputs]; `in` and `out` are padded with zeros to multiples
/// of 4. `shape` has the sizes; `weight` has its weights, oriented.
std::vector<float> order_weights(const ConvolutionWeights& shape, const std::vector<float>& weight) {
  std::vector<float> packed(shape.count(), 0.0F);
  const std::size_t area = to_index(shape.size) * to_index(shape.size);
  for (std::size_t o = 0; o < to_index(shape.out); ++o) {
    for (std::size_t i = 0; i < to_index(shape.in); ++i) {
      for (std::size_t tap = 0; tap < area; ++tap) {
        packed[((o / 4 * area + tap) * to_index(shape.in_padded()) + i) * 4 + o % 4] =
            weight[(o * to_index(shape.in) + i) * area + tap];
      }
    }
  }
  return packed;
}

/// Places ranges one after the other in a buffer, and fills them with values if it has the bytes of the buffer.
class RangeWriter {
 public:
  /// If `bytes` is null, ranges are only placed.
  explicit RangeWriter(std::vector<std::byte>* bytes) : bytes_{bytes} {}
  /// Adds a range of `size` bytes, all zero.
  BufferRange add_zeros(std::size_t size) {
    const BufferRange range{end_, size};
    end_ = round_up(end_ + size, compute::vulkan::kSliceAlignment);
    if (bytes_ != nullptr) bytes_->resize(end_);
    return range;
  }
  /// Adds a range for `count` float values, rounded up to a multiple of four. make() returns the values; it is only
  /// called if the ranges are filled. If it returns fewer values, zeros follow.
  template <class Make>
  BufferRange add(std::size_t count, Make&& make) {
    const BufferRange range = add_zeros(round_up(count, 4) * sizeof(float));
    if (bytes_ != nullptr) put<float>(range, make());
    return range;
  }
  /// Adds a range for `count` values as float16.
  template <class Make>
  BufferRange add_halves(std::size_t count, Make&& make) {
    const BufferRange range = add_zeros(count * sizeof(std::uint16_t));
    if (bytes_ == nullptr) return range;
    std::vector<std::uint16_t> halves;
    halves.reserve(count);
    for (const float value : make()) halves.push_back(compute::float_to_half(value));
    put(range, halves);
    return range;
  }
  std::uint64_t end() const { return end_; }

 private:
  template <class T>
  void put(BufferRange range, const std::vector<T>& values) {
    const std::size_t size = values.size() * sizeof(T);
    assert(size <= range.size);
    std::memcpy(bytes_->data() + range.offset, values.data(), size);
  }
  std::vector<std::byte>* bytes_;
  std::uint64_t end_ = 0;
};

/// Returns the biases, then the slopes of an op, each followed by zeros up to `padded` values.
std::vector<float> bias_and_slope(const Op& op, int padded) {
  std::vector<float> values(to_index(padded) * 2, 0.0F);
  std::copy(op.epilogue.bias.begin(), op.epilogue.bias.end(), values.begin());
  std::copy(op.epilogue.slope.begin(), op.epilogue.slope.end(), values.begin() + padded);
  return values;
}

/// Returns the order of a pixel shuffle's channels, as pixel_shuffle.comp reads it.
std::vector<float> shuffle_order(const Op& op, Orientation orientation) {
  const std::vector<std::uint8_t> order = orient_shuffle_order(op.factor, orientation);
  return {order.begin(), order.end()};
}

/// Returns the places of the weights. If `orientation` has a value, the result also has the packed bytes for it.
DeviceWeights place_weights(const Graph& graph, const Program& program, bool half,
                            const std::optional<Orientation>& orientation) {
  DeviceWeights result;
  RangeWriter ranges{orientation ? &result.bytes : nullptr};
  for (const Op& op : program.ops) {
    DeviceWeights::OpWeights& op_weights = result.ops.emplace_back();
    if (is_convolution(op)) {
      const ConvolutionWeights kernels = convolution_weights(graph, op);
      const auto make_values = [&] {
        return order_weights(kernels, orient_kernels(*kernels.weight, kernels.size, *orientation));
      };
      op_weights.weights =
          half ? ranges.add_halves(kernels.count(), make_values) : ranges.add(kernels.count(), make_values);
      op_weights.parameters =
          ranges.add(to_index(kernels.out_padded()) * 2, [&] { return bias_and_slope(op, kernels.out_padded()); });
    } else if (op.kind == OpKind::shuffle) {
      op_weights.parameters =
          ranges.add(to_index(op.factor) * to_index(op.factor), [&] { return shuffle_order(op, *orientation); });
    }
  }
  for (const VectorOp& op : program.vector_ops) {
    DeviceWeights::OpWeights& op_weights = result.vector_ops.emplace_back();
    if (const auto* product = std::get_if<InnerProduct>(&graph.layers[to_index(op.layer)].operation)) {
      op_weights.weights = ranges.add(product->weight.size(), [&] { return product->weight; });
      op_weights.parameters = ranges.add(to_index(product->out_channels), [&] { return product->bias; });
    }
  }
  result.size = ranges.end();
  return result;
}

/// Returns the table of a resize as kernels/interp/interp.comp reads it: for each column of the output, then for each
/// row, the position of the first tap and the weights of the taps.
std::vector<float> taps_table(const Interp& interp, Extent in, Extent out) {
  std::vector<float> values;
  for (const Taps& taps : {make_taps(interp, in.width, out.width), make_taps(interp, in.height, out.height)}) {
    for (std::size_t i = 0; i < taps.index.size(); ++i) {
      values.push_back(static_cast<float>(taps.index[i]));
      for (std::size_t k = 0; k < to_index(taps.count); ++k)
        values.push_back(taps.weight[i * to_index(taps.count) + k]);
    }
  }
  return values;
}

}  // namespace

std::uint64_t DeviceWeights::largest_range() const {
  std::uint64_t largest = 0;
  for (const auto* list : {&ops, &vector_ops}) {
    for (const OpWeights& op_weights : *list)
      largest = std::max({largest, op_weights.weights.size, op_weights.parameters.size});
  }
  return largest;
}

DeviceWeights layout_weights(const Graph& graph, const Program& program, bool half) {
  return place_weights(graph, program, half, {});
}

DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation) {
  return place_weights(graph, program, half, orientation);
}

PictureTableLayout layout_picture_tables(const Program& program, const Graph& graph, const std::vector<Extent>& extents,
                                         std::vector<std::byte>* bytes) {
  PictureTableLayout layout;
  RangeWriter ranges{bytes};
  for (const Op& op : program.ops) {
    layout.taps.emplace_back();
    if (op.kind != OpKind::resize) continue;
    const Extent out = extents[to_index(op.output)];
    const auto& interp = std::get<Interp>(op.layer_operation);
    layout.taps.back() = ranges.add(to_index(out.width + out.height) * to_index(1 + tap_count(interp.kind)),
                                    [&] { return taps_table(interp, extents[to_index(op.inputs[0].tensor)], out); });
  }
  int max_channels = 0;
  for (const ChannelMeans& mean : program.means) max_channels = std::max(max_channels, round_up(mean.channels, 4));
  for (const BlobShape& blob : graph.blobs) {
    layout.vectors.emplace_back();
    if (blob.is_vector) layout.vectors.back() = ranges.add_zeros(to_index(round_up(blob.channels, 4)) * sizeof(float));
  }
  // mean_add.comp needs four words per channel. The means are computed one after the other, so they share the sums.
  layout.sums = ranges.add_zeros(to_index(max_channels) * 4 * sizeof(std::uint32_t));
  layout.size = ranges.end();
  return layout;
}

}  // namespace weir::nn::vulkan

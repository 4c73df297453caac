#include "nn/vulkan/device_weights.hpp"

#include <algorithm>
#include <cstring>
#include <span>

#include "base/round_up.hpp"
#include "compute/half.hpp"
#include "compute/vulkan/pool.hpp"
#include "nn/taps.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

std::uint64_t aligned(std::uint64_t n) {
  return (n + compute::vulkan::kSliceAlignment - 1) / compute::vulkan::kSliceAlignment *
         compute::vulkan::kSliceAlignment;
}

/// Convolutions and transposed ones alike.
struct Kernel {
  int in = 0, out = 0, size = 0;
  const std::vector<float>* weight = nullptr;
  int in_padded() const { return round_up(in, 4); }
  int out_padded() const { return round_up(out, 4); }
  std::size_t count() const { return at(in_padded()) * at(out_padded()) * at(size) * at(size); }
};

bool is_convolution(const Op& op) {
  return op.kind == OpKind::conv3x3 || op.kind == OpKind::direct || op.kind == OpKind::patch;
}

Kernel kernel_of(const Graph& graph, const Op& op) {
  const Operation& operation = graph.layers[at(op.layer)].operation;
  if (const auto* conv = std::get_if<Convolution>(&operation))
    return {conv->in_channels, conv->out_channels, conv->kernel, &conv->weight};
  const auto& transposed = std::get<Deconvolution>(operation);
  return {transposed.in_channels, transposed.out_channels, transposed.kernel, &transposed.weight};
}

/// [out / 4][ky][kx][in][4 of out], filled up with zeros.
std::vector<float> in_kernel_order(const Kernel& k, const std::vector<float>& weight) {
  std::vector<float> packed(k.count(), 0.0F);
  const std::size_t area = at(k.size) * at(k.size);
  for (std::size_t o = 0; o < at(k.out); ++o) {
    for (std::size_t i = 0; i < at(k.in); ++i) {
      for (std::size_t tap = 0; tap < area; ++tap) {
        packed[((o / 4 * area + tap) * at(k.in_padded()) + i) * 4 + o % 4] = weight[(o * at(k.in) + i) * area + tap];
      }
    }
  }
  return packed;
}

/// Grows a buffer piece by piece, or only counts.
class Pieces {
 public:
  explicit Pieces(std::vector<std::byte>* bytes) : bytes_{bytes} {}
  Piece skip(std::size_t size) {
    const Piece piece{end_, size};
    largest_ = std::max<std::uint64_t>(largest_, size);
    end_ = aligned(end_ + size);
    return piece;
  }
  template <class T>
  Piece add(std::span<const T> values) {
    const Piece piece = skip(values.size_bytes());
    bytes_->resize(end_);
    std::memcpy(bytes_->data() + piece.offset, values.data(), values.size_bytes());
    return piece;
  }
  Piece add_weights(const std::vector<float>& values, bool half) {
    if (!half) return add<float>(values);
    std::vector<std::uint16_t> halves;
    halves.reserve(values.size());
    for (const float value : values) halves.push_back(compute::float_to_half(value));
    return add<std::uint16_t>(halves);
  }
  std::uint64_t end() const { return end_; }
  std::uint64_t largest() const { return largest_; }

 private:
  std::vector<std::byte>* bytes_;
  std::uint64_t end_ = 0;
  std::uint64_t largest_ = 0;
};

std::vector<float> bias_and_slope(const Op& op, int padded) {
  std::vector<float> values(at(padded) * 2, 0.0F);
  for (std::size_t c = 0; c < op.epilogue.bias.size(); ++c) {
    values[c] = op.epilogue.bias[c];
    values[at(padded) + c] = op.epilogue.slope[c];
  }
  return values;
}

/// The words of a shuffle's order, as numbers.
std::vector<float> order_of(const Op& op, Orientation orientation) {
  std::vector<float> order;
  for (const std::uint8_t place : laid_order(op.factor, orientation)) order.push_back(static_cast<float>(place));
  order.resize(at(round_up(static_cast<int>(order.size()), 4)), 0.0F);
  return order;
}

}  // namespace

DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation) {
  DeviceWeights packed;
  Pieces pieces{&packed.bytes};
  for (const Op& op : program.ops) {
    DeviceWeights::Of of;
    if (is_convolution(op)) {
      const Kernel kernel = kernel_of(graph, op);
      of.weights = pieces.add_weights(in_kernel_order(kernel, laid(*kernel.weight, kernel.size, orientation)), half);
      of.parameters = pieces.add<float>(bias_and_slope(op, kernel.out_padded()));
    } else if (op.kind == OpKind::shuffle) {
      of.parameters = pieces.add<float>(order_of(op, orientation));
    }
    packed.ops.push_back(of);
  }
  for (const VectorOp& op : program.vector_ops) {
    DeviceWeights::Of of;
    if (const auto* product = std::get_if<InnerProduct>(&graph.layers[at(op.layer)].operation)) {
      std::vector<float> weight = product->weight;
      weight.resize((weight.size() + 3) / 4 * 4, 0.0F);
      std::vector<float> bias = product->bias;
      bias.resize(at(round_up(product->out_channels, 4)), 0.0F);
      of.weights = pieces.add<float>(weight);
      of.parameters = pieces.add<float>(bias);
    }
    packed.vectors.push_back(of);
  }
  return packed;
}

namespace {

Pieces count_weights(const Program& program, const Graph& graph, bool half) {
  Pieces pieces{nullptr};
  for (const Op& op : program.ops) {
    if (is_convolution(op)) {
      const Kernel kernel = kernel_of(graph, op);
      pieces.skip(kernel.count() * (half ? 2 : 4));
      pieces.skip(at(kernel.out_padded()) * 2 * sizeof(float));
    } else if (op.kind == OpKind::shuffle) {
      pieces.skip(at(round_up(op.factor * op.factor, 4)) * sizeof(float));
    }
  }
  for (const VectorOp& op : program.vector_ops) {
    const auto* product = std::get_if<InnerProduct>(&graph.layers[at(op.layer)].operation);
    if (product == nullptr) continue;
    pieces.skip((at(product->in_channels) * at(product->out_channels) + 3) / 4 * 4 * sizeof(float));
    pieces.skip(at(round_up(product->out_channels, 4)) * sizeof(float));
  }
  return pieces;
}

}  // namespace

Bytes weight_bytes(const Program& program, const Graph& graph, bool half) {
  return Bytes{count_weights(program, graph, half).end()};
}

Bytes largest_weights(const Program& program, const Graph& graph, bool half) {
  return Bytes{count_weights(program, graph, half).largest()};
}

ParameterLayout layout_parameters(const Program& program, const Graph& graph, const std::vector<Extent>& extent) {
  ParameterLayout layout;
  Pieces pieces{nullptr};
  for (const Op& op : program.ops) {
    layout.taps.emplace_back();
    if (op.kind != OpKind::resize) continue;
    const Extent out = extent[at(op.output)];
    const int words = 1 + tap_count(op.interp.kind);
    const auto count = static_cast<std::size_t>(out.width + out.height) * at(words);
    layout.taps.back() = pieces.skip((count + 3) / 4 * 4 * sizeof(float));
  }
  int most = 0;
  for (const Statistic& statistic : program.statistics) most = std::max(most, round_up(statistic.channels, 4));
  for (const BlobShape& blob : graph.blobs) {
    layout.vectors.emplace_back();
    if (blob.vector) layout.vectors.back() = pieces.skip(at(round_up(blob.channels, 4)) * sizeof(float));
  }
  layout.sums = pieces.skip(at(most) * 4 * sizeof(std::uint32_t));
  layout.size = pieces.end();
  return layout;
}

Bytes parameter_bytes(const Program& program, const Graph& graph, const std::vector<Extent>& extent) {
  return Bytes{layout_parameters(program, graph, extent).size};
}

std::vector<float> taps_table(const Interp& interp, Extent in, Extent out) {
  std::vector<float> words;
  for (const Taps& taps : {taps_of(interp, in.width, out.width), taps_of(interp, in.height, out.height)}) {
    for (std::size_t i = 0; i < taps.index.size(); ++i) {
      words.push_back(static_cast<float>(taps.index[i]));
      for (std::size_t k = 0; k < at(taps.count); ++k) words.push_back(taps.weight[i * at(taps.count) + k]);
    }
  }
  words.resize((words.size() + 3) / 4 * 4, 0.0F);
  return words;
}

}  // namespace weir::nn::vulkan

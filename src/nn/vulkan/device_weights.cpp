#include "nn/vulkan/device_weights.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <optional>

#include "base/round_up.hpp"
#include "compute/half.hpp"
#include "compute/vulkan/pool.hpp"
#include "nn/taps.hpp"
#include "nn/vulkan/recording.hpp"

namespace weir::nn::vulkan {

namespace {

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

/// Places pieces one after the other and fills them, or only places them.
class Pieces {
 public:
  /// `bytes` may be null; then nothing is made.
  explicit Pieces(std::vector<std::byte>* bytes) : bytes_{bytes} {}
  Piece skip(std::size_t size) {
    const Piece piece{end_, size};
    end_ = round_up(end_ + size, compute::vulkan::kSliceAlignment);
    if (bytes_ != nullptr) bytes_->resize(end_);
    return piece;
  }
  /// Room for whole vectors of four; where make() gives fewer than `count` values, zeros follow.
  template <class Make>
  Piece add(std::size_t count, Make&& make) {
    const Piece piece = skip(round_up(count, 4) * sizeof(float));
    if (bytes_ != nullptr) put<float>(piece, make());
    return piece;
  }
  template <class Make>
  Piece add_halves(std::size_t count, Make&& make) {
    const Piece piece = skip(count * sizeof(std::uint16_t));
    if (bytes_ == nullptr) return piece;
    std::vector<std::uint16_t> halves;
    halves.reserve(count);
    for (const float value : make()) halves.push_back(compute::float_to_half(value));
    put(piece, halves);
    return piece;
  }
  std::uint64_t end() const { return end_; }

 private:
  template <class T>
  void put(Piece piece, const std::vector<T>& values) {
    const std::size_t size = values.size() * sizeof(T);
    assert(size <= piece.size);
    std::memcpy(bytes_->data() + piece.offset, values.data(), size);
  }
  std::vector<std::byte>* bytes_;
  std::uint64_t end_ = 0;
};

std::vector<float> bias_and_slope(const Op& op, int padded) {
  std::vector<float> values(at(padded) * 2, 0.0F);
  std::copy(op.epilogue.bias.begin(), op.epilogue.bias.end(), values.begin());
  std::copy(op.epilogue.slope.begin(), op.epilogue.slope.end(), values.begin() + padded);
  return values;
}

/// The words of a shuffle's order, as numbers.
std::vector<float> order_of(const Op& op, Orientation orientation) {
  const std::vector<std::uint8_t> order = laid_order(op.factor, orientation);
  return {order.begin(), order.end()};
}

/// Without an orientation the weights are only placed.
DeviceWeights place_weights(const Graph& graph, const Program& program, bool half,
                            const std::optional<Orientation>& orientation) {
  DeviceWeights packed;
  Pieces pieces{orientation ? &packed.bytes : nullptr};
  for (const Op& op : program.ops) {
    DeviceWeights::Of& of = packed.ops.emplace_back();
    if (is_convolution(op)) {
      const Kernel kernel = kernel_of(graph, op);
      const auto make = [&] { return in_kernel_order(kernel, laid(*kernel.weight, kernel.size, *orientation)); };
      of.weights = half ? pieces.add_halves(kernel.count(), make) : pieces.add(kernel.count(), make);
      of.parameters = pieces.add(at(kernel.out_padded()) * 2, [&] { return bias_and_slope(op, kernel.out_padded()); });
    } else if (op.kind == OpKind::shuffle) {
      of.parameters = pieces.add(at(op.factor) * at(op.factor), [&] { return order_of(op, *orientation); });
    }
  }
  for (const VectorOp& op : program.vector_ops) {
    DeviceWeights::Of& of = packed.vectors.emplace_back();
    if (const auto* product = std::get_if<InnerProduct>(&graph.layers[at(op.layer)].operation)) {
      of.weights = pieces.add(product->weight.size(), [&] { return product->weight; });
      of.parameters = pieces.add(at(product->out_channels), [&] { return product->bias; });
    }
  }
  packed.size = pieces.end();
  return packed;
}

/// The words of a resize's table, as kernels/interp reads them: each column of the output, then each row.
std::vector<float> taps_table(const Interp& interp, Extent in, Extent out) {
  std::vector<float> words;
  for (const Taps& taps : {taps_of(interp, in.width, out.width), taps_of(interp, in.height, out.height)}) {
    for (std::size_t i = 0; i < taps.index.size(); ++i) {
      words.push_back(static_cast<float>(taps.index[i]));
      for (std::size_t k = 0; k < at(taps.count); ++k) words.push_back(taps.weight[i * at(taps.count) + k]);
    }
  }
  return words;
}

}  // namespace

std::uint64_t DeviceWeights::largest() const {
  std::uint64_t most = 0;
  for (const auto* list : {&ops, &vectors}) {
    for (const Of& of : *list) most = std::max({most, of.weights.size, of.parameters.size});
  }
  return most;
}

DeviceWeights layout_weights(const Graph& graph, const Program& program, bool half) {
  return place_weights(graph, program, half, {});
}

DeviceWeights pack_for_device(const Graph& graph, const Program& program, bool half, Orientation orientation) {
  return place_weights(graph, program, half, orientation);
}

ParameterLayout layout_parameters(const Program& program, const Graph& graph, const std::vector<Extent>& extent,
                                  std::vector<std::byte>* bytes) {
  ParameterLayout layout;
  Pieces pieces{bytes};
  for (const Op& op : program.ops) {
    layout.taps.emplace_back();
    if (op.kind != OpKind::resize) continue;
    const Extent out = extent[at(op.output)];
    const auto& interp = std::get<Interp>(op.own);
    layout.taps.back() = pieces.add(at(out.width + out.height) * at(1 + tap_count(interp.kind)),
                                    [&] { return taps_table(interp, extent[at(op.inputs[0].tensor)], out); });
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

}  // namespace weir::nn::vulkan

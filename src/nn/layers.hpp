#pragma once

// The kinds of layers that networks are made of. Each says what it has and all that a graph needs to know of it:
//
//   kName              as messages and tables say it
//   fields()           its members, all of them: it does not compile while one is missing (fingerprint.cpp)
//   plain()            what it makes of whole pictures, by the plain references of compute/kernels (reference.cpp)
//   lower()            which ops it becomes (ops/)
//   size()             height and width of its outputs; without it those of the input
//   enlargement()      pixels of the output per pixel of the input, along one axis; without it 1
//   multiplications()  as direct convolution, per pixel of the output; without it 0
//   pads()             whether it adds pixels beyond its input's edges; without it no
//   even_sides()       whether it treats all four edges alike, so that it may be turned; without it yes
//
// Members named weight and bias, or slope, are what a file keeps in its .bin.

#include <cstdint>
#include <string_view>
#include <tuple>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "compute/kernels/padding/padding.hpp"

namespace weir::compute {
struct Planes;
}

namespace weir::nn {

class Lowering;
struct Layer;
using LayerInputs = std::vector<const compute::Planes*>;  ///< of a layer, in order

/// Height and width as 64-bit numbers, so that no arithmetic on a hostile graph overflows.
struct Extent64 {
  std::int64_t height = 0, width = 0;
  bool operator==(const Extent64&) const = default;
};

/// What is applied to each value after a layer's sum and bias. New kinds come last: shaders and fingerprints know them by number.
struct Activation {
  enum class Kind { none, relu, leaky_relu, clip, sigmoid };
  Kind kind = Kind::none;
  float a = 0;  ///< leaky_relu: slope below zero; clip: low bound
  float b = 0;  ///< clip: high bound

  auto fields() const {
    const auto& [k, first, second] = *this;
    return std::tie(k, first, second);
  }
};

struct Input {
  static constexpr std::string_view kName = "Input";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Cross-correlation over [c, h, w]; zero padding of `pad` on every side. A kernel and a stride are the same on both axes.
struct Convolution {
  static constexpr std::string_view kName = "Convolution";
  int in_channels = 0, out_channels = 0, kernel = 1, stride = 1, pad = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in, kernel, kernel]
  std::vector<float> bias;    ///< [out]; all zero if the file has none

  auto fields() const {
    const auto& [in, out, n, s, p, act, w, b] = *this;
    return std::tie(in, out, n, s, p, act, w, b);
  }
  Extent64 output_size(Extent64 in) const {
    const auto along = [&](std::int64_t n) {
      const std::int64_t last_start = n + 2 * std::int64_t{pad} - kernel;
      return last_start < 0 ? 0 : last_start / stride + 1;
    };
    return {along(in.height), along(in.width)};
  }
  double enlargement() const { return 1.0 / stride; }
  double multiplications() const { return static_cast<double>(in_channels) * out_channels * kernel * kernel; }
  bool adds_padding() const { return pad > 0; }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Transposed convolution: the full output, of extent (n - 1) * stride + kernel, loses `pad` on every side.
struct Deconvolution {
  static constexpr std::string_view kName = "Deconvolution";
  int in_channels = 0, out_channels = 0, kernel = 1, stride = 1, pad = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in, kernel, kernel]
  std::vector<float> bias;    ///< [out]

  auto fields() const {
    const auto& [in, out, n, s, p, act, w, b] = *this;
    return std::tie(in, out, n, s, p, act, w, b);
  }
  Extent64 output_size(Extent64 in) const {
    const auto along = [&](std::int64_t n) { return (n - 1) * stride + kernel - 2 * std::int64_t{pad}; };
    return {along(in.height), along(in.width)};
  }
  double enlargement() const { return stride; }
  double multiplications() const {
    return static_cast<double>(in_channels) * out_channels * kernel * kernel / (stride * stride);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// On a vector of per-channel values (what Pooling made): out[o] = activation(bias[o] + sum_i weight[o, i] * in[i]).
struct InnerProduct {
  static constexpr std::string_view kName = "InnerProduct";
  int in_channels = 0, out_channels = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in]
  std::vector<float> bias;    ///< [out]

  auto fields() const {
    const auto& [in, out, act, w, b] = *this;
    return std::tie(in, out, act, w, b);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Every output is the input.
struct Split {
  static constexpr std::string_view kName = "Split";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// x < 0 ? x * slope[channel] : x; one slope for all channels if there is one value.
struct PRelu {
  static constexpr std::string_view kName = "PReLU";
  std::vector<float> slope;

  auto fields() const {
    const auto& [s] = *this;
    return std::tie(s);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// The mean over the picture of each channel: [c, h, w] -> vector [c].
struct GlobalAverage {
  static constexpr std::string_view kName = "GlobalAverage";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Element by element. Two inputs of the same shape; or the second is a vector [c], one value per channel; or a scalar.
struct BinaryOp {
  static constexpr std::string_view kName = "BinaryOp";
  enum class Kind { add, sub, mul, div, rsub };
  Kind kind = Kind::add;
  bool with_scalar = false;
  float scalar = 0;

  auto fields() const {
    const auto& [k, with, s] = *this;
    return std::tie(k, with, s);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// sum of coefficient[i] * input[i]
struct WeightedSum {
  static constexpr std::string_view kName = "WeightedSum";
  std::vector<float> coefficient;

  auto fields() const {
    const auto& [c] = *this;
    return std::tie(c);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Rows and columns taken away on each side.
struct Crop {
  static constexpr std::string_view kName = "Crop";
  int top = 0, left = 0, bottom = 0, right = 0;

  auto fields() const {
    const auto& [t, l, b, r] = *this;
    return std::tie(t, l, b, r);
  }
  Extent64 output_size(Extent64 in) const { return {in.height - top - bottom, in.width - left - right}; }
  bool treats_edges_alike() const { return top == left && top == bottom && top == right; }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Along channels.
struct Concat {
  static constexpr std::string_view kName = "Concat";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// [c * r * r, h, w] -> [c, h * r, w * r]; channel (c * r + y) * r + x goes to pixel (y, x) of its block.
struct PixelShuffle {
  static constexpr std::string_view kName = "PixelShuffle";
  int factor = 1;

  auto fields() const {
    const auto& [f] = *this;
    return std::tie(f);
  }
  Extent64 output_size(Extent64 in) const { return {in.height * factor, in.width * factor}; }
  double enlargement() const { return factor; }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Resize by `scale` on both axes. nearest: index floor(x / scale); bilinear, bicubic (A = -0.75, 4 taps, no antialias):
/// half-pixel centres, edges repeated.
struct Interp {
  static constexpr std::string_view kName = "Interp";
  enum class Kind { nearest, bilinear, bicubic };
  Kind kind = Kind::nearest;
  float scale = 1;

  auto fields() const {
    const auto& [k, s] = *this;
    return std::tie(k, s);
  }
  Extent64 output_size(Extent64 in) const {
    const auto along = [&](std::int64_t n) {
      return static_cast<std::int64_t>(static_cast<double>(n) * static_cast<double>(scale));
    };
    return {along(in.height), along(in.width)};
  }
  double enlargement() const { return static_cast<double>(scale); }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// An activation of its own: ReLU, Sigmoid, Clip.
struct Pointwise {
  static constexpr std::string_view kName = "Activation";
  Activation activation;

  auto fields() const {
    const auto& [act] = *this;
    return std::tie(act);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Rows and columns added on each side.
struct Padding {
  static constexpr std::string_view kName = "Padding";
  int top = 0, left = 0, bottom = 0, right = 0;
  compute::PaddingMode mode = compute::PaddingMode::constant;
  float value = 0;  ///< the constant

  auto fields() const {
    const auto& [t, l, b, r, f, v] = *this;
    return std::tie(t, l, b, r, f, v);
  }
  Extent64 output_size(Extent64 in) const { return {in.height + top + bottom, in.width + left + right}; }
  bool adds_padding() const { return true; }
  bool treats_edges_alike() const { return top == left && top == bottom && top == right; }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// New kinds come last: a kind's number is part of the fingerprint, by which caches are kept.
using Operation = std::variant<Input, Convolution, Deconvolution, InnerProduct, Split, PRelu, GlobalAverage, BinaryOp,
                               WeightedSum, Crop, Concat, PixelShuffle, Interp, Pointwise, Padding>;

}  // namespace weir::nn

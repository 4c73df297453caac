#pragma once

// The kinds of layers that networks consist of. Each type has the layer's parameters and these members:
//
//   kName                name for messages and tables
//   fields()             all data members, for fingerprint.cpp; fields() does not compile if it leaves one out; a type
//                        without data members has no fields()
//   evaluate()           computes the output for whole pictures, with the reference implementations in compute/kernels
//                        (reference.cpp)
//   lower()              translates the layer into ops of a program (ops/)
//
// A type may have these members; in brackets the value for a type that has no such member:
//
//   output_size()        height and width of the outputs [those of the input]
//   enlargement()        pixels of the output per pixel of the input, along one axis [1]
//   multiplications()    multiplications per pixel of the output, counted as direct convolution [0]
//   adds_padding()       returns true if the layer adds pixels outside its input's edges [false]
//   treats_edges_alike() returns true if the layer treats all four edges alike, so that it can be rotated [true]
//
// The members named weight, bias and slope are stored in the .bin file.

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
using LayerInputs = std::vector<const compute::Planes*>;  ///< inputs of one layer, in order

/// Height and width as 64-bit numbers, so that arithmetic on a hostile graph does not overflow.
struct Extent64 {
  std::int64_t height = 0, width = 0;
  bool operator==(const Extent64&) const = default;
};

/// A function that is applied to each value of a layer's result, after the bias is added. Add new kinds at the end,
/// because shaders use the values of the enumerators, and fingerprints contain them.
struct Activation {
  enum class Kind { none, relu, leaky_relu, clip, sigmoid };
  Kind kind = Kind::none;
  float a = 0;  ///< leaky_relu: slope for negative values; clip: low bound; otherwise not used
  float b = 0;  ///< clip: high bound; otherwise not used

  auto fields() const {
    const auto& [k, first, second] = *this;
    return std::tie(k, first, second);
  }
};

/// The picture that the network reads.
struct Input {
  static constexpr std::string_view kName = "Input";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Cross-correlation over [c, h, w] with zero padding of `pad` pixels on every side. `kernel` (side in pixels),
/// `stride` and `pad` apply to both axes.
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

/// Transposed convolution: the full output has (n - 1) * stride + kernel pixels on an axis where the input has n; `pad`
/// pixels are removed from every side of it.
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

/// Fully connected layer on a vector of per-channel values (the result of Pooling):
/// out[o] = activation(bias[o] + sum_i weight[o, i] * in[i]).
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

/// Copies the input to every output.
struct Split {
  static constexpr std::string_view kName = "Split";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Computes x < 0 ? x * slope[channel] : x. If `slope` has only one value, it applies to all channels.
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

/// Computes the mean of each channel over the whole picture: [c, h, w] -> vector [c].
struct GlobalAverage {
  static constexpr std::string_view kName = "GlobalAverage";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Arithmetic element by element. The second operand is an input of the same shape, a vector [c] (one value per
/// channel), or a scalar. rsub computes second - first.
struct BinaryOp {
  static constexpr std::string_view kName = "BinaryOp";
  enum class Kind { add, sub, mul, div, rsub };
  Kind kind = Kind::add;
  bool with_scalar = false;  ///< the second operand is `scalar`, not an input
  float scalar = 0;

  auto fields() const {
    const auto& [k, with, s] = *this;
    return std::tie(k, with, s);
  }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Computes the sum of coefficient[i] * input[i].
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

/// Removes rows and columns on each side.
struct Crop {
  static constexpr std::string_view kName = "Crop";
  int top = 0, left = 0, bottom = 0, right = 0;  ///< numbers of rows and columns

  auto fields() const {
    const auto& [t, l, b, r] = *this;
    return std::tie(t, l, b, r);
  }
  Extent64 output_size(Extent64 in) const { return {in.height - top - bottom, in.width - left - right}; }
  bool treats_edges_alike() const { return top == left && top == bottom && top == right; }
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Concatenates the inputs along the channels.
struct Concat {
  static constexpr std::string_view kName = "Concat";
  compute::Planes evaluate(const LayerInputs& in) const;
  Status lower(Lowering& lowering, const Layer& layer) const;
};

/// Rearranges channels into pixels, r = factor: [c * r * r, h, w] -> [c, h * r, w * r]. Each input pixel becomes a
/// block of r x r output pixels: pixel (y, x) of the block has, in output channel i, the value of input channel
/// (i * r + y) * r + x.
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

/// Resizes by `scale` on both axes. nearest: output pixel x equals input pixel floor(x / scale). bilinear and bicubic
/// (Keys' cubic with A = -0.75, four taps, no antialiasing): pixel centres are at half-integer positions, and positions
/// outside the input read the pixel at its edge. taps.hpp has the details.
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

/// An activation as a separate layer: ReLU, Sigmoid, Clip.
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

/// Adds rows and columns on each side.
struct Padding {
  static constexpr std::string_view kName = "Padding";
  int top = 0, left = 0, bottom = 0, right = 0;  ///< numbers of rows and columns
  compute::PaddingMode mode = compute::PaddingMode::constant;
  float value = 0;  ///< value of the added pixels if `mode` is constant

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

/// Any layer. Add new kinds at the end, because a kind's position is part of the fingerprint, the key of caches.
using Operation = std::variant<Input, Convolution, Deconvolution, InnerProduct, Split, PRelu, GlobalAverage, BinaryOp,
                               WeightedSum, Crop, Concat, PixelShuffle, Interp, Pointwise, Padding>;

}  // namespace weir::nn

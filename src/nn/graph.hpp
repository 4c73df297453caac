#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"

namespace weir::nn {

/// What is applied to each value after a layer's sum and bias.
struct Activation {
  enum class Kind { none, relu, leaky_relu, clip, sigmoid };
  Kind kind = Kind::none;
  float a = 0;  ///< leaky_relu: slope below zero; clip: low bound
  float b = 0;  ///< clip: high bound
};

/// Cross-correlation over [c, h, w]; zero padding of `pad` on every side. A kernel and a stride are the same on both axes.
struct Convolution {
  int in_channels = 0, out_channels = 0, kernel = 1, stride = 1, pad = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in, kernel, kernel]
  std::vector<float> bias;    ///< [out]; all zero if the file has none
};

/// Transposed convolution: the full output, of extent (n - 1) * stride + kernel, loses `pad` on every side.
struct Deconvolution {
  int in_channels = 0, out_channels = 0, kernel = 1, stride = 1, pad = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in, kernel, kernel]
  std::vector<float> bias;    ///< [out]
};

/// On a vector of per-channel values (what Pooling made): out[o] = activation(bias[o] + sum_i weight[o, i] * in[i]).
struct InnerProduct {
  int in_channels = 0, out_channels = 0;
  Activation activation;
  std::vector<float> weight;  ///< [out, in]
  std::vector<float> bias;    ///< [out]
};

struct Input {};
struct Split {};  ///< every output is the input
/// x < 0 ? x * slope[channel] : x; one slope for all channels if there is one value.
struct PRelu {
  std::vector<float> slope;
};
/// The mean over the picture of each channel: [c, h, w] -> vector [c].
struct GlobalAverage {};
/// Element by element. Two inputs of the same shape; or the second is a vector [c], one value per channel; or a scalar.
struct BinaryOp {
  enum class Kind { add, sub, mul, div, rsub };
  Kind kind = Kind::add;
  bool with_scalar = false;
  float scalar = 0;
};
/// sum of coefficient[i] * input[i]
struct WeightedSum {
  std::vector<float> coefficient;
};
/// Rows and columns taken away on each side.
struct Crop {
  int top = 0, left = 0, bottom = 0, right = 0;
};
struct Concat {};  ///< along channels
/// [c * r * r, h, w] -> [c, h * r, w * r]; channel (c * r + y) * r + x goes to pixel (y, x) of its block.
struct PixelShuffle {
  int factor = 1;
};
/// Resize by `scale` on both axes. nearest: index floor(x / scale); bilinear, bicubic (A = -0.75, 4 taps, no antialias):
/// half-pixel centres, edges repeated.
struct Interp {
  enum class Kind { nearest, bilinear, bicubic };
  Kind kind = Kind::nearest;
  float scale = 1;
};
/// An activation of its own: ReLU, Sigmoid, Clip.
struct Pointwise {
  Activation activation;
};

using Operation = std::variant<Input, Convolution, Deconvolution, InnerProduct, Split, PRelu, GlobalAverage, BinaryOp,
                               WeightedSum, Crop, Concat, PixelShuffle, Interp, Pointwise>;

struct Layer {
  std::string name;
  int line = 0;              ///< of the .param file, from 1; for messages
  std::vector<int> inputs;   ///< blob numbers
  std::vector<int> outputs;  ///< blob numbers
  Operation operation;
};

/// What is known of a blob whatever the size of the picture: [channels, h, w], or [channels] if it is a `vector`.
struct BlobShape {
  int channels = 0;
  bool vector = false;
};

/// A feed-forward network with one picture in and one picture out. Layers are in an order in which each blob is made
/// before it is used, by exactly one layer. A value: copies are independent.
struct Graph {
  std::vector<Layer> layers;
  std::vector<std::string> blob_names;  ///< by blob number
  std::vector<BlobShape> blobs;         ///< by blob number; channels known from the weights
  int input = -1;                       ///< blob number of the picture
  int output = -1;                      ///< blob number of the result
};

/// The layer's kind as messages and tables say it: "Convolution", "BinaryOp", ...
std::string_view kind_of(const Operation& operation);

/// "line 12: Convolution conv_3": how messages name a layer.
std::string describe(const Layer& layer);

/// Height and width in pixels.
struct Extent {
  int height = 0, width = 0;
  bool operator==(const Extent&) const = default;
};

/// Height and width of every blob for an input of [h, w]; {0, 0} for vectors.
/// Errors: invalid_argument, naming the layer, when two inputs of a layer do not match or an extent would be below 1
/// or above 2^30.
Result<std::vector<Extent>> infer_extents(const Graph& graph, Extent input);

/// Pixels of each blob per pixel of the input, along one axis, in the limit of large pictures; 0 for vectors.
/// Errors: invalid_argument, naming the layer, when two inputs of a layer differ in scale.
Result<std::vector<double>> blob_scales(const Graph& graph);

/// Multiplications of all convolutions, as direct convolution, per pixel of the input, in the limit of large pictures.
/// Errors: those of blob_scales.
Result<double> multiplications_per_pixel(const Graph& graph);

}  // namespace weir::nn

// Reads and writes the layer lines of the types that have weights, biases or slopes.

#include <string>
#include <utility>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_layer_type.hpp"

namespace weir::nn {

namespace {

constexpr int kLargestKernel = 31;  // side in pixels
constexpr int kLargestStride = 8;

/// Stores an error if the line declares another number of values than the layer needs. `what` names the values.
void expect_count(NcnnReadContext& context, std::int64_t given, std::int64_t expected, std::string_view what) {
  if (given == expected) return;
  context.attributes.fail_corrupt(fmt::format("{} {}, where its channels and kernel make {}", given, what, expected));
}

/// Reads the parameters that Convolution and Deconvolution share.
template <class Kind>
Kind read_kernel(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  Kind op;
  op.in_channels = context.inputs[0].channels;
  op.out_channels = attributes.read_integer(0, 0, 1, kMaxNcnnChannels, "number of outputs");
  op.kernel = attributes.read_integer(1, 0, 1, kLargestKernel, "kernel");
  attributes.require(11, op.kernel, op.kernel, "kernel height");
  attributes.require(2, 1, 1, "dilation");
  attributes.require(12, 1, 1, "dilation height");
  op.stride = attributes.read_integer(3, 1, 1, kLargestStride, "stride");
  attributes.require(13, op.stride, op.stride, "stride height");
  op.pad = attributes.read_integer(4, 0, 0, op.kernel - 1, "pad");
  attributes.require(14, op.pad, op.pad, "pad at the top");
  attributes.require(15, op.pad, op.pad, "pad at the right");
  attributes.require(16, op.pad, op.pad, "pad at the bottom");
  op.activation = attributes.read_activation();
  return op;
}

/// Reads whether the layer has biases (parameter `bias_id`) and checks the number of weights (parameter `weights_id`),
/// which must be `weights`. Returns the layer's arrays in the .bin; there are `outputs` biases.
std::vector<NcnnArray> read_arrays(NcnnReadContext& context, int bias_id, int weights_id, std::int64_t weights,
                                   int outputs) {
  const bool has_bias = context.attributes.read_integer(bias_id, 0, 0, 1, "bias term") == 1;
  expect_count(context, context.attributes.read_count(weights_id, "number of weights"), weights, "weights");
  std::vector<NcnnArray> arrays{{0, NcnnArray::Kind::weight, weights}};
  if (has_bias) arrays.push_back({0, NcnnArray::Kind::bias, outputs});
  return arrays;
}

/// Returns the number of weights of a Convolution or Deconvolution.
template <class Kind>
std::int64_t kernel_weights(const Kind& op) {
  return std::int64_t{op.in_channels} * op.out_channels * op.kernel * op.kernel;
}

/// Returns the parameters of an activation, for the end of a layer's line: " 9=2 -23310=1,0.1".
std::string activation_text(const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      return "";
    case Activation::Kind::relu:
      return " 9=1";
    case Activation::Kind::leaky_relu:
      return fmt::format(" 9=2 -23310=1,{}", activation.a);
    case Activation::Kind::clip:
      return fmt::format(" 9=3 -23310=2,{},{}", activation.a, activation.b);
    case Activation::Kind::sigmoid:
      return " 9=4";
  }
  return "";
}

/// Returns the layer_text() of a Convolution or Deconvolution.
template <class Kind>
NcnnLayerText kernel_text(std::string_view type, const Kind& op) {
  return {std::string{type}, fmt::format(" 0={} 1={} 3={} 4={} 5=1 6={}{}", op.out_channels, op.kernel, op.stride,
                                         op.pad, op.weight.size(), activation_text(op.activation))};
}

}  // namespace

NcnnLayer read_convolution(NcnnReadContext& context) {
  context.attributes.require(8, 0, 0, "int8 scales");
  context.attributes.require(18, 0, 0, "pad value");
  context.attributes.require(19, 0, 0, "weights from another layer");
  auto op = read_kernel<Convolution>(context);
  auto arrays = read_arrays(context, 5, 6, kernel_weights(op), op.out_channels);
  const BlobShape output{op.out_channels, /*is_vector=*/false};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_deconvolution(NcnnReadContext& context) {
  for (const int id : {18, 19}) context.attributes.require(id, 0, 0, "output pad");
  for (const int id : {20, 21}) context.attributes.require(id, 0, 0, "output size");
  context.attributes.require(28, 0, 0, "weights from another layer");
  auto op = read_kernel<Deconvolution>(context);
  auto arrays = read_arrays(context, 5, 6, kernel_weights(op), op.out_channels);
  const BlobShape output{op.out_channels, /*is_vector=*/false};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_inner_product(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  if (!context.inputs[0].is_vector)
    attributes.fail_unsupported("the input is a picture; supported: the vector of a global Pooling");
  attributes.require(8, 0, 0, "int8 scales");
  InnerProduct op;
  op.in_channels = context.inputs[0].channels;
  op.out_channels = attributes.read_integer(0, 0, 1, kMaxNcnnChannels, "number of outputs");
  op.activation = attributes.read_activation();
  auto arrays = read_arrays(context, 1, 2, std::int64_t{op.in_channels} * op.out_channels, op.out_channels);
  const BlobShape output{op.out_channels, /*is_vector=*/true};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_prelu(NcnnReadContext& context) {
  expect_planes(context);
  const int channels = context.inputs[0].channels;
  const std::int64_t slopes = context.attributes.read_count(0, "number of slopes");
  if (slopes != 1) expect_count(context, slopes, channels, "slopes");
  return {PRelu{}, {{0, NcnnArray::Kind::slope, slopes}}, context.inputs[0]};
}

NcnnLayerText layer_text(const Convolution& op) { return kernel_text("Convolution", op); }

NcnnLayerText layer_text(const Deconvolution& op) { return kernel_text("Deconvolution", op); }

NcnnLayerText layer_text(const InnerProduct& op) {
  return {"InnerProduct",
          fmt::format(" 0={} 1=1 2={}{}", op.out_channels, op.weight.size(), activation_text(op.activation))};
}

NcnnLayerText layer_text(const PRelu& op) { return {"PReLU", fmt::format(" 0={}", op.slope.size())}; }

}  // namespace weir::nn

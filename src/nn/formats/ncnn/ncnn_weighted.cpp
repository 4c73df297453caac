// The types of layers that have weights.

#include <string>
#include <utility>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_layer_type.hpp"

namespace weir::nn {

namespace {

constexpr int kLargestKernel = 31;
constexpr int kLargestStride = 8;

void expect_count(NcnnSource& source, std::int64_t given, std::int64_t wanted, std::string_view what) {
  if (given == wanted) return;
  source.attributes.corrupt(fmt::format("{} {}, where its channels and kernel make {}", given, what, wanted));
}

/// The ids that Convolution and Deconvolution share.
template <class Kind>
Kind read_kernel(NcnnSource& source) {
  NcnnAttributes& a = source.attributes;
  expect_planes(source);
  Kind op;
  op.in_channels = source.inputs[0].channels;
  op.out_channels = a.integer(0, 0, 1, kMostNcnnChannels, "number of outputs");
  op.kernel = a.integer(1, 0, 1, kLargestKernel, "kernel");
  a.require(11, op.kernel, op.kernel, "kernel height");
  a.require(2, 1, 1, "dilation");
  a.require(12, 1, 1, "dilation height");
  op.stride = a.integer(3, 1, 1, kLargestStride, "stride");
  a.require(13, op.stride, op.stride, "stride height");
  op.pad = a.integer(4, 0, 0, op.kernel - 1, "pad");
  a.require(14, op.pad, op.pad, "pad at the top");
  a.require(15, op.pad, op.pad, "pad at the right");
  a.require(16, op.pad, op.pad, "pad at the bottom");
  op.activation = a.activation();
  return op;
}

std::vector<NcnnArray> read_arrays(NcnnSource& source, int bias_id, int weights_id, std::int64_t weights, int outputs) {
  const bool bias = source.attributes.integer(bias_id, 0, 0, 1, "bias term") == 1;
  expect_count(source, source.attributes.count(weights_id, "number of weights"), weights, "weights");
  std::vector<NcnnArray> arrays{{0, NcnnArray::Kind::weight, weights}};
  if (bias) arrays.push_back({0, NcnnArray::Kind::bias, outputs});
  return arrays;
}

template <class Kind>
std::int64_t kernel_weights(const Kind& op) {
  return std::int64_t{op.in_channels} * op.out_channels * op.kernel * op.kernel;
}

/// "9=2 -23310=1,0.1": how layers end whose sum goes through an activation.
std::string activation_text(const Activation& a) {
  switch (a.kind) {
    case Activation::Kind::none:
      return "";
    case Activation::Kind::relu:
      return " 9=1";
    case Activation::Kind::leaky_relu:
      return fmt::format(" 9=2 -23310=1,{}", a.a);
    case Activation::Kind::clip:
      return fmt::format(" 9=3 -23310=2,{},{}", a.a, a.b);
    case Activation::Kind::sigmoid:
      return " 9=4";
  }
  return "";
}

template <class Kind>
NcnnWords kernel_words(std::string_view type, const Kind& op) {
  return {std::string{type}, fmt::format(" 0={} 1={} 3={} 4={} 5=1 6={}{}", op.out_channels, op.kernel, op.stride,
                                         op.pad, op.weight.size(), activation_text(op.activation))};
}

}  // namespace

NcnnLayer read_convolution(NcnnSource& source) {
  source.attributes.require(8, 0, 0, "int8 scales");
  source.attributes.require(18, 0, 0, "pad value");
  source.attributes.require(19, 0, 0, "weights from another layer");
  auto op = read_kernel<Convolution>(source);
  auto arrays = read_arrays(source, 5, 6, kernel_weights(op), op.out_channels);
  const BlobShape output{op.out_channels, false};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_deconvolution(NcnnSource& source) {
  for (const int id : {18, 19}) source.attributes.require(id, 0, 0, "output pad");
  for (const int id : {20, 21}) source.attributes.require(id, 0, 0, "output size");
  source.attributes.require(28, 0, 0, "weights from another layer");
  auto op = read_kernel<Deconvolution>(source);
  auto arrays = read_arrays(source, 5, 6, kernel_weights(op), op.out_channels);
  const BlobShape output{op.out_channels, false};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_inner_product(NcnnSource& source) {
  NcnnAttributes& a = source.attributes;
  if (!source.inputs[0].vector) a.unsupported("the input is a picture; supported: the vector of a global Pooling");
  a.require(8, 0, 0, "int8 scales");
  InnerProduct op;
  op.in_channels = source.inputs[0].channels;
  op.out_channels = a.integer(0, 0, 1, kMostNcnnChannels, "number of outputs");
  op.activation = a.activation();
  auto arrays = read_arrays(source, 1, 2, std::int64_t{op.in_channels} * op.out_channels, op.out_channels);
  const BlobShape output{op.out_channels, true};
  return {std::move(op), std::move(arrays), output};
}

NcnnLayer read_prelu(NcnnSource& source) {
  expect_planes(source);
  const int channels = source.inputs[0].channels;
  const std::int64_t slopes = source.attributes.count(0, "number of slopes");
  if (slopes != 1) expect_count(source, slopes, channels, "slopes");
  return {PRelu{}, {{0, NcnnArray::Kind::slope, slopes}}, source.inputs[0]};
}

NcnnWords words_of(const Convolution& op) { return kernel_words("Convolution", op); }

NcnnWords words_of(const Deconvolution& op) { return kernel_words("Deconvolution", op); }

NcnnWords words_of(const InnerProduct& op) {
  return {"InnerProduct",
          fmt::format(" 0={} 1=1 2={}{}", op.out_channels, op.weight.size(), activation_text(op.activation))};
}

NcnnWords words_of(const PRelu& op) { return {"PReLU", fmt::format(" 0={}", op.slope.size())}; }

}  // namespace weir::nn

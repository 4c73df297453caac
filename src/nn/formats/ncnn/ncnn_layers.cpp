// Reads the layers of ncnn's .param files that have no weights, writes them, and has the table of all supported layers.
// A parameter is identified by ncnn's number (id). The numbers in the calls of NcnnAttributes are, for read_integer():
// the id, the value if the parameter is absent, and the smallest and the largest value that is supported; for
// require(): the id, the value if the parameter is absent, and the only supported value; for read_number(): the id and
// the value if the parameter is absent.

#include "nn/formats/ncnn/ncnn_layers.hpp"

#include <algorithm>
#include <array>
#include <climits>
#include <limits>
#include <string_view>
#include <variant>

#include <fmt/format.h>

#include "nn/formats/ncnn/ncnn_layer_type.hpp"

namespace weir::nn {

namespace {

constexpr int kLargestFactor = 16;     // largest factor of PixelShuffle; Interp: scales from 1 / 16 to 16
constexpr int kLargestCrop = 1 << 20;  // largest number of rows or columns that Crop may remove on one side
constexpr int kLargestPadding = 256;   // largest number of rows or columns that Padding may add on one side
constexpr int kPictureChannels = 3;
constexpr int kAny = 1 << 20;  // stands for any number of inputs or outputs

NcnnLayer read_input(NcnnReadContext& context) {
  context.attributes.ignore({0, 1});  // width and height: weir accepts pictures of any size
  context.attributes.require(2, kPictureChannels, kPictureChannels, "number of channels");
  return {Input{}, {}, {kPictureChannels, /*is_vector=*/false}};
}

NcnnLayerText layer_text(const Input&) { return {"Input", ""}; }

NcnnLayer read_split(NcnnReadContext& context) { return {Split{}, {}, context.inputs[0]}; }

NcnnLayerText layer_text(const Split&) { return {"Split", ""}; }

NcnnLayer read_pooling(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  attributes.require(0, 0, 1, "kind of pooling (1: average)");
  attributes.require(4, 0, 1, "global pooling");
  attributes.require(7, 0, 0, "adaptive pooling");
  // Size, stride and pad of a window: global pooling has no windows.
  attributes.ignore({1, 2, 3, 5, 6, 8, 11, 12, 13, 14, 15, 18});
  return {GlobalAverage{}, {}, {context.inputs[0].channels, /*is_vector=*/true}};
}

NcnnLayerText layer_text(const GlobalAverage&) { return {"Pooling", " 0=1 4=1"}; }

/// Reads parameter 0 of a BinaryOp: ncnn's number of the operation.
BinaryOp::Kind read_binary_kind(NcnnAttributes& attributes) {
  switch (attributes.read_integer(0, 0, 0, 7, "operation")) {
    case 0:
      return BinaryOp::Kind::add;
    case 1:
      return BinaryOp::Kind::sub;
    case 2:
      return BinaryOp::Kind::mul;
    case 3:
      return BinaryOp::Kind::div;
    case 7:
      return BinaryOp::Kind::rsub;
    default:
      break;
  }
  attributes.fail_unsupported("operation (parameter 0); supported: 0 add, 1 sub, 2 mul, 3 div, 7 rsub");
  return BinaryOp::Kind::add;
}

NcnnLayer read_binary(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  BinaryOp op;
  op.kind = read_binary_kind(attributes);
  op.with_scalar = attributes.read_integer(1, 0, 0, 1, "scalar operand") == 1;
  op.scalar = attributes.read_number(2, 0, "scalar");
  const std::size_t expected = op.with_scalar ? 1 : 2;
  if (context.inputs.size() != expected) {
    attributes.fail_corrupt(fmt::format("{} inputs, where the operation takes {}", context.inputs.size(), expected));
    return {op, {}, {}};
  }
  if (context.inputs[0].is_vector)
    attributes.fail_unsupported("the first input is a vector of channel means; supported: a picture");
  if (!op.with_scalar && context.inputs[0].channels != context.inputs[1].channels) {
    attributes.fail_unsupported(fmt::format("inputs of {} and {} channels; supported: equal numbers",
                                            context.inputs[0].channels, context.inputs[1].channels));
  }
  if (op.with_scalar && op.kind == BinaryOp::Kind::div && op.scalar == 0) attributes.fail_corrupt("division by zero");
  return {op, {}, context.inputs[0]};
}

NcnnLayerText layer_text(const BinaryOp& op) {
  const int numbers[] = {0, 1, 2, 3, 7};  // by BinaryOp::Kind: ncnn's numbers, as in read_binary_kind()
  const int kind = numbers[static_cast<std::size_t>(op.kind)];
  return {"BinaryOp", op.with_scalar ? fmt::format(" 0={} 1=1 2={}", kind, op.scalar) : fmt::format(" 0={}", kind)};
}

NcnnLayer read_eltwise(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  attributes.require(0, 0, 1, "operation (1: sum)");
  WeightedSum op;
  for (const double value : attributes.read_list(1, "coefficients"))
    op.coefficient.push_back(static_cast<float>(value));
  if (op.coefficient.empty()) op.coefficient.assign(context.inputs.size(), 1.0F);
  if (op.coefficient.size() != context.inputs.size()) {
    attributes.fail_corrupt(fmt::format("{} coefficients for {} inputs", op.coefficient.size(), context.inputs.size()));
  }
  for (const BlobShape& input : context.inputs) {
    if (input.channels == context.inputs[0].channels) continue;
    attributes.fail_corrupt(fmt::format("inputs of {} and {} channels", context.inputs[0].channels, input.channels));
  }
  return {std::move(op), {}, context.inputs[0]};
}

NcnnLayerText layer_text(const WeightedSum& op) {
  return {"Eltwise", fmt::format(" 0=1 -23301={},{}", op.coefficient.size(), fmt::join(op.coefficient, ","))};
}

/// The axis of a [c, h, w] blob that an axis number in a .param stands for.
enum class CropAxis { height, width, other };
CropAxis crop_axis(double axis) {
  if (axis == 1 || axis == -2) return CropAxis::height;
  return axis == 2 || axis == -1 ? CropAxis::width : CropAxis::other;
}

/// Returns the number of rows (or columns) that Crop's end position removes at the bottom (or right): a negative
/// position -n removes n of them; the largest int and -233, which ncnn writes for "to the end", remove none. Returns -1
/// for positions that are not supported.
int crop_at_end(double end) {
  if (end == INT_MAX || end == -233) return 0;
  return end < 0 && end >= -kLargestCrop ? static_cast<int>(-end) : -1;
}

NcnnLayer read_crop(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  const auto starts = attributes.read_list(9, "starts"), ends = attributes.read_list(10, "ends"),
             axes = attributes.read_list(11, "axes");
  Crop op;
  if (starts.empty() || starts.size() != ends.size() || starts.size() != axes.size()) {
    attributes.fail_unsupported("supported: lists of starts (parameter 9), ends (10) and axes (11) of one length");
    return {op, {}, context.inputs[0]};
  }
  for (std::size_t i = 0; i < axes.size(); ++i) {
    const CropAxis axis = crop_axis(axes[i]);
    const int end_crop = crop_at_end(ends[i]);
    if (axis == CropAxis::other || starts[i] < 0 || starts[i] > kLargestCrop || end_crop < 0) {
      attributes.fail_unsupported(
          fmt::format("start {}, end {}, axis {}; supported: a start of at least 0, an end counted from the end, "
                      "axes 1 and 2 (or -2 and -1)",
                      starts[i], ends[i], axes[i]));
      break;
    }
    int& near_side = axis == CropAxis::height ? op.top : op.left;
    int& far_side = axis == CropAxis::height ? op.bottom : op.right;
    if (near_side != 0 || far_side != 0) attributes.fail_corrupt("an axis is cropped twice");
    near_side = static_cast<int>(starts[i]);
    far_side = end_crop;
  }
  return {op, {}, context.inputs[0]};
}

NcnnLayerText layer_text(const Crop& op) {
  // The inverse of crop_at_end().
  const auto end = [](int cropped) { return cropped == 0 ? -233 : -cropped; };
  return {"Crop",
          fmt::format(" -23309=2,{},{} -23310=2,{},{} -23311=2,1,2", op.top, op.left, end(op.bottom), end(op.right))};
}

NcnnLayer read_concat(NcnnReadContext& context) {
  expect_planes(context);
  context.attributes.require(0, 0, 0, "axis");
  std::int64_t channels = 0;
  for (const BlobShape& input : context.inputs) channels += input.channels;
  if (channels > kMaxNcnnChannels) {
    context.attributes.fail_unsupported(fmt::format("{} channels; supported: up to {}", channels, kMaxNcnnChannels));
    channels = 1;
  }
  return {Concat{}, {}, {static_cast<int>(channels), /*is_vector=*/false}};
}

NcnnLayerText layer_text(const Concat&) { return {"Concat", " 0=0"}; }

NcnnLayer read_pixel_shuffle(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  PixelShuffle op;
  op.factor = attributes.read_integer(0, 1, 1, kLargestFactor, "factor");
  attributes.require(1, 0, 0, "order of channels");
  const int channels = context.inputs[0].channels, block = op.factor * op.factor;
  if (channels % block != 0)
    attributes.fail_corrupt(fmt::format("{} channels are not a multiple of {}", channels, block));
  return {op, {}, {std::max(1, channels / block), /*is_vector=*/false}};
}

NcnnLayerText layer_text(const PixelShuffle& op) { return {"PixelShuffle", fmt::format(" 0={}", op.factor)}; }

NcnnLayer read_interp(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  Interp op;
  const int kind = attributes.read_integer(0, 0, 1, 3, "kind (1 nearest, 2 bilinear, 3 bicubic)");
  op.kind = kind == 1 ? Interp::Kind::nearest : kind == 2 ? Interp::Kind::bilinear : Interp::Kind::bicubic;
  op.scale = attributes.read_number(1, 1, "height scale");
  const float width_scale = attributes.read_number(2, 1, "width scale");
  for (const int id : {3, 4}) attributes.require(id, 0, 0, "fixed size");
  attributes.require(5, 0, 0, "size from another layer");
  attributes.require(6, 0, 0, "aligned corners");
  if (width_scale != op.scale || op.scale < 1.0F / kLargestFactor || op.scale > kLargestFactor) {
    attributes.fail_unsupported(fmt::format("scales {} and {}; supported: equal, 1/{} to {}", op.scale, width_scale,
                                            kLargestFactor, kLargestFactor));
    op.scale = 1;
  }
  return {op, {}, context.inputs[0]};
}

NcnnLayerText layer_text(const Interp& op) {
  return {"Interp", fmt::format(" 0={} 1={} 2={}", static_cast<int>(op.kind) + 1, op.scale, op.scale)};
}

NcnnLayer read_padding(NcnnReadContext& context) {
  NcnnAttributes& attributes = context.attributes;
  expect_planes(context);
  Padding op;
  op.top = attributes.read_integer(0, 0, 0, kLargestPadding, "rows at the top");
  op.bottom = attributes.read_integer(1, 0, 0, kLargestPadding, "rows at the bottom");
  op.left = attributes.read_integer(2, 0, 0, kLargestPadding, "columns at the left");
  op.right = attributes.read_integer(3, 0, 0, kLargestPadding, "columns at the right");
  op.mode = static_cast<compute::PaddingMode>(
      attributes.read_integer(4, 0, 0, 2, "type (0 constant, 1 replicate, 2 reflect)"));
  op.value = attributes.read_number(5, 0, "value");
  attributes.require(6, 0, 0, "values of each channel");
  attributes.require(7, 0, 0, "channels in front");
  attributes.require(8, 0, 0, "channels behind");
  return {op, {}, context.inputs[0]};
}

NcnnLayerText layer_text(const Padding& op) {
  return {"Padding", fmt::format(" 0={} 1={} 2={} 3={} 4={} 5={}", op.top, op.bottom, op.left, op.right,
                                 static_cast<int>(op.mode), op.value)};
}

NcnnLayer read_relu(NcnnReadContext& context) {
  const float slope = context.attributes.read_number(0, 0, "slope");
  const auto kind = slope == 0 ? Activation::Kind::relu : Activation::Kind::leaky_relu;
  return {Pointwise{{kind, slope, 0}}, {}, context.inputs[0]};
}

NcnnLayer read_sigmoid(NcnnReadContext& context) {
  return {Pointwise{{Activation::Kind::sigmoid, 0, 0}}, {}, context.inputs[0]};
}

NcnnLayer read_noop(NcnnReadContext& context) { return {Pointwise{}, {}, context.inputs[0]}; }

NcnnLayer read_clip(NcnnReadContext& context) {
  constexpr float kMax = std::numeric_limits<float>::max();
  const float low = context.attributes.read_number(0, -kMax, "low bound");
  const float high = context.attributes.read_number(1, kMax, "high bound");
  if (low > high) context.attributes.fail_corrupt(fmt::format("low bound {} is above high bound {}", low, high));
  return {Pointwise{{Activation::Kind::clip, low, high}}, {}, context.inputs[0]};
}

NcnnLayerText layer_text(const Pointwise& op) {
  const Activation& activation = op.activation;
  switch (activation.kind) {
    case Activation::Kind::sigmoid:
      return {"Sigmoid", ""};
    case Activation::Kind::clip:
      return {"Clip", fmt::format(" 0={} 1={}", activation.a, activation.b)};
    case Activation::Kind::leaky_relu:
      return {"ReLU", fmt::format(" 0={}", activation.a)};
    case Activation::Kind::relu:
      return {"ReLU", ""};
    case Activation::Kind::none:
      break;
  }
  return {"Noop", ""};
}

/// A supported type of layers. Every layer has at least one output.
struct LayerType {
  std::string_view name;
  int fewest_inputs, most_inputs, most_outputs;
  NcnnLayer (*read)(NcnnReadContext&);
};

constexpr std::array kTypes{
    LayerType{"Input", 0, 0, 1, read_input},
    LayerType{"Convolution", 1, 1, 1, read_convolution},
    LayerType{"Deconvolution", 1, 1, 1, read_deconvolution},
    LayerType{"InnerProduct", 1, 1, 1, read_inner_product},
    LayerType{"Split", 1, 1, kAny, read_split},
    LayerType{"PReLU", 1, 1, 1, read_prelu},
    LayerType{"Pooling", 1, 1, 1, read_pooling},
    LayerType{"BinaryOp", 1, 2, 1, read_binary},
    LayerType{"Eltwise", 2, kAny, 1, read_eltwise},
    LayerType{"Crop", 1, 1, 1, read_crop},
    LayerType{"Concat", 1, kAny, 1, read_concat},
    LayerType{"PixelShuffle", 1, 1, 1, read_pixel_shuffle},
    LayerType{"Interp", 1, 1, 1, read_interp},
    LayerType{"Padding", 1, 1, 1, read_padding},
    LayerType{"ReLU", 1, 1, 1, read_relu},
    LayerType{"Sigmoid", 1, 1, 1, read_sigmoid},
    LayerType{"Clip", 1, 1, 1, read_clip},
    LayerType{"Noop", 1, 1, 1, read_noop},
};

const LayerType* find_type(std::string_view name) {
  const auto* type = std::find_if(kTypes.begin(), kTypes.end(), [&](const LayerType& t) { return t.name == name; });
  return type == kTypes.end() ? nullptr : type;
}

}  // namespace

void expect_planes(NcnnReadContext& context) {
  for (const BlobShape& input : context.inputs) {
    if (input.is_vector)
      context.attributes.fail_unsupported("an input is a vector of channel means; supported: pictures");
  }
}

bool is_ncnn_layer_supported(std::string_view type) { return find_type(type) != nullptr; }

std::string list_supported_ncnn_layers() {
  std::string names;
  for (const LayerType& type : kTypes) names.append(names.empty() ? "" : ", ").append(type.name);
  return names;
}

Result<NcnnLayer> read_ncnn_layer(const NcnnLine& line, std::span<const BlobShape> inputs, const std::string& file) {
  const auto error = [&](Errc code, const std::string& why) {
    return Error{code, fmt::format("{}:{}: {} {}: {}", file, line.number, line.type, line.name, why)};
  };
  const LayerType* type = find_type(line.type);
  if (type == nullptr) {
    return error(Errc::unsupported,
                 fmt::format("this layer is not supported; supported: {}", list_supported_ncnn_layers()));
  }
  const auto given_inputs = static_cast<std::int64_t>(inputs.size());
  const auto given_outputs = static_cast<std::int64_t>(line.outputs.size());
  if (given_inputs < type->fewest_inputs || given_inputs > type->most_inputs || given_outputs < 1 ||
      given_outputs > type->most_outputs) {
    return error(Errc::unsupported,
                 fmt::format("{} inputs and {} outputs are not supported for this layer", given_inputs, given_outputs));
  }
  NcnnAttributes attributes{line, file};
  NcnnReadContext context{attributes, inputs};
  NcnnLayer layer = type->read(context);
  if (auto status = attributes.finish(); !status) return status.error();
  return layer;
}

NcnnLayerText ncnn_layer_text(const Operation& operation) {
  return std::visit([](const auto& op) { return layer_text(op); }, operation);
}

}  // namespace weir::nn

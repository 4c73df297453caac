#include "nn/reference.hpp"

#include <algorithm>
#include <cmath>
#include <memory>

#include <fmt/format.h>

#include "base/round_up.hpp"
#include "compute/kernels/activation/activation_ref.hpp"
#include "compute/kernels/binary/binary_ref.hpp"
#include "compute/kernels/concat/concat_ref.hpp"
#include "compute/kernels/conv/conv_ref.hpp"
#include "compute/kernels/crop/crop_ref.hpp"
#include "compute/kernels/deconv/deconv_ref.hpp"
#include "compute/kernels/inner_product/inner_product_ref.hpp"
#include "compute/kernels/interp/interp_ref.hpp"
#include "compute/kernels/padding/padding_ref.hpp"
#include "compute/kernels/pixel_shuffle/pixel_shuffle_ref.hpp"
#include "compute/kernels/pooling/pooling_ref.hpp"
#include "compute/kernels/weighted_sum/weighted_sum_ref.hpp"

namespace weir::nn {

namespace {

using compute::Planes;

Planes apply_activation(Planes planes, const Activation& activation) {
  switch (activation.kind) {
    case Activation::Kind::none:
      break;
    case Activation::Kind::relu:
      compute::leaky_relu_ref(planes, 0);
      break;
    case Activation::Kind::leaky_relu:
      compute::leaky_relu_ref(planes, activation.a);
      break;
    case Activation::Kind::clip:
      compute::clip_ref(planes, activation.a, activation.b);
      break;
    case Activation::Kind::sigmoid:
      compute::sigmoid_ref(planes);
      break;
  }
  return planes;
}

template <class Kind>
compute::ConvGeometry make_geometry(const Kind& op) {
  return {op.out_channels, op.kernel, op.stride, op.pad};
}

compute::Binary convert_binary_kind(BinaryOp::Kind kind) {
  switch (kind) {
    case BinaryOp::Kind::add:
      return compute::Binary::add;
    case BinaryOp::Kind::sub:
      return compute::Binary::sub;
    case BinaryOp::Kind::mul:
      return compute::Binary::mul;
    case BinaryOp::Kind::div:
      return compute::Binary::div;
    case BinaryOp::Kind::rsub:
      break;
  }
  return compute::Binary::rsub;
}

}  // namespace

Planes Input::evaluate(const LayerInputs&) const { return {}; }
Planes Convolution::evaluate(const LayerInputs& in) const {
  return apply_activation(compute::conv_ref(*in[0], make_geometry(*this), weight, bias), activation);
}
Planes Deconvolution::evaluate(const LayerInputs& in) const {
  return apply_activation(compute::deconv_ref(*in[0], make_geometry(*this), weight, bias), activation);
}
Planes InnerProduct::evaluate(const LayerInputs& in) const {
  return apply_activation(compute::inner_product_ref(*in[0], weight, bias), activation);
}
Planes Split::evaluate(const LayerInputs& in) const { return *in[0]; }
Planes PRelu::evaluate(const LayerInputs& in) const {
  Planes out = *in[0];
  compute::prelu_ref(out, slope);
  return out;
}
Planes GlobalAverage::evaluate(const LayerInputs& in) const { return compute::global_average_ref(*in[0]); }
Planes BinaryOp::evaluate(const LayerInputs& in) const {
  const auto binary = convert_binary_kind(kind);
  return with_scalar ? compute::binary_ref(binary, *in[0], scalar) : compute::binary_ref(binary, *in[0], *in[1]);
}
Planes WeightedSum::evaluate(const LayerInputs& in) const { return compute::weighted_sum_ref(in, coefficient); }
Planes Crop::evaluate(const LayerInputs& in) const { return compute::crop_ref(*in[0], top, left, bottom, right); }
Planes Concat::evaluate(const LayerInputs& in) const { return compute::concat_ref(in); }
Planes PixelShuffle::evaluate(const LayerInputs& in) const { return compute::pixel_shuffle_ref(*in[0], factor); }
Planes Interp::evaluate(const LayerInputs& in) const {
  if (kind == Kind::nearest) return compute::interp_nearest_ref(*in[0], scale);
  if (kind == Kind::bilinear) return compute::interp_bilinear_ref(*in[0], scale);
  return compute::interp_bicubic_ref(*in[0], scale);
}
Planes Padding::evaluate(const LayerInputs& in) const {
  return compute::padding_ref(*in[0], top, left, bottom, right, mode, value);
}
Planes Pointwise::evaluate(const LayerInputs& in) const { return apply_activation(*in[0], activation); }

namespace {

/// Returns false for a layer that needs weights and has none, as in a graph that was read without weights.
bool has_weights(const Layer& layer) {
  // For layers with weights and biases: both have the sizes that follow from the layer's parameters.
  const auto filled = [](const auto& op) {
    std::size_t taps = 1;
    if constexpr (requires { op.kernel; })
      taps = static_cast<std::size_t>(op.kernel) * static_cast<std::size_t>(op.kernel);
    return op.bias.size() == static_cast<std::size_t>(op.out_channels) &&
           op.weight.size() == op.bias.size() * static_cast<std::size_t>(op.in_channels) * taps;
  };
  return std::visit(
      [&](const auto& op) {
        if constexpr (requires { op.weight; }) return filled(op);
        if constexpr (requires { op.slope; }) return !op.slope.empty();
        return true;
      },
      layer.operation);
}

/// Checks that run_reference() can run the graph on the picture.
Status check_runnable(const Graph& graph, const Planes& picture) {
  const auto extents = infer_extents(graph, {picture.height, picture.width});
  if (!extents) return extents.error();
  if (const int channels = graph.blobs[graph.input].channels; picture.channels != channels) {
    return Error{Errc::invalid_argument,
                 fmt::format("run reference: {} channels given, the network takes {}", picture.channels, channels)};
  }
  for (const Layer& layer : graph.layers) {
    if (has_weights(layer)) continue;
    return Error{Errc::invalid_argument, fmt::format("run reference: {} has no weights", describe(layer))};
  }
  return ok();
}

/// Returns, by blob index, how often layers read each blob.
std::vector<int> count_readers(const Graph& graph) {
  std::vector<int> readers(graph.blobs.size());
  for (const Layer& layer : graph.layers) {
    for (const int blob : layer.inputs) ++readers[blob];
  }
  return readers;
}

/// Returns the picture with a reflected border, extended at the right and the bottom to a multiple of the alignment.
Planes add_border(const Planes& in, const Family& family) {
  const auto with_border = [&](int n) { return round_up(n, family.align) + 2 * family.border; };
  Planes out{in.channels, with_border(in.height), with_border(in.width)};
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      const auto row = in.row(c, reflect_position(y - family.border, in.height));
      for (int x = 0; x < out.width; ++x) out.at(c, y, x) = row[reflect_position(x - family.border, in.width)];
    }
  }
  return out;
}

}  // namespace

int reflect_position(int position, int extent) {
  if (extent == 1) return 0;
  const int period = 2 * (extent - 1);  // the mirrored picture repeats after this number of pixels
  const int within = (position % period + period) % period;
  return within < extent ? within : period - within;
}

Result<Planes> run_reference(const Graph& graph, Planes picture) {
  if (auto status = check_runnable(graph, picture); !status) return status.error();
  std::vector<int> readers = count_readers(graph);
  std::vector<std::shared_ptr<const Planes>> blobs(graph.blobs.size());
  blobs[graph.input] = std::make_shared<Planes>(std::move(picture));
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Input>(layer.operation)) continue;
    LayerInputs inputs;
    for (const int blob : layer.inputs) inputs.push_back(blobs[blob].get());
    // The outputs of a Split share the values of its input.
    const bool is_split = std::holds_alternative<Split>(layer.operation);
    auto out = is_split ? blobs[layer.inputs[0]]
                        : std::make_shared<const Planes>(
                              std::visit([&](const auto& op) { return op.evaluate(inputs); }, layer.operation));
    for (const int blob : layer.outputs) blobs[blob] = out;
    for (const int blob : layer.inputs) {
      if (--readers[blob] == 0) blobs[blob].reset();  // frees the memory
    }
  }
  return *blobs[graph.output];
}

Result<Planes> upscale_reference(const Network& network, const Planes& picture) {
  const Family& family = network.family;
  auto result = run_reference(network.graph, add_border(picture, family));
  if (!result) return result;
  const int height = picture.height * family.scale, width = picture.width * family.scale;
  Planes out = compute::crop_ref(*result, family.crop, family.crop, result->height - family.crop - height,
                                 result->width - family.crop - width);
  if (!family.needs_enlarged_picture) return out;
  return compute::binary_ref(compute::Binary::add, out,
                             compute::interp_nearest_ref(picture, static_cast<float>(family.scale)));
}

Result<RgbPicture> upscale_reference(const Network& network, const RgbPicture& picture) {
  const auto planes = upscale_reference(network, to_planes(picture));
  if (!planes) return planes.error();
  return to_rgb(*planes);
}

Planes to_planes(const RgbPicture& picture) {
  Planes planes{3, picture.height, picture.width};
  const std::size_t pixels = planes.plane_size();
  assert(picture.values.size() == 3 * pixels);
  for (std::size_t i = 0; i < pixels; ++i) {
    for (std::size_t c = 0; c < 3; ++c) {
      planes.values[c * pixels + i] = static_cast<float>(picture.values[3 * i + c]) * (1.0F / 255.0F);
    }
  }
  return planes;
}

Result<RgbPicture> to_rgb(const Planes& planes) {
  assert(planes.channels == 3);
  const std::size_t pixels = planes.plane_size();
  RgbPicture picture{planes.height, planes.width, std::vector<std::uint8_t>(3 * pixels)};
  for (std::size_t c = 0; c < 3; ++c) {
    for (std::size_t i = 0; i < pixels; ++i) {
      const float value = planes.values[c * pixels + i];
      if (!std::isfinite(value)) {
        return Error{Errc::corrupt, fmt::format("the network's result has a value that is not finite, in row {}",
                                                i / static_cast<std::size_t>(planes.width))};
      }
      picture.values[3 * i + c] = static_cast<std::uint8_t>(std::clamp(value * 255.0F + 0.5F, 0.0F, 255.0F));
    }
  }
  return picture;
}

}  // namespace weir::nn

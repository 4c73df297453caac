#include "nn/graph.hpp"

#include <array>
#include <cmath>
#include <string>

#include <fmt/format.h>

namespace weir::nn {

namespace {

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 30;

/// Extents as 64-bit numbers, so that no arithmetic on a hostile graph overflows.
struct Size {
  std::int64_t height = 0, width = 0;
  bool operator==(const Size&) const = default;
};

Size convolved(Size in, const Convolution& op) {
  const auto along = [&](std::int64_t n) {
    const std::int64_t room = n + 2 * std::int64_t{op.pad} - op.kernel;
    return room < 0 ? 0 : room / op.stride + 1;
  };
  return {along(in.height), along(in.width)};
}

Size deconvolved(Size in, const Deconvolution& op) {
  const auto along = [&](std::int64_t n) { return (n - 1) * op.stride + op.kernel - 2 * std::int64_t{op.pad}; };
  return {along(in.height), along(in.width)};
}

Size resized(Size in, const Interp& op) {
  const auto along = [&](std::int64_t n) {
    return static_cast<std::int64_t>(static_cast<double>(n) * static_cast<double>(op.scale));
  };
  return {along(in.height), along(in.width)};
}

/// Extent of the outputs of a layer of which the first input is `in`.
Size output_size(const Operation& operation, Size in) {
  if (const auto* conv = std::get_if<Convolution>(&operation)) return convolved(in, *conv);
  if (const auto* deconv = std::get_if<Deconvolution>(&operation)) return deconvolved(in, *deconv);
  if (const auto* interp = std::get_if<Interp>(&operation)) return resized(in, *interp);
  if (const auto* shuffle = std::get_if<PixelShuffle>(&operation)) {
    return {in.height * shuffle->factor, in.width * shuffle->factor};
  }
  if (const auto* crop = std::get_if<Crop>(&operation)) {
    return {in.height - crop->top - crop->bottom, in.width - crop->left - crop->right};
  }
  return in;
}

/// Pixels of the output per pixel of the input, along one axis.
double scale_factor(const Operation& operation) {
  if (const auto* conv = std::get_if<Convolution>(&operation)) return 1.0 / conv->stride;
  if (const auto* deconv = std::get_if<Deconvolution>(&operation)) return deconv->stride;
  if (const auto* interp = std::get_if<Interp>(&operation)) return static_cast<double>(interp->scale);
  if (const auto* shuffle = std::get_if<PixelShuffle>(&operation)) return shuffle->factor;
  return 1;
}

std::string text(Size size) { return fmt::format("{} x {}", size.height, size.width); }

Error bad_layer(const Layer& layer, const std::string& why) {
  return {Errc::invalid_argument, fmt::format("{}: {}", describe(layer), why)};
}

Result<Size> layer_size(const Graph& graph, const Layer& layer, const std::vector<Extent>& extents) {
  Size first{};
  bool found = false;
  for (const int blob : layer.inputs) {
    if (graph.blobs[blob].vector) continue;
    const Size size{extents[blob].height, extents[blob].width};
    if (found && size != first) {
      return bad_layer(layer, fmt::format("its inputs are {} and {} pixels", text(first), text(size)));
    }
    first = size;
    found = true;
  }
  const Size out = output_size(layer.operation, first);
  if (out.height < 1 || out.width < 1) {
    return bad_layer(layer, fmt::format("an input of {} pixels leaves nothing", text(first)));
  }
  if (out.height > kLargestExtent || out.width > kLargestExtent) {
    return bad_layer(layer, fmt::format("an output of {} pixels is above the limit of 2^30", text(out)));
  }
  return out;
}

}  // namespace

std::string_view kind_of(const Operation& operation) {
  static constexpr std::array<std::string_view, std::variant_size_v<Operation>> kNames{
      "Input",    "Convolution", "Deconvolution", "InnerProduct", "Split",        "PReLU",  "GlobalAverage",
      "BinaryOp", "WeightedSum", "Crop",          "Concat",       "PixelShuffle", "Interp", "Activation"};
  return kNames[operation.index()];
}

std::string describe(const Layer& layer) {
  return fmt::format("line {}: {} {}", layer.line, kind_of(layer.operation), layer.name);
}

Result<std::vector<Extent>> infer_extents(const Graph& graph, Extent input) {
  if (input.height < 1 || input.width < 1 || input.height > kLargestExtent || input.width > kLargestExtent) {
    return Error{Errc::invalid_argument, fmt::format("infer extents: an input of {} pixels is outside 1 to 2^30",
                                                     text({input.height, input.width}))};
  }
  std::vector<Extent> extents(graph.blobs.size());
  extents[graph.input] = input;
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Input>(layer.operation)) continue;
    if (graph.blobs[layer.outputs[0]].vector) continue;
    auto size = layer_size(graph, layer, extents);
    if (!size) return size.error();
    for (const int blob : layer.outputs) {
      extents[blob] = {static_cast<int>(size->height), static_cast<int>(size->width)};
    }
  }
  return extents;
}

Result<std::vector<double>> blob_scales(const Graph& graph) {
  std::vector<double> scales(graph.blobs.size());
  scales[graph.input] = 1;
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Input>(layer.operation) || graph.blobs[layer.outputs[0]].vector) continue;
    double scale = 0;
    for (const int blob : layer.inputs) {
      if (graph.blobs[blob].vector) continue;
      if (scale != 0 && std::abs(scales[blob] / scale - 1) > 1e-6) {
        return bad_layer(layer, fmt::format("its inputs are enlarged {} and {} times", scale, scales[blob]));
      }
      scale = scales[blob];
    }
    for (const int blob : layer.outputs) scales[blob] = scale * scale_factor(layer.operation);
  }
  return scales;
}

Result<double> multiplications_per_pixel(const Graph& graph) {
  const auto scales = blob_scales(graph);
  if (!scales) return scales.error();
  double sum = 0;
  for (const Layer& layer : graph.layers) {
    if (const auto* conv = std::get_if<Convolution>(&layer.operation)) {
      const double scale = (*scales)[layer.outputs[0]];
      sum += scale * scale * conv->in_channels * conv->out_channels * conv->kernel * conv->kernel;
    } else if (const auto* deconv = std::get_if<Deconvolution>(&layer.operation)) {
      const double scale = (*scales)[layer.inputs[0]];
      sum += scale * scale * deconv->in_channels * deconv->out_channels * deconv->kernel * deconv->kernel;
    }
  }
  return sum;
}

}  // namespace weir::nn

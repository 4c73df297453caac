#include "nn/graph.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <variant>

#include <fmt/format.h>

namespace weir::nn {

namespace {

constexpr std::int64_t kLargestExtent = std::int64_t{1} << 30;  // largest supported height or width, in pixels

/// Returns the extent of a layer's outputs if its first input has the extent `in`.
Extent64 output_size(const Operation& operation, Extent64 in) {
  return std::visit(
      [&](const auto& one) {
        if constexpr (requires { one.output_size(in); }) return one.output_size(in);
        return in;
      },
      operation);
}

/// Returns the pixels of the output per pixel of the input, along one axis.
double scale_factor(const Operation& operation) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.enlargement(); }) return one.enlargement();
        return 1.0;
      },
      operation);
}

/// Returns the multiplications per pixel of the output.
double multiplications(const Operation& operation) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.multiplications(); }) return one.multiplications();
        return 0.0;
      },
      operation);
}

std::string size_text(Extent64 size) { return fmt::format("{} x {}", size.height, size.width); }

Error layer_error(const Layer& layer, const std::string& why) {
  return {Errc::invalid_argument, fmt::format("{}: {}", describe(layer), why)};
}

/// Returns the extent of the layer's outputs; `extents` has the extents of its inputs, by blob index. Errors:
/// invalid_argument.
Result<Extent64> layer_size(const Graph& graph, const Layer& layer, const std::vector<Extent>& extents) {
  Extent64 first{};
  bool found = false;
  for (const int blob : layer.inputs) {
    if (graph.blobs[blob].is_vector) continue;
    const Extent64 size{extents[blob].height, extents[blob].width};
    if (found && size != first) {
      return layer_error(layer, fmt::format("its inputs are {} and {} pixels", size_text(first), size_text(size)));
    }
    first = size;
    found = true;
  }
  const Extent64 out = output_size(layer.operation, first);
  if (out.height < 1 || out.width < 1) {
    return layer_error(layer, fmt::format("an input of {} pixels is too small", size_text(first)));
  }
  if (out.height > kLargestExtent || out.width > kLargestExtent) {
    return layer_error(layer, fmt::format("an output of {} pixels is above the limit of 2^30", size_text(out)));
  }
  return out;
}

}  // namespace

std::string_view kind_name(const Operation& operation) {
  return std::visit([](const auto& one) { return one.kName; }, operation);
}

bool adds_padding(const Operation& operation) {
  return std::visit(
      [](const auto& one) {
        if constexpr (requires { one.adds_padding(); }) return one.adds_padding();
        return false;
      },
      operation);
}

const Layer* find_uneven_layer(const Graph& graph) {
  const auto uneven = [](const Layer& layer) {
    return std::visit(
        [](const auto& one) {
          if constexpr (requires { one.treats_edges_alike(); }) return !one.treats_edges_alike();
          return false;
        },
        layer.operation);
  };
  const auto found = std::find_if(graph.layers.begin(), graph.layers.end(), uneven);
  return found == graph.layers.end() ? nullptr : &*found;
}

std::string describe(const Layer& layer) {
  return fmt::format("line {}: {} {}", layer.line, kind_name(layer.operation), layer.name);
}

Result<std::vector<Extent>> infer_extents(const Graph& graph, Extent input) {
  if (input.height < 1 || input.width < 1 || input.height > kLargestExtent || input.width > kLargestExtent) {
    return Error{Errc::invalid_argument, fmt::format("infer extents: an input of {} pixels is outside 1 to 2^30",
                                                     size_text({input.height, input.width}))};
  }
  std::vector<Extent> extents(graph.blobs.size());
  extents[graph.input] = input;
  for (const Layer& layer : graph.layers) {
    if (std::holds_alternative<Input>(layer.operation)) continue;
    if (graph.blobs[layer.outputs[0]].is_vector) continue;
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
    if (std::holds_alternative<Input>(layer.operation) || graph.blobs[layer.outputs[0]].is_vector) continue;
    double scale = 0;  // that of the layer's inputs; 0: not known yet
    for (const int blob : layer.inputs) {
      if (graph.blobs[blob].is_vector) continue;
      if (scale != 0 && std::abs(scales[blob] / scale - 1) > 1e-6) {
        return layer_error(layer, fmt::format("its inputs are enlarged {} and {} times", scale, scales[blob]));
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
    const double scale = (*scales)[layer.outputs[0]];
    sum += scale * scale * multiplications(layer.operation);
  }
  return sum;
}

}  // namespace weir::nn

#include "nn/train/graph_builder.hpp"

#include <fmt/format.h>

#include <utility>

namespace weir::nn::train {

namespace {

/// Reorders weights [taps, rows, columns] of a parameter to the order of ncnn's files: [columns, rows, taps] if
/// `columns_outer`, else [rows, columns, taps].
std::vector<float> reorder_for_ncnn(const std::vector<float>& values, int taps, int rows, int columns,
                                    bool columns_outer) {
  std::vector<float> reordered(values.size());
  const auto to_index = [](int i) { return static_cast<std::size_t>(i); };
  for (int t = 0; t < taps; ++t) {
    for (int r = 0; r < rows; ++r) {
      for (int c = 0; c < columns; ++c) {
        const int matrix_index = columns_outer ? c * rows + r : r * columns + c;
        reordered[to_index(matrix_index) * to_index(taps) + to_index(t)] =
            values[(to_index(t) * to_index(rows) + to_index(r)) * to_index(columns) + to_index(c)];
      }
    }
  }
  return reordered;
}

}  // namespace

std::vector<float> GraphBuilder::read_values(const Parameter& parameter) {
  std::vector<float> values(parameter.shape.count());
  if (status_) status_ = device_.read(parameter.value.operand(), values);
  return values;
}

int GraphBuilder::add_layer(const std::string& name_prefix, std::vector<int> inputs, Operation operation,
                            int channels) {
  const int blob = static_cast<int>(graph_.blobs.size());
  const std::string name = fmt::format("{}_{}", name_prefix, graph_.layers.size());
  graph_.blobs.push_back({channels, /*is_vector=*/false});
  graph_.blob_names.push_back(name);
  graph_.layers.push_back(
      {.name = name, .line = 0, .inputs = std::move(inputs), .outputs = {blob}, .operation = std::move(operation)});
  return blob;
}

int GraphBuilder::add_input(int channels) { return graph_.input = add_layer("input", {}, Input{}, channels); }

int GraphBuilder::add_convolution(int in, const Parameter& weights, const Parameter& bias, Window window) {
  const int in_c = channels_of(in), out_c = weights.shape.c;
  Convolution op{in_c, out_c, window.kernel, window.stride, window.padding, {}, {}, read_values(bias)};
  op.weight =
      reorder_for_ncnn(read_values(weights), window.kernel * window.kernel, in_c, out_c, /*columns_outer=*/true);
  return add_layer("conv", {in}, std::move(op), out_c);
}

// The weights of a transposed convolution are [kernel * kernel * out, in].
int GraphBuilder::add_deconvolution(int in, const Parameter& weights, const Parameter& bias, Window window) {
  const int in_c = channels_of(in), out_c = bias.shape.c;
  Deconvolution op{in_c, out_c, window.kernel, window.stride, window.padding, {}, {}, read_values(bias)};
  op.weight =
      reorder_for_ncnn(read_values(weights), window.kernel * window.kernel, out_c, in_c, /*columns_outer=*/false);
  return add_layer("deconv", {in}, std::move(op), out_c);
}

int GraphBuilder::add_prelu(int in, const Parameter& slopes) {
  return add_layer("prelu", {in}, nn::PRelu{read_values(slopes)}, channels_of(in));
}
int GraphBuilder::add_activation(int in, Activation activation) {
  return add_layer("act", {in}, Pointwise{activation}, channels_of(in));
}
int GraphBuilder::add_pixel_shuffle(int in, int factor) {
  return add_layer("shuffle", {in}, nn::PixelShuffle{factor}, channels_of(in) / (factor * factor));
}
int GraphBuilder::add_resize(int in, Interp::Kind kind, float scale) {
  return add_layer("resize", {in}, Interp{kind, scale}, channels_of(in));
}
int GraphBuilder::add_sum(int a, int b) { return add_layer("add", {a, b}, BinaryOp{}, channels_of(a)); }
int GraphBuilder::add_concat(std::span<const int> blobs) {
  int channels = 0;
  for (const int blob : blobs) channels += channels_of(blob);
  return add_layer("concat", {blobs.begin(), blobs.end()}, nn::Concat{}, channels);
}

void GraphBuilder::insert_splits() {
  std::vector<int> uses(graph_.blobs.size());  // by blob: how often layers read it
  for (const Layer& layer : graph_.layers) {
    for (const int blob : layer.inputs) ++uses[static_cast<std::size_t>(blob)];
  }
  // by blob: the outputs of its Split that no layer reads yet
  std::vector<std::vector<int>> copies(graph_.blobs.size());
  std::vector<Layer> layers;
  for (Layer& layer : graph_.layers) {
    for (int& blob : layer.inputs) {
      auto& unused = copies[static_cast<std::size_t>(blob)];
      if (unused.empty()) continue;  // only this layer reads the blob
      blob = unused.back();
      unused.pop_back();
    }
    const int output = layer.outputs.front();
    const int readers = static_cast<std::size_t>(output) < uses.size() ? uses[static_cast<std::size_t>(output)] : 0;
    layers.push_back(std::move(layer));
    if (readers < 2) continue;
    const std::string& name = graph_.blob_names[static_cast<std::size_t>(output)];
    Layer split{.name = "split_" + name, .line = 0, .inputs = {output}, .outputs = {}, .operation = Split{}};
    for (int i = 0; i < readers; ++i) {
      split.outputs.push_back(static_cast<int>(graph_.blobs.size()));
      graph_.blob_names.push_back(fmt::format("{}_copy_{}", graph_.blob_names[static_cast<std::size_t>(output)], i));
      graph_.blobs.push_back(graph_.blobs[static_cast<std::size_t>(output)]);
    }
    // In reverse, because the loop above takes the copies from the back.
    copies[static_cast<std::size_t>(output)].assign(split.outputs.rbegin(), split.outputs.rend());
    layers.push_back(std::move(split));
  }
  graph_.layers = std::move(layers);
}

Status GraphBuilder::check_output(int output) const {
  std::vector<bool> used(graph_.blobs.size());
  for (const Layer& layer : graph_.layers) {
    for (const int blob : layer.inputs) used[static_cast<std::size_t>(blob)] = true;
  }
  for (std::size_t blob = 0; blob < used.size(); ++blob) {
    const bool is_output = blob == static_cast<std::size_t>(output);
    if (used[blob] != is_output) continue;
    return Error{Errc::unsupported,
                 fmt::format("finish graph: blob '{}' is {}", graph_.blob_names[blob],
                             is_output ? "the output, but a layer uses it" : "not the output, and no layer uses it")};
  }
  return ok();
}

Result<Graph> GraphBuilder::finish(int output) {
  if (!status_) return status_.error();
  if (auto checked = check_output(output); !checked) return checked.error();
  graph_.output = output;
  insert_splits();
  return std::move(graph_);
}

}  // namespace weir::nn::train

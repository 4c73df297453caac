#include "nn/program.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "nn/lowering.hpp"

namespace weir::nn {

Lowering::Lowering(const Graph& graph) : graph_{graph}, values_(graph.blobs.size()), uses_(graph.blobs.size(), 0) {
  program_.vector_level.assign(graph.blobs.size(), 0);
  count_uses();
}

Result<Program> Lowering::run() && {
  for (layer_ = 0; layer_ < static_cast<int>(graph_.layers.size()); ++layer_) {
    const Layer& layer = graph_.layers[index(layer_)];
    auto status = std::visit([&](const auto& operation) { return operation.lower(*this, layer); }, layer.operation);
    if (!status) return status.error();
    if (program_.ops.size() > kMostOps) {
      return unsupported(fmt::format("more than {} operations up to here", kMostOps));
    }
  }
  layer_ = static_cast<int>(graph_.layers.size()) - 1;
  const View& result = view_of(graph_.output);
  if (result.gate >= 0 || result.cropped) {
    return unsupported("a cropped or gated result is read where that is not supported");
  }
  program_.output = result.tensor;
  return std::move(program_);
}

Error Lowering::unsupported(std::string_view why) const {
  const Layer& layer = graph_.layers[index(layer_)];
  return Error{Errc::unsupported, fmt::format("line {}: layer {}: {}", layer.line, layer.name, why)};
}

Status Lowering::read_beyond(const std::vector<View>& inputs) const {
  for (const View& v : inputs) {
    if (v.cropped) return unsupported("a crop followed by an operation that reads beyond its edge");
  }
  return ok();
}

void Lowering::count_uses() {
  std::vector<int> origin(graph_.blobs.size());
  for (std::size_t i = 0; i < origin.size(); ++i) origin[i] = static_cast<int>(i);
  for (const Layer& layer : graph_.layers) {
    if (std::holds_alternative<Split>(layer.operation)) {
      for (const int out : layer.outputs) origin[index(out)] = origin[index(layer.inputs[0])];
      continue;
    }
    for (const int in : layer.inputs) ++uses_[index(origin[index(in)])];
  }
  ++uses_[index(origin[index(graph_.output)])];
  for (std::size_t i = 0; i < origin.size(); ++i) uses_[i] = uses_[index(origin[i])];
}

int Lowering::add_tensor(int blob) {
  Tensor t;
  t.channels = shape(blob).channels;
  t.blob = blob;
  t.producer = static_cast<int>(program_.ops.size());
  t.planar = t.channels <= compute::kMostPlanarChannels;
  program_.tensors.push_back(t);
  return static_cast<int>(program_.tensors.size()) - 1;
}

void Lowering::emit(Op o, int blob) {
  o.layer = layer_;
  o.output = add_tensor(blob);
  value(blob).parts = {View{o.output}};
  program_.ops.push_back(std::move(o));
}

void Lowering::emit_vector(const Layer& layer, int blob) {
  const int in = layer.inputs[0];
  program_.vector_ops.push_back(VectorOp{layer_, in, blob});
  program_.vector_level[index(blob)] = program_.vector_level[index(in)];
}

Op* Lowering::open_producer(int blob) {
  const Value& v = value(blob);
  if (uses(blob) != 1 || v.parts.size() != 1) return nullptr;
  const View& view = v.parts[0];
  if (view.gate >= 0 || view.cropped) return nullptr;
  Op& o = op(tensor(view.tensor).producer);
  if (o.kind != OpKind::conv3x3 && o.kind != OpKind::patch && o.kind != OpKind::direct) return nullptr;
  if (o.epilogue.has_residual) return nullptr;
  return &o;
}

void Lowering::rename(Op& o, int blob) {
  tensor(o.output).blob = blob;
  value(blob).parts = {View{o.output}};
}

Epilogue epilogue_of(const std::vector<float>& bias, const Activation& activation, int channels) {
  Epilogue e;
  e.bias = bias;
  e.bias.resize(index(channels), 0.0F);
  float slope = 1;
  if (activation.kind == Activation::Kind::relu) slope = 0;
  if (activation.kind == Activation::Kind::leaky_relu) slope = activation.a;
  e.slope.assign(index(channels), slope);
  return e;
}

bool fits_epilogue(const Activation& a) {
  return a.kind == Activation::Kind::none || a.kind == Activation::Kind::relu || a.kind == Activation::Kind::leaky_relu;
}

Result<Program> lower(const Graph& graph) { return Lowering{graph}.run(); }

int level_of(const Program& program, const Op& op) {
  int level = 0;
  const auto look = [&](const View& v) {
    if (v.gate >= 0) level = std::max(level, program.vector_level[static_cast<std::size_t>(v.gate)]);
  };
  for (const View& v : op.inputs) look(v);
  if (op.epilogue.has_residual) look(op.epilogue.residual);
  return level;
}

}  // namespace weir::nn

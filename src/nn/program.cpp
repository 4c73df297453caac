#include "nn/program.hpp"

#include <algorithm>
#include <utility>
#include <variant>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "nn/lowering.hpp"

namespace weir::nn {

Lowering::Lowering(const Graph& graph)
    : graph_{graph}, lowered_blobs_(graph.blobs.size()), reader_counts_(graph.blobs.size(), 0) {
  program_.required_means.assign(graph.blobs.size(), 0);
  count_all_readers();
}

Result<Program> Lowering::run() && {
  for (layer_ = 0; layer_ < static_cast<int>(graph_.layers.size()); ++layer_) {
    const Layer& layer = graph_.layers[to_index(layer_)];
    auto status = std::visit([&](const auto& operation) { return operation.lower(*this, layer); }, layer.operation);
    if (!status) return status.error();
    if (program_.ops.size() > kMaxOps) {
      return unsupported(fmt::format("more than {} operations up to here", kMaxOps));
    }
  }
  layer_ = static_cast<int>(graph_.layers.size()) - 1;  // for the message of the error
  const TensorView& result = first_part(graph_.output);
  if (result.gate >= 0 || result.cropped) {
    return unsupported("a crop, or a product with a vector, as the last step is not supported");
  }
  program_.output = result.tensor;
  return std::move(program_);
}

Error Lowering::unsupported(std::string_view why) const {
  const Layer& layer = graph_.layers[to_index(layer_)];
  return Error{Errc::unsupported, fmt::format("line {}: layer {}: {}", layer.line, layer.name, why)};
}

Status Lowering::check_not_cropped(const std::vector<TensorView>& inputs) const {
  for (const TensorView& v : inputs) {
    if (v.cropped) return unsupported("a crop followed by an operation that reads beyond its edge");
  }
  return ok();
}

void Lowering::count_all_readers() {
  std::vector<int> origin(graph_.blobs.size());  // by blob index: the blob of which Split layers make this copy
  for (std::size_t i = 0; i < origin.size(); ++i) origin[i] = static_cast<int>(i);
  for (const Layer& layer : graph_.layers) {
    if (std::holds_alternative<Split>(layer.operation)) {
      for (const int out : layer.outputs) origin[to_index(out)] = origin[to_index(layer.inputs[0])];
      continue;
    }
    for (const int in : layer.inputs) ++reader_counts_[to_index(origin[to_index(in)])];
  }
  ++reader_counts_[to_index(origin[to_index(graph_.output)])];
  for (std::size_t i = 0; i < origin.size(); ++i) reader_counts_[i] = reader_counts_[to_index(origin[i])];
}

int Lowering::add_tensor(int blob) {
  ProgramTensor added;
  added.channels = shape(blob).channels;
  added.blob = blob;
  added.producer = static_cast<int>(program_.ops.size());
  added.planar = added.channels <= compute::kMaxPlanarChannels;
  program_.tensors.push_back(added);
  return static_cast<int>(program_.tensors.size()) - 1;
}

void Lowering::emit(Op added, int blob) {
  added.layer = layer_;
  added.output = add_tensor(blob);
  lowered_blob(blob).parts = {TensorView{added.output}};
  program_.ops.push_back(std::move(added));
}

void Lowering::emit_vector_op(const Layer& layer, int blob) {
  const int in = layer.inputs[0];
  program_.vector_ops.push_back(VectorOp{layer_, in, blob});
  program_.required_means[to_index(blob)] = program_.required_means[to_index(in)];
}

Op* Lowering::find_open_producer(int blob) {
  const LoweredBlob& lowered = lowered_blob(blob);
  if (count_readers(blob) != 1 || lowered.parts.size() != 1) return nullptr;
  const TensorView& view = lowered.parts[0];
  if (view.gate >= 0 || view.cropped) return nullptr;
  Op& producer = op(tensor(view.tensor).producer);
  if (producer.kind != OpKind::conv3x3 && producer.kind != OpKind::patch && producer.kind != OpKind::direct)
    return nullptr;
  if (producer.epilogue.has_residual) return nullptr;
  return &producer;
}

void Lowering::set_output_blob(Op& producer, int blob) {
  tensor(producer.output).blob = blob;
  lowered_blob(blob).parts = {TensorView{producer.output}};
}

Epilogue epilogue_of(const std::vector<float>& bias, const Activation& activation, int channels) {
  Epilogue epilogue;
  epilogue.bias = bias;
  epilogue.bias.resize(to_index(channels), 0.0F);
  float slope = 1;
  if (activation.kind == Activation::Kind::relu) slope = 0;
  if (activation.kind == Activation::Kind::leaky_relu) slope = activation.a;
  epilogue.slope.assign(to_index(channels), slope);
  return epilogue;
}

bool fits_epilogue(const Activation& a) {
  return a.kind == Activation::Kind::none || a.kind == Activation::Kind::relu || a.kind == Activation::Kind::leaky_relu;
}

Result<Program> lower(const Graph& graph) { return Lowering{graph}.run(); }

int count_required_means(const Program& program, const Op& op) {
  int count = 0;
  const auto visit = [&](const TensorView& v) {
    if (v.gate >= 0) count = std::max(count, program.required_means[static_cast<std::size_t>(v.gate)]);
  };
  for (const TensorView& v : op.inputs) visit(v);
  if (op.epilogue.has_residual) visit(op.epilogue.residual);
  return count;
}

}  // namespace weir::nn

#include "nn/cpu/vector_values.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "compute/kernels/kernels.hpp"
#include "nn/multi_pass_run.hpp"

namespace weir::nn {

namespace {

float apply_activation(const Activation& a, float x) {
  switch (a.kind) {
    case Activation::Kind::none:
      return x;
    case Activation::Kind::relu:
      return x < 0 ? 0 : x;
    case Activation::Kind::leaky_relu:
      return x < 0 ? x * a.a : x;
    case Activation::Kind::clip:
      return std::clamp(x, a.a, a.b);
    case Activation::Kind::sigmoid:
      return 1.0F / (1.0F + std::exp(-x));
  }
  return x;
}

/// Returns the output vector of a layer on vectors: an InnerProduct, an activation, or a Split.
std::vector<float> evaluate_vector_layer(const Operation& operation, const std::vector<float>& in) {
  std::vector<float> out;
  if (const auto* product = std::get_if<InnerProduct>(&operation)) {
    for (int o = 0; o < product->out_channels; ++o) {
      float sum = product->bias[static_cast<std::size_t>(o)];
      for (std::size_t i = 0; i < in.size(); ++i)
        sum += product->weight[static_cast<std::size_t>(o) * in.size() + i] * in[i];
      out.push_back(apply_activation(product->activation, sum));
    }
    return out;
  }
  out = in;  // a Split copies its input
  if (const auto* pointwise = std::get_if<Pointwise>(&operation)) {
    for (float& x : out) x = apply_activation(pointwise->activation, x);
  }
  return out;
}

}  // namespace

VectorValues::VectorValues(const Graph& graph, const Program& program)
    : graph_{graph}, program_{program}, values_(graph.blobs.size()) {}

void VectorValues::set_means(int blob, std::vector<float> means) {
  values_[static_cast<std::size_t>(blob)] = std::move(means);
  for (const std::size_t op_index : find_dependent_vector_ops(program_, blob)) {
    const VectorOp& op = program_.vector_ops[op_index];
    values_[to_index(op.output)] =
        evaluate_vector_layer(graph_.layers[to_index(op.layer)].operation, values_[to_index(op.input)]);
  }
}

const float* VectorValues::gate_factors(int blob) {
  const std::vector<float>& values = values_[static_cast<std::size_t>(blob)];
  std::vector<float>& padded = padded_[blob];
  padded = values;
  padded.resize(static_cast<std::size_t>(compute::padded_channels(static_cast<int>(values.size()))), 1.0F);
  return padded.data();
}

}  // namespace weir::nn

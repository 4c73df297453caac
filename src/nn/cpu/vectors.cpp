#include "nn/cpu/vectors.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <variant>

#include "compute/kernels/kernels.hpp"
#include "nn/pass_walk.hpp"

namespace weir::nn {

namespace {

float act(const Activation& a, float x) {
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

std::vector<float> result_of(const Operation& operation, const std::vector<float>& in) {
  std::vector<float> out;
  if (const auto* product = std::get_if<InnerProduct>(&operation)) {
    for (int o = 0; o < product->out_channels; ++o) {
      float sum = product->bias[static_cast<std::size_t>(o)];
      for (std::size_t i = 0; i < in.size(); ++i)
        sum += product->weight[static_cast<std::size_t>(o) * in.size() + i] * in[i];
      out.push_back(act(product->activation, sum));
    }
    return out;
  }
  out = in;
  if (const auto* pointwise = std::get_if<Pointwise>(&operation)) {
    for (float& x : out) x = act(pointwise->activation, x);
  }
  return out;
}

}  // namespace

Vectors::Vectors(const Graph& graph, const Program& program)
    : graph_{graph}, program_{program}, values_(graph.blobs.size()) {}

void Vectors::set(int blob, std::vector<float> value) {
  values_[static_cast<std::size_t>(blob)] = std::move(value);
  for (const std::size_t v : vector_ops_after(program_, blob)) {
    const VectorOp& op = program_.vector_ops[v];
    values_[index(op.output)] = result_of(graph_.layers[index(op.layer)].operation, values_[index(op.input)]);
  }
}

const float* Vectors::gate(int blob) {
  auto& value = values_[static_cast<std::size_t>(blob)];
  auto& padded = padded_[blob];
  padded = value;
  padded.resize(static_cast<std::size_t>(compute::padded_channels(static_cast<int>(value.size()))), 1.0F);
  return padded.data();
}

}  // namespace weir::nn

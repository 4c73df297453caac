#pragma once

// Compares the results of a network on every instruction set of this machine with the reference implementation. Does
// not use gtest, because a fuzzer uses it too.

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "compute/kernels/kernels.hpp"
#include "compute/kernels/planes/planes_ref.hpp"
#include "compute/thread_team.hpp"
#include "networks/generate_network.hpp"
#include "nn/cpu/packed_weights.hpp"
#include "nn/cpu/runner.hpp"
#include "nn/graph.hpp"
#include "nn/program.hpp"
#include "nn/reference.hpp"

namespace weir::test {

namespace detail {

/// A picture in memory as the input of a network.
class PlanesRows final : public nn::InputRows {
 public:
  explicit PlanesRows(const compute::Planes& planes) : planes_{planes} {}
  Status rewind() override { return ok(); }
  Status fill(const nn::PlanarRows& rows) override {
    for (int i = 0; i < rows.count; ++i) {
      for (int c = 0; c < rows.planes; ++c) {
        const auto from = planes_.row(c, rows.first + i);
        std::copy_n(from.begin() + rows.left, rows.width,
                    rows.row[static_cast<std::size_t>(i)] + c * rows.plane_stride);
      }
    }
    return ok();
  }

 private:
  const compute::Planes& planes_;
};

/// Upper bounds of the absolute values in each blob of a graph, for pictures with values from 0 to 1. The call
/// operators return the bound of a layer's outputs.
class MagnitudeBounds {
 public:
  explicit MagnitudeBounds(const nn::Graph& graph) : bounds_(graph.blobs.size(), 0) {
    for (const nn::Layer& layer : graph.layers) {
      input_bounds_.clear();
      for (const int blob : layer.inputs) input_bounds_.push_back(bounds_[static_cast<std::size_t>(blob)]);
      const double most = std::visit(*this, layer.operation);
      for (const int blob : layer.outputs) bounds_[static_cast<std::size_t>(blob)] = most;
    }
  }
  double bound_of(int blob) const { return bounds_[static_cast<std::size_t>(blob)]; }
  double largest() const { return *std::max_element(bounds_.begin(), bounds_.end()); }

  double operator()(const nn::Input&) const { return 1; }
  double operator()(const nn::Convolution& c) const { return bound_of_sums(c, c.kernel * c.kernel); }
  double operator()(const nn::Deconvolution& c) const { return bound_of_sums(c, c.kernel * c.kernel); }
  double operator()(const nn::InnerProduct& p) const { return bound_of_sums(p, 1); }
  double operator()(const nn::PRelu& p) const {
    double most = 1;
    for (const float slope : p.slope) most = std::max(most, std::fabs(static_cast<double>(slope)));
    return input_bounds_[0] * most;
  }
  double operator()(const nn::BinaryOp& b) const {
    using Kind = nn::BinaryOp::Kind;
    const double other = b.with_scalar ? std::fabs(static_cast<double>(b.scalar)) : input_bounds_[1];
    if (b.kind == Kind::mul) return input_bounds_[0] * other;
    if (b.kind == Kind::div) return b.with_scalar ? input_bounds_[0] / other : std::numeric_limits<double>::infinity();
    return input_bounds_[0] + other;
  }
  double operator()(const nn::WeightedSum& s) const {
    double sum = 0;
    for (std::size_t i = 0; i < input_bounds_.size(); ++i)
      sum += std::fabs(static_cast<double>(s.coefficient[i])) * input_bounds_[i];
    return sum;
  }
  /// The absolute values of cubic taps sum to 1.4 at most.
  double operator()(const nn::Interp&) const { return input_bounds_[0] * 2; }
  double operator()(const nn::Concat&) const { return *std::max_element(input_bounds_.begin(), input_bounds_.end()); }
  double operator()(const nn::Padding& p) const {
    return std::max(input_bounds_[0], std::fabs(static_cast<double>(p.value)));
  }
  double operator()(const nn::Pointwise& p) const { return bound_after_activation(p.activation, input_bounds_[0]); }
  template <class Other>
  double operator()(const Other&) const {
    return input_bounds_[0];
  }

 private:
  static double bound_after_activation(const nn::Activation& a, double bound) {
    using Kind = nn::Activation::Kind;
    if (a.kind == Kind::leaky_relu) return bound * std::max(1.0, std::fabs(static_cast<double>(a.a)));
    if (a.kind == Kind::sigmoid) return std::max(1.0, bound);
    if (a.kind == Kind::clip)
      return std::max({bound, std::fabs(static_cast<double>(a.a)), std::fabs(static_cast<double>(a.b))});
    return bound;
  }
  /// Returns the bound of the sums of a layer with weights: every input has the largest value, and every product the
  /// same sign.
  template <class Op>
  double bound_of_sums(const Op& op, int taps) const {
    const auto each = static_cast<std::size_t>(op.in_channels) * static_cast<std::size_t>(taps);
    double most = 0;
    for (std::size_t o = 0; o < static_cast<std::size_t>(op.out_channels); ++o) {
      double sum = std::fabs(static_cast<double>(op.bias[o]));
      for (std::size_t i = 0; i < each; ++i)
        sum += std::fabs(static_cast<double>(op.weight[o * each + i])) * input_bounds_[0];
      most = std::max(most, sum);
    }
    return bound_after_activation(op.activation, most);
  }

  std::vector<double> bounds_, input_bounds_;
};

/// Runs a program on the CPU with one thread, the whole picture as one strip. Returns the network's result.
inline Result<compute::Planes> run_program(const nn::Graph& graph, const nn::Program& program,
                                           const compute::Planes& input, const compute::Kernels& kernels,
                                           compute::Arithmetic arithmetic) {
  nn::PlanLimits limits;
  limits.memory = 2_GiB;
  const auto element_type =
      arithmetic == compute::Arithmetic::int16 ? compute::ElementType::float16 : compute::ElementType::float32;
  const auto plan = nn::plan_single_strip(graph, program, {input.height, input.width}, element_type, limits);
  if (!plan) return plan.error();
  compute::ThreadTeam team{1};
  auto runner = nn::Runner::create(graph, program, *plan, kernels, team, std::filesystem::temp_directory_path());
  if (!runner) return runner.error();
  const nn::PackedWeights packed = nn::pack_weights(graph, program, kernels, arithmetic);
  const nn::Extent extent = plan->extent[static_cast<std::size_t>(program.output)];
  compute::Planes result{program.tensors[static_cast<std::size_t>(program.output)].channels, extent.height,
                         extent.width};
  std::fill(result.values.begin(), result.values.end(), std::numeric_limits<float>::quiet_NaN());
  PlanesRows rows{input};
  const auto take = [&](const nn::PlanarRows& out) -> Status {
    for (int i = 0; i < out.count; ++i) {
      for (int c = 0; c < out.planes; ++c) {
        std::copy_n(out.row[static_cast<std::size_t>(i)] + c * out.plane_stride, out.width,
                    result.row(c, out.first + i).begin());
      }
    }
    return ok();
  };
  if (auto status = runner->run(packed, rows, take, {}); !status) return status.error();
  return result;
}

/// Returns the largest absolute difference of two values at the same position; infinity if a difference is NaN or the
/// sizes differ.
inline double largest_difference(const compute::Planes& a, const compute::Planes& b) {
  if (a.values.size() != b.values.size()) return std::numeric_limits<double>::infinity();
  double most = 0;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    const double difference = std::fabs(static_cast<double>(a.values[i]) - static_cast<double>(b.values[i]));
    most = std::isnan(difference) ? std::numeric_limits<double>::infinity() : std::max(most, difference);
  }
  return most;
}

}  // namespace detail

/// The result of check_with_all_kernels().
struct KernelCheck {
  std::string refusal;  ///< error message of lower(), if it refused the network
  std::string fault;    ///< description of the first error; empty: the results are right
};

/// Runs the network on a random picture with every instruction set, in float32 and int16, and compares the results with
/// the reference. Values may differ by 0.001 (int16: 0.05) of the largest value that the network can produce, at least
/// 1. A network whose values can exceed 10000 is run without a comparison.
inline KernelCheck check_with_all_kernels(const nn::Graph& graph, nn::Extent size) {
  KernelCheck result;
  const auto program = nn::lower(graph);
  if (!program) {
    result.refusal = program.error().what;
    const bool one_line = result.refusal.find('\n') == std::string::npos;
    if (!one_line || result.refusal.find("layer") == std::string::npos) result.fault = "refused without a layer's name";
    return result;
  }
  compute::Planes input{3, size.height, size.width};
  input.values = generated_picture(size.height, size.width);
  const auto reference = nn::run_reference(graph, input);
  if (!reference) {
    result.fault = "the reference: " + reference.error().what;
    return result;
  }
  const detail::MagnitudeBounds magnitudes{graph};
  constexpr double kMaxComparedValue = 10000;
  const bool compared = magnitudes.largest() < kMaxComparedValue;
  for (const compute::Kernels* kernels : compute::available_kernels()) {
    for (const auto arithmetic : {compute::Arithmetic::float32, compute::Arithmetic::int16}) {
      const bool ints = arithmetic == compute::Arithmetic::int16;
      const auto made = detail::run_program(graph, *program, input, *kernels, arithmetic);
      if (!made) {
        if (made.error().code == Errc::bad_values && !compared) continue;
        result.fault = fmt::format("{}: {}", kernels->name, made.error().what);
        return result;
      }
      if (!compared) continue;
      const double difference = detail::largest_difference(*made, *reference);
      const double allowed = (ints ? 0.05 : 0.001) * std::max(1.0, magnitudes.bound_of(graph.output));
      if (difference <= allowed) continue;
      result.fault =
          fmt::format("{} {}: {} off, allowed {}", kernels->name, ints ? "int16" : "float32", difference, allowed);
      return result;
    }
  }
  return result;
}

}  // namespace weir::test

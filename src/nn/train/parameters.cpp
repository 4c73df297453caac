#include "nn/train/parameters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "nn/train/random.hpp"

namespace weir::nn::train {

Parameter& ParameterSet::add_parameter(const std::string& name, Shape shape, const std::function<float()>& next_value) {
  Parameter& p = parameters_.emplace_back();
  p.name = name;
  p.shape = shape;
  if (!status_) return p;
  if (!is_valid(shape)) {
    status_ =
        Error{Errc::invalid_argument, fmt::format("parameter {}: {} is no valid shape: each extent must be at least 1, "
                                                  "and the number of values at most {}",
                                                  name, to_text(shape), kMaxTensorValues)};
    return p;
  }
  auto value = device_.acquire(shape.count()), gradient = device_.acquire(shape.count());
  if (!value || !gradient) {
    status_ = value ? gradient.error() : value.error();
    return p;
  }
  std::vector<float> values(shape.count());
  for (float& each : values) each = next_value();
  status_ = device_.write(value->operand(), values);
  if (!status_) return p;
  p.value = *std::move(value);
  p.gradient = *std::move(gradient);
  return p;
}

Parameter& ParameterSet::add_weights(const std::string& name, Shape shape, int fan_in, double slope) {
  if (status_ && (fan_in < 1 || !std::isfinite(slope))) {
    status_ = Error{Errc::invalid_argument,
                    fmt::format("parameter {}: fan_in {} is below 1, or slope {} is not finite", name, fan_in, slope)};
  }
  Random random{seed_, parameters_.size()};
  const double deviation = std::sqrt(2 / ((1 + slope * slope) * fan_in));
  return add_parameter(name, shape, [&] { return static_cast<float>(deviation * random.normal()); });
}

Parameter& ParameterSet::add_filled_parameter(const std::string& name, int channels, float value) {
  Parameter& p = add_parameter(name, {1, channels}, [&] { return value; });
  p.has_weight_decay = false;
  return p;
}

// A number of rows that does not fit into int becomes 0, which add_parameter() refuses.
ParameterSet::Layer ParameterSet::add_layer(const std::string& name, int in, int out, int kernel, double slope) {
  const bool fits =
      in >= 1 && kernel >= 1 && kernel <= kMaxTensorValues / kernel && in <= kMaxTensorValues / (kernel * kernel);
  const int rows = fits ? kernel * kernel * in : 0;
  Parameter& w = add_weights(name + ".weight", {rows, out}, std::max(rows, 1), slope);
  return {&w, &add_filled_parameter(name + ".bias", out, 0)};
}

std::size_t ParameterSet::count_values() const {
  std::size_t count = 0;
  for (const Parameter& p : parameters_) count += p.shape.count();
  return count;
}

}  // namespace weir::nn::train

#include "nn/train/parameters.hpp"

#include <cmath>

#include "nn/train/random.hpp"

namespace weir::nn::train {

Parameter& ParameterSet::add(const std::string& name, Shape shape, const std::vector<float>& values) {
  Parameter& p = parameters_.emplace_back();
  p.name = name;
  p.shape = shape;
  if (!status_) return p;
  auto value = device_.acquire(shape.count()), gradient = device_.acquire(shape.count());
  if (!value || !gradient) {
    status_ = value ? gradient.error() : value.error();
    return p;
  }
  status_ = device_.write(value->operand(), values);
  if (!status_) return p;
  p.value = *std::move(value);
  p.gradient = *std::move(gradient);
  return p;
}

Parameter& ParameterSet::weights(const std::string& name, Shape shape, int fan_in, double slope) {
  Random random{seed_, parameters_.size()};
  const double deviation = std::sqrt(2 / ((1 + slope * slope) * fan_in));
  std::vector<float> values(shape.count());
  for (float& value : values) value = static_cast<float>(deviation * random.normal());
  return add(name, shape, values);
}

Parameter& ParameterSet::constant(const std::string& name, int channels, float value) {
  Parameter& p = add(name, {1, channels}, std::vector<float>(static_cast<std::size_t>(channels), value));
  p.decays = false;
  return p;
}

ParameterSet::Layer ParameterSet::layer(const std::string& name, int in, int out, int kernel, double slope) {
  const int rows = kernel * kernel * in;
  Parameter& w = weights(name + ".weight", {rows, out}, rows, slope);
  return {&w, &constant(name + ".bias", out, 0)};
}

std::size_t ParameterSet::count() const {
  std::size_t all = 0;
  for (const Parameter& p : parameters_) all += p.shape.count();
  return all;
}

}  // namespace weir::nn::train

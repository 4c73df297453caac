#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "nn/train/tape.hpp"

namespace weir::nn::train {

/// The parameters of a network, in the order in which they were added. An error (over_budget, invalid_argument) is kept in
/// status(); a tape refuses the parameter that it left without memory. References stay valid. The device must outlive it.
class ParameterSet {
 public:
  /// Starting values depend on the seed and the parameter's place in the order alone.
  ParameterSet(TrainingDevice& device, std::uint64_t seed) : device_{device}, seed_{seed} {}

  /// Normal, of variance 2 / ((1 + slope^2) * fan_in), for what a rectifier of that slope follows.
  /// Source: He et al., "Delving deep into rectifiers", ICCV 2015
  Parameter& add_weights(const std::string& name, Shape shape, int fan_in, double slope = 0);
  /// Each value the same; weight decay leaves it alone. For biases and slopes.
  Parameter& add_filled_parameter(const std::string& name, int channels, float value);
  /// Two parameters: weights [kernel * kernel * in, out] and bias [1, out] of zero.
  struct Layer {
    Parameter *weights = nullptr, *bias = nullptr;
  };
  Layer add_layer(const std::string& name, int in, int out, int kernel = 1, double slope = 0);

  std::deque<Parameter>& parameters() { return parameters_; }
  std::size_t count_values() const;  ///< values
  TrainingDevice& device() { return device_; }
  const Status& status() const { return status_; }

 private:
  /// `next` gives the values in their order.
  Parameter& add_parameter(const std::string& name, Shape shape, const std::function<float()>& next);
  TrainingDevice& device_;
  std::uint64_t seed_;
  std::deque<Parameter> parameters_;
  Status status_ = ok();
};

}  // namespace weir::nn::train

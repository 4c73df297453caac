#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <string>

#include "nn/train/tape.hpp"

namespace weir::nn::train {

/// The parameters of a network, in the order in which they were added. status() returns the first error
/// (invalid_argument, or an error of the device such as over_budget). Parameters that are added after an error have no
/// memory, and Tape::parameter() refuses them. References to parameters stay valid. The device must outlive the set.
class ParameterSet {
 public:
  /// The random starting values of a parameter depend only on the seed and on its index in the set.
  ParameterSet(TrainingDevice& device, std::uint64_t seed) : device_{device}, seed_{seed} {}

  /// Adds a parameter of normally distributed values with variance 2 / ((1 + slope^2) * fan_in); `slope` is the
  /// slope below zero of the activation that follows (1: none, 0: ReLU). `fan_in` is the number of products in the sum
  /// of one output value, at least 1.
  /// Source: He et al., "Delving deep into rectifiers", ICCV 2015
  Parameter& add_weights(const std::string& name, Shape shape, int fan_in, double slope = 0);
  /// Adds a parameter [1, channels] in which each value is `value`, for example a bias or slopes. Weight decay does not
  /// apply to it.
  Parameter& add_filled_parameter(const std::string& name, int channels, float value);
  /// The parameters of a linear layer (kernel = 1) or of a convolution.
  struct Layer {
    Parameter *weights = nullptr,  ///< [kernel * kernel * in, out]
        *bias = nullptr;           ///< [1, out]
  };
  /// Adds the two parameters of a layer with `in` input channels and `out` output channels: NAME.weight with random
  /// starting values, and NAME.bias of zeros.
  Layer add_layer(const std::string& name, int in, int out, int kernel = 1, double slope = 0);

  std::deque<Parameter>& parameters() { return parameters_; }
  /// Returns the total number of values of all parameters.
  std::size_t count_values() const;
  TrainingDevice& device() { return device_; }
  const Status& status() const { return status_; }

 private:
  /// Adds a parameter. Each call of `next_value` returns the next starting value.
  Parameter& add_parameter(const std::string& name, Shape shape, const std::function<float()>& next_value);
  TrainingDevice& device_;
  std::uint64_t seed_;
  std::deque<Parameter> parameters_;
  Status status_ = ok();
};

}  // namespace weir::nn::train

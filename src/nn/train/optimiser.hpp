#pragma once

#include <cstdint>
#include <vector>

#include "nn/train/parameters.hpp"

namespace weir::nn::train {

/// The algorithm that changes the parameters, and its constants.
struct OptimiserSettings {
  enum class Kind { adam, sgd };
  Kind kind = Kind::adam;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< constants of Adam
  double momentum = 0;                                ///< momentum of SGD
  double weight_decay = 0;  ///< each step also subtracts rate * weight_decay * w from a weight w
  /// limit of the Euclidean norm of all gradients together; larger ones are scaled down to it; 0: no limit
  double max_gradient_norm = 0;
};

/// The learning rate as a function of the step.
struct LearningRateSchedule {
  enum class Kind { constant, cosine, halving };
  Kind kind = Kind::constant;
  double rate = 1e-3;               ///< rate of the first step, without the factor of the warm-up
  double min_rate = 0;              ///< cosine: rate after `steps` steps; halving: lower limit; constant: not used
  std::uint64_t warm_up_steps = 0;  ///< number of first steps in which a factor of the rate rises to 1; 0: none
  /// cosine: number of all steps, warm-up included; halving: number of steps between two halvings; constant: not used
  std::uint64_t steps = 1;
};
/// Returns the learning rate of the step with the index `step`; the first step is 0. Source of the cosine: Loshchilov
/// and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017
double rate_at_step(const LearningRateSchedule& schedule, std::uint64_t step);

/// Changes the parameters of a set by their gradients. The set must outlive the optimiser.
class Optimiser {
 public:
  /// Allocates the optimiser's state for all parameters of the set; parameters that are added later do not change.
  /// Errors: the first error of the set; those of the device.
  static Result<Optimiser> create(ParameterSet& parameters, OptimiserSettings settings);

  /// Records one step with the learning rate `rate`: changes every parameter that has a gradient, and clears its
  /// has_gradient. Errors: those of the device.
  Status step(double rate);

  /// Returns the number of steps so far, those before a restored checkpoint included.
  std::uint64_t steps() const { return steps_; }
  /// Sets the number of steps so far, after a checkpoint was restored.
  void set_steps(std::uint64_t steps) { steps_ = steps; }
  /// Returns the state arrays of the first parameter, then those of the second, and so on, for checkpoints. A parameter
  /// has two arrays with Adam (moving averages of the gradient and of its square) and one with SGD (the velocity).
  std::vector<Operand> state() const;

 private:
  Optimiser(ParameterSet& parameters, OptimiserSettings settings) : parameters_{&parameters}, settings_{settings} {}
  /// Allocates the state arrays of a parameter with `count` values and fills them with 0.
  Status add_state_arrays(std::size_t count);
  /// Records the computation of the squared norm of all gradients. Returns a clip with an empty operand if there is no
  /// limit.
  Result<GradientClip> record_clip();

  ParameterSet* parameters_;
  OptimiserSettings settings_;
  // One array for each parameter. Adam: moving averages of the gradient, and of its square. SGD: the velocity, and
  // `mean_square_` is empty.
  std::vector<DeviceArray> mean_or_velocity_, mean_square_;
  // sum of the squares of all gradients; empty if there is no limit of the norm
  DeviceArray squared_norm_;
  std::uint64_t steps_ = 0;
};

/// The exponential moving average (EMA) of each parameter of a set: average = decay * average + (1 - decay) *
/// parameter. The network with the averages is usually better than the one with the last parameters. The set must
/// outlive this object.
/// Source of the idea to average: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J.
/// Control Optim. 30 (1992)
class WeightEma {
 public:
  /// Starts with the current values of the parameters. Errors: the first error of the set; those of the device.
  static Result<WeightEma> create(ParameterSet& parameters, double decay);
  /// Records the update of the averages after the step with the index `step`; the first step is 0. The decay is at most
  /// (1 + step) / (10 + step), so that the influence of the starting values fades quickly. Errors: those of the device.
  Status update(std::uint64_t step);
  /// Exchanges the averages and the values of the parameters; a second call exchanges them back.
  void swap_parameters();
  /// Returns the averages in the order of the parameters, for checkpoints. After swap_parameters(), these are the
  /// parameters.
  std::vector<Operand> state() const;

 private:
  WeightEma(ParameterSet& parameters, double decay) : parameters_{&parameters}, decay_{decay} {}
  ParameterSet* parameters_;
  double decay_;
  std::vector<DeviceArray> averages_;
};

}  // namespace weir::nn::train

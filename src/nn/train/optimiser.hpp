#pragma once

#include <cstdint>
#include <vector>

#include "nn/train/parameters.hpp"

namespace weir::nn::train {

struct OptimiserSettings {
  enum class Kind { adam, sgd };
  Kind kind = Kind::adam;
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  ///< adam
  double momentum = 0;                                ///< sgd
  double weight_decay = 0;                            ///< of the weights, apart from the gradient, times the rate
  double max_gradient_norm = 0;  ///< the most that the norm of all gradients together may be; 0: any
};

/// The rate of a step, counted from 0.
struct LearningRateSchedule {
  enum class Kind { constant, cosine, halving };
  Kind kind = Kind::constant;
  double rate = 1e-3;
  double min_rate = 0;              ///< cosine: at the end; halving: never below
  std::uint64_t warm_up_steps = 0;  ///< steps in which the rate rises from nothing
  std::uint64_t steps = 1;          ///< cosine: of the whole training; halving: after so many, each time
};
/// Source of the cosine: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017
double rate_at_step(const LearningRateSchedule& schedule, std::uint64_t step);

/// Changes parameters by their gradients. The parameters must outlive it.
class Optimiser {
 public:
  /// Errors: over_budget.
  static Result<Optimiser> create(ParameterSet& parameters, OptimiserSettings settings);

  /// Records a step for every parameter that has a gradient, which is used up by it. Errors: those of the device.
  Status step(double rate);

  std::uint64_t steps() const { return steps_; }
  /// For checkpoints: what there is for each parameter, in order: mean and square, or the velocity.
  void set_steps(std::uint64_t steps) { steps_ = steps; }
  std::vector<Operand> state() const;

 private:
  Optimiser(ParameterSet& parameters, OptimiserSettings settings) : parameters_{&parameters}, settings_{settings} {}
  Status add_state_arrays(std::size_t count);
  Result<GradientClip> record_clip();

  ParameterSet* parameters_;
  OptimiserSettings settings_;
  std::vector<DeviceArray> first_, second_;
  DeviceArray squared_norm_;
  std::uint64_t steps_ = 0;
};

/// A running mean of the weights: average = decay * average + (1 - decay) * weights, which is what is kept at the end.
/// Source: Polyak and Juditsky, "Acceleration of stochastic approximation by averaging", SIAM J. Control Optim. 30 (1992)
class WeightEma {
 public:
  /// Starts with the weights as they are. Errors: over_budget.
  static Result<WeightEma> create(ParameterSet& parameters, double decay);
  /// After each step; `step` counts from 0: early ones weigh more, or the start would stay for long.
  Status update(std::uint64_t step);
  /// Exchanges average and weights; again, to go on. The memory of no tape is touched, but its values are.
  void swap_parameters();
  std::vector<Operand> state() const;

 private:
  WeightEma(ParameterSet& parameters, double decay) : parameters_{&parameters}, decay_{decay} {}
  ParameterSet* parameters_;
  double decay_;
  std::vector<DeviceArray> averages_;
};

}  // namespace weir::nn::train

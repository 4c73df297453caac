#include "nn/train/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace weir::nn::train {

double rate_at_step(const LearningRateSchedule& schedule, std::uint64_t step) {
  const auto index = static_cast<double>(step), steps = static_cast<double>(std::max<std::uint64_t>(1, schedule.steps));
  const double warm_up_factor =
      schedule.warm_up_steps == 0 ? 1 : std::min(1.0, (index + 1) / static_cast<double>(schedule.warm_up_steps));
  double rate = schedule.rate;
  if (schedule.kind == LearningRateSchedule::Kind::cosine) {
    const double progress = std::min(1.0, index / steps);
    rate = schedule.min_rate + (schedule.rate - schedule.min_rate) * (1 + std::cos(std::numbers::pi * progress)) / 2;
  } else if (schedule.kind == LearningRateSchedule::Kind::halving) {
    rate = std::max(schedule.min_rate, schedule.rate * std::exp2(-std::floor(index / steps)));
  }
  return warm_up_factor * rate;
}

Result<Optimiser> Optimiser::create(ParameterSet& parameters, OptimiserSettings settings) {
  if (!parameters.status()) return parameters.status().error();
  Optimiser made{parameters, settings};
  for (const Parameter& p : parameters.parameters()) {
    if (auto done = made.add_state_arrays(p.shape.count()); !done) return done.error();
  }
  if (settings.max_gradient_norm > 0) {
    auto squares = parameters.device().acquire(1);
    if (!squares) return squares.error();
    made.squared_norm_ = *std::move(squares);
  }
  return made;
}

Status Optimiser::add_state_arrays(std::size_t count) {
  const bool is_adam = settings_.kind == OptimiserSettings::Kind::adam;
  for (std::vector<DeviceArray>* list : {&mean_or_velocity_, &mean_square_}) {
    if (list == &mean_square_ && !is_adam) continue;
    auto array = parameters_->device().acquire(count);
    if (!array) return array.error();
    if (auto done = parameters_->device().record(FillCommand{array->operand(), 0}); !done) return done;
    list->push_back(*std::move(array));
  }
  return ok();
}

Result<GradientClip> Optimiser::record_clip() {
  if (settings_.max_gradient_norm <= 0) return GradientClip{};
  bool is_first = true;  // the first command overwrites the sum, the others add to it
  for (const Parameter& p : parameters_->parameters()) {
    if (!p.has_gradient) continue;
    const SumSquaresCommand sum{p.gradient.operand(), squared_norm_.operand(), !std::exchange(is_first, false)};
    if (auto done = parameters_->device().record(sum); !done) return done.error();
  }
  return GradientClip{squared_norm_.operand(), settings_.max_gradient_norm};
}

Status Optimiser::step(double rate) {
  TrainingDevice& device = parameters_->device();
  const auto clip = record_clip();
  if (!clip) return clip.error();
  ++steps_;
  const auto step_count = static_cast<double>(steps_);
  const double correct1 = 1 / (1 - std::pow(settings_.beta1, step_count));
  const double correct2 = 1 / (1 - std::pow(settings_.beta2, step_count));
  for (std::size_t i = 0; i < mean_or_velocity_.size(); ++i) {
    Parameter& p = parameters_->parameters()[i];
    if (!std::exchange(p.has_gradient, false)) continue;
    const double decay = p.has_weight_decay ? settings_.weight_decay : 0;
    const Operand w = p.value.operand(), g = p.gradient.operand(), mean_or_velocity = mean_or_velocity_[i].operand();
    const Command command =
        settings_.kind == OptimiserSettings::Kind::adam
            ? Command{AdamCommand{w, g, mean_or_velocity, mean_square_[i].operand(), *clip, rate, settings_.beta1,
                                  settings_.beta2, settings_.epsilon, decay, correct1, correct2}}
            : Command{SgdCommand{w, g, mean_or_velocity, *clip, rate, settings_.momentum, decay}};
    if (auto done = device.record(command); !done) return done;
  }
  return ok();
}

std::vector<Operand> Optimiser::state() const {
  std::vector<Operand> arrays;
  for (std::size_t i = 0; i < mean_or_velocity_.size(); ++i) {
    arrays.push_back(mean_or_velocity_[i].operand());
    if (i < mean_square_.size()) arrays.push_back(mean_square_[i].operand());
  }
  return arrays;
}

Result<WeightEma> WeightEma::create(ParameterSet& parameters, double decay) {
  if (!parameters.status()) return parameters.status().error();
  WeightEma made{parameters, decay};
  for (const Parameter& p : parameters.parameters()) {
    auto array = parameters.device().acquire(p.shape.count());
    if (!array) return array.error();
    const CombineCommand copy{p.value.operand(), {}, array->operand()};
    if (auto done = parameters.device().record(copy); !done) return done.error();
    made.averages_.push_back(*std::move(array));
  }
  return made;
}

Status WeightEma::update(std::uint64_t step) {
  const auto index = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + index) / (10 + index));
  for (std::size_t i = 0; i < averages_.size(); ++i) {
    const Operand average = averages_[i].operand();
    const CombineCommand mix{average, parameters_->parameters()[i].value.operand(), average, decay, 1 - decay};
    if (auto done = parameters_->device().record(mix); !done) return done;
  }
  return ok();
}

void WeightEma::swap_parameters() {
  for (std::size_t i = 0; i < averages_.size(); ++i) std::swap(averages_[i], parameters_->parameters()[i].value);
}

std::vector<Operand> WeightEma::state() const {
  std::vector<Operand> arrays;
  arrays.reserve(averages_.size());
  for (const DeviceArray& average : averages_) arrays.push_back(average.operand());
  return arrays;
}

}  // namespace weir::nn::train

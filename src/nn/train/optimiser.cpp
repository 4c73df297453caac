#include "nn/train/optimiser.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace weir::nn::train {

double rate_at(const Schedule& schedule, std::uint64_t step) {
  const auto at = static_cast<double>(step), steps = static_cast<double>(std::max<std::uint64_t>(1, schedule.steps));
  const double warm = schedule.warm_up == 0 ? 1 : std::min(1.0, (at + 1) / static_cast<double>(schedule.warm_up));
  double rate = schedule.rate;
  if (schedule.kind == Schedule::Kind::cosine) {
    const double part = std::min(1.0, at / steps);
    rate = schedule.floor + (schedule.rate - schedule.floor) * (1 + std::cos(std::numbers::pi * part)) / 2;
  } else if (schedule.kind == Schedule::Kind::halving) {
    rate = std::max(schedule.floor, schedule.rate * std::exp2(-std::floor(at / steps)));
  }
  return warm * rate;
}

Result<Optimiser> Optimiser::create(ParameterSet& parameters, OptimiserSettings settings) {
  if (!parameters.status()) return parameters.status().error();
  Optimiser made{parameters, settings};
  for (const Parameter& p : parameters.all()) {
    if (auto done = made.add_storage(p.shape.count()); !done) return done.error();
  }
  if (settings.clip > 0) {
    auto squares = parameters.device().acquire(1);
    if (!squares) return squares.error();
    made.squares_ = *std::move(squares);
  }
  return made;
}

Status Optimiser::add_storage(std::size_t count) {
  const bool adam = settings_.kind == OptimiserSettings::Kind::adam;
  for (std::vector<Storage>* list : {&first_, &second_}) {
    if (list == &second_ && !adam) continue;
    auto storage = parameters_->device().acquire(count);
    if (!storage) return storage.error();
    if (auto done = parameters_->device().record(Fill{storage->operand(), 0}); !done) return done;
    list->push_back(*std::move(storage));
  }
  return ok();
}

Result<Clip> Optimiser::clip() {
  if (settings_.clip <= 0) return Clip{};
  bool first = true;
  for (const Parameter& p : parameters_->all()) {
    if (!p.has_gradient) continue;
    const SumSquares sum{p.gradient.operand(), squares_.operand(), !std::exchange(first, false)};
    if (auto done = parameters_->device().record(sum); !done) return done.error();
  }
  return Clip{squares_.operand(), settings_.clip};
}

Status Optimiser::step(double rate) {
  Device& device = parameters_->device();
  const auto limit = clip();
  if (!limit) return limit.error();
  ++steps_;
  const auto power = static_cast<double>(steps_);
  const double correct1 = 1 / (1 - std::pow(settings_.beta1, power));
  const double correct2 = 1 / (1 - std::pow(settings_.beta2, power));
  for (std::size_t i = 0; i < first_.size(); ++i) {
    Parameter& p = parameters_->all()[i];
    if (!std::exchange(p.has_gradient, false)) continue;
    const double decay = p.decays ? settings_.decay : 0;
    const Operand w = p.value.operand(), g = p.gradient.operand(), first = first_[i].operand();
    const Command command = settings_.kind == OptimiserSettings::Kind::adam
                                ? Command{Adam{w, g, first, second_[i].operand(), *limit, rate, settings_.beta1,
                                               settings_.beta2, settings_.epsilon, decay, correct1, correct2}}
                                : Command{Sgd{w, g, first, *limit, rate, settings_.momentum, decay}};
    if (auto done = device.record(command); !done) return done;
  }
  return ok();
}

std::vector<Operand> Optimiser::state() const {
  std::vector<Operand> all;
  for (std::size_t i = 0; i < first_.size(); ++i) {
    all.push_back(first_[i].operand());
    if (i < second_.size()) all.push_back(second_[i].operand());
  }
  return all;
}

Result<Average> Average::create(ParameterSet& parameters, double decay) {
  if (!parameters.status()) return parameters.status().error();
  Average made{parameters, decay};
  for (const Parameter& p : parameters.all()) {
    auto storage = parameters.device().acquire(p.shape.count());
    if (!storage) return storage.error();
    const Combine copy{p.value.operand(), {}, storage->operand()};
    if (auto done = parameters.device().record(copy); !done) return done.error();
    made.average_.push_back(*std::move(storage));
  }
  return made;
}

Status Average::update(std::uint64_t step) {
  const auto at = static_cast<double>(step);
  const double decay = std::min(decay_, (1 + at) / (10 + at));
  for (std::size_t i = 0; i < average_.size(); ++i) {
    const Operand average = average_[i].operand();
    const Combine mix{average, parameters_->all()[i].value.operand(), average, decay, 1 - decay};
    if (auto done = parameters_->device().record(mix); !done) return done;
  }
  return ok();
}

void Average::swap() {
  for (std::size_t i = 0; i < average_.size(); ++i) std::swap(average_[i], parameters_->all()[i].value);
}

std::vector<Operand> Average::state() const {
  std::vector<Operand> all;
  all.reserve(average_.size());
  for (const Storage& one : average_) all.push_back(one.operand());
  return all;
}

}  // namespace weir::nn::train

#include "nn/train/reference_training_device.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <variant>

#include "compute/kernels/training/elementwise.hpp"
#include "nn/train/reference_loops.hpp"

namespace weir::nn::train {

namespace {

struct ReferenceTag;  // selects an instance of compute::Elementwise of its own

/// Executes one command of the variant Command.
template <class T>
struct ReferenceCommandVisitor {
  using E = compute::Elementwise<ReferenceTag, T>;
  static T* data(Operand operand) { return static_cast<T*>(operand.memory); }
  static T to_value(double value) { return static_cast<T>(value); }
  /// Returns the values of an operand that a sum is added to. If `accumulate` is false, sets them to 0 first.
  static T* accumulation_target(Operand operand, bool accumulate) {
    if (!accumulate) std::fill_n(data(operand), operand.count, T{0});
    return data(operand);
  }
  /// Returns the number that the gradient is multiplied by.
  static T clip_factor(const GradientClip& clip) {
    if (!clip.squared_norm) return T{1};
    const double norm = std::sqrt(static_cast<double>(*data(clip.squared_norm)));
    return norm > clip.max_norm ? to_value(clip.max_norm / norm) : T{1};
  }

  void operator()(const FillCommand& c) const { std::fill_n(data(c.out), c.out.count, to_value(c.value)); }
  void operator()(const MatrixProductCommand& c) const { ReferenceLoops<T>::product(c); }
  void operator()(const TransposeCommand& c) const { ReferenceLoops<T>::transpose(c); }
  void operator()(const ConvolveCommand& c) const { ReferenceLoops<T>::convolve(c); }
  void operator()(const ConvolveBackCommand& c) const { ReferenceLoops<T>::convolve_back(c); }
  void operator()(const ConvolveWeightsBackCommand& c) const { ReferenceLoops<T>::convolve_weights_back(c); }
  void operator()(const PixelShuffleCommand& c) const { ReferenceLoops<T>::pixel_shuffle(c); }
  void operator()(const CopyChannelsCommand& c) const { ReferenceLoops<T>::copy_channels(c); }
  void operator()(const MaxPoolCommand& c) const { ReferenceLoops<T>::max_pool(c); }
  void operator()(const MaxPoolBackCommand& c) const { ReferenceLoops<T>::max_pool_back(c); }
  void operator()(const CrossEntropyCommand& c) const { ReferenceLoops<T>::cross_entropy(c); }
  void operator()(const CrossEntropyBackCommand& c) const { ReferenceLoops<T>::cross_entropy_back(c); }

  void operator()(const AddBiasCommand& c) const {
    E::add_bias(data(c.in), data(c.bias), data(c.out), c.rows, c.channels);
  }
  void operator()(const SumRowsCommand& c) const {
    E::sum_rows(data(c.in), accumulation_target(c.out, c.accumulate), c.rows, c.channels);
  }
  void operator()(const CombineCommand& c) const {
    E::combine(data(c.a), data(c.b), data(c.out), to_value(c.alpha), to_value(c.beta), c.accumulate, c.out.count);
  }
  void operator()(const MultiplyCommand& c) const {
    E::multiply(data(c.a), data(c.b), data(c.out), to_value(c.scale), c.accumulate, c.out.count);
  }
  void operator()(const ActivateCommand& c) const {
    E::activate(c.kind, to_value(c.slope), data(c.in), data(c.out), c.out.count);
  }
  void operator()(const ActivateBackCommand& c) const {
    E::activate_back(c.kind, to_value(c.slope), data(c.in), data(c.out), data(c.out_gradient), data(c.in_gradient),
                     c.accumulate, c.in_gradient.count);
  }
  void operator()(const PReluCommand& c) const {
    E::prelu(data(c.in), data(c.slopes), data(c.out), c.rows, c.channels);
  }
  void operator()(const PReluBackCommand& c) const {
    if (c.in_gradient) {
      E::prelu_back(data(c.in), data(c.slopes), data(c.out_gradient), data(c.in_gradient), c.accumulate_in, c.rows,
                    c.channels);
    }
    if (c.slope_gradient) {
      T* sums = accumulation_target(c.slope_gradient, c.accumulate_slopes);
      E::prelu_slopes(data(c.in), data(c.out_gradient), sums, c.rows, c.channels);
    }
  }
  void operator()(const LossCommand& c) const {
    const auto count = static_cast<double>(c.prediction.count);
    *data(c.out) =
        to_value(E::loss(c.kind, to_value(c.epsilon), data(c.prediction), data(c.target), c.prediction.count) / count);
  }
  void operator()(const LossBackCommand& c) const {
    const T scale = *data(c.out_gradient) / static_cast<T>(c.prediction.count);
    E::loss_back(c.kind, to_value(c.epsilon), data(c.prediction), data(c.target), scale, data(c.in_gradient),
                 c.accumulate, c.prediction.count);
  }
  void operator()(const SumSquaresCommand& c) const {
    E::put(data(c.out), to_value(E::sum_squares(data(c.in), c.in.count)), c.accumulate);
  }
  void operator()(const AdamCommand& c) const {
    E::adam({data(c.weights), data(c.gradient), data(c.mean), data(c.square), clip_factor(c.clip), to_value(c.rate),
             to_value(c.beta1), to_value(c.beta2), to_value(c.epsilon), to_value(c.weight_decay), to_value(c.correct1),
             to_value(c.correct2)},
            c.weights.count);
  }
  void operator()(const SgdCommand& c) const {
    E::sgd({data(c.weights), data(c.gradient), data(c.velocity), clip_factor(c.clip), to_value(c.rate),
            to_value(c.momentum), to_value(c.weight_decay)},
           c.weights.count);
  }
};

}  // namespace

template <class T>
void ReferenceTrainingDevice<T>::execute(const Command& command) {
  std::visit(ReferenceCommandVisitor<T>{}, command);
}

template <class T>
Status ReferenceTrainingDevice<T>::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  if (auto done = sync(); !done) return done;
  std::copy(from.begin(), from.end(), static_cast<T*>(to.memory));
  return ok();
}

template <class T>
Status ReferenceTrainingDevice<T>::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  if (auto done = sync(); !done) return done;
  const T* values = static_cast<const T*>(from.memory);
  std::transform(values, values + to.size(), to.begin(), [](T value) { return static_cast<float>(value); });
  return ok();
}

template class ReferenceTrainingDevice<float>;
template class ReferenceTrainingDevice<double>;

}  // namespace weir::nn::train

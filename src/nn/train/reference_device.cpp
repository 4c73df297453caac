#include "nn/train/reference_device.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <variant>

#include "compute/kernels/training/elementwise.hpp"
#include "nn/train/reference_loops.hpp"

namespace weir::nn::train {

namespace {

struct ReferenceTag;

template <class T>
struct Execute {
  using E = compute::Elementwise<ReferenceTag, T>;
  static T* at(Operand operand) { return static_cast<T*>(operand.memory); }
  static T as(double value) { return static_cast<T>(value); }
  /// Zero where the gradient starts.
  static T* start(Operand operand, bool accumulate) {
    if (!accumulate) std::fill_n(at(operand), operand.count, T{0});
    return at(operand);
  }
  static T clip(const Clip& clip) {
    if (!clip.squares) return T{1};
    const double norm = std::sqrt(static_cast<double>(*at(clip.squares)));
    return norm > clip.most ? as(clip.most / norm) : T{1};
  }

  void operator()(const Fill& c) const { std::fill_n(at(c.out), c.out.count, as(c.value)); }
  void operator()(const Product& c) const { ReferenceLoops<T>::product(c); }
  void operator()(const Transpose& c) const { ReferenceLoops<T>::transpose(c); }
  void operator()(const Convolve& c) const { ReferenceLoops<T>::convolve(c); }
  void operator()(const ConvolveBack& c) const { ReferenceLoops<T>::convolve_back(c); }
  void operator()(const ConvolveWeights& c) const { ReferenceLoops<T>::convolve_weights(c); }
  void operator()(const PixelShuffle& c) const { ReferenceLoops<T>::pixel_shuffle(c); }
  void operator()(const CopyChannels& c) const { ReferenceLoops<T>::copy_channels(c); }
  void operator()(const MaxPool& c) const { ReferenceLoops<T>::max_pool(c); }
  void operator()(const MaxPoolBack& c) const { ReferenceLoops<T>::max_pool_back(c); }
  void operator()(const CrossEntropy& c) const { ReferenceLoops<T>::cross_entropy(c); }
  void operator()(const CrossEntropyBack& c) const { ReferenceLoops<T>::cross_entropy_back(c); }

  void operator()(const AddBias& c) const { E::add_bias(at(c.in), at(c.bias), at(c.out), c.rows, c.channels); }
  void operator()(const SumRows& c) const { E::sum_rows(at(c.in), start(c.out, c.accumulate), c.rows, c.channels); }
  void operator()(const Combine& c) const {
    E::combine(at(c.a), at(c.b), at(c.out), as(c.alpha), as(c.beta), c.accumulate, c.out.count);
  }
  void operator()(const Multiply& c) const {
    E::multiply(at(c.a), at(c.b), at(c.out), as(c.scale), c.accumulate, c.out.count);
  }
  void operator()(const Activate& c) const { E::activate(c.curve, as(c.slope), at(c.in), at(c.out), c.out.count); }
  void operator()(const ActivateBack& c) const {
    E::activate_back(c.curve, as(c.slope), at(c.in), at(c.out), at(c.out_gradient), at(c.in_gradient), c.accumulate,
                     c.in_gradient.count);
  }
  void operator()(const PRelu& c) const { E::prelu(at(c.in), at(c.slopes), at(c.out), c.rows, c.channels); }
  void operator()(const PReluBack& c) const {
    if (c.in_gradient) {
      E::prelu_back(at(c.in), at(c.slopes), at(c.out_gradient), at(c.in_gradient), c.accumulate_in, c.rows, c.channels);
    }
    if (c.slope_gradient) {
      T* sums = start(c.slope_gradient, c.accumulate_slopes);
      E::prelu_slopes(at(c.in), at(c.out_gradient), sums, c.rows, c.channels);
    }
  }
  void operator()(const Loss& c) const {
    const auto count = static_cast<double>(c.prediction.count);
    *at(c.out) = as(E::distance(c.distance, as(c.epsilon), at(c.prediction), at(c.target), c.prediction.count) / count);
  }
  void operator()(const LossBack& c) const {
    const T scale = *at(c.out_gradient) / static_cast<T>(c.prediction.count);
    E::distance_back(c.distance, as(c.epsilon), at(c.prediction), at(c.target), scale, at(c.in_gradient), c.accumulate,
                     c.prediction.count);
  }
  void operator()(const SumSquares& c) const {
    E::put(at(c.out), as(E::sum_squares(at(c.in), c.in.count)), c.accumulate);
  }
  void operator()(const Adam& c) const {
    E::adam({at(c.weights), at(c.gradient), at(c.mean), at(c.square), clip(c.clip), as(c.rate), as(c.beta1),
             as(c.beta2), as(c.epsilon), as(c.decay), as(c.correct1), as(c.correct2)},
            c.weights.count);
  }
  void operator()(const Sgd& c) const {
    E::sgd({at(c.weights), at(c.gradient), at(c.velocity), clip(c.clip), as(c.rate), as(c.momentum), as(c.decay)},
           c.weights.count);
  }
};

}  // namespace

template <class T>
void ReferenceDevice<T>::execute(const Command& command) {
  std::visit(Execute<T>{}, command);
}

template <class T>
Status ReferenceDevice<T>::write(Operand to, std::span<const float> from) {
  assert(from.size() <= to.count);
  if (auto done = sync(); !done) return done;
  std::copy(from.begin(), from.end(), static_cast<T*>(to.memory));
  return ok();
}

template <class T>
Status ReferenceDevice<T>::read(Operand from, std::span<float> to) {
  assert(to.size() <= from.count);
  if (auto done = sync(); !done) return done;
  const T* values = static_cast<const T*>(from.memory);
  std::transform(values, values + to.size(), to.begin(), [](T value) { return static_cast<float>(value); });
  return ok();
}

template class ReferenceDevice<float>;
template class ReferenceDevice<double>;

}  // namespace weir::nn::train

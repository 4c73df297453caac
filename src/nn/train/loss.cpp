#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

Tensor loss(const char* name, Tensor prediction, Tensor target, Distance distance, double epsilon) {
  Tape& t = *prediction.tape();
  if (prediction.shape() != target.shape()) return t.fail(misfit(name, prediction, target));
  const Tensor out = t.make({1}, {prediction}, [=](Tape& tape, Tensor self) {
    if (const auto g = tape.want(prediction)) {
      tape.record(LossBack{tape.value(prediction), tape.value(target), tape.gradient(self), g.operand, distance,
                           epsilon, g.accumulate});
    }
  });
  t.record(Loss{t.value(prediction), t.value(target), t.value(out), distance, epsilon});
  return out;
}

}  // namespace

Tensor mean(Tensor x) { return loss("mean", x, x, Distance::mean, 0); }
Tensor mse(Tensor prediction, Tensor target) { return loss("mse", prediction, target, Distance::squared, 0); }
Tensor l1(Tensor prediction, Tensor target) { return loss("l1", prediction, target, Distance::absolute, 0); }
Tensor charbonnier(Tensor prediction, Tensor target, float epsilon) {
  return loss("charbonnier", prediction, target, Distance::charbonnier, static_cast<double>(epsilon));
}

Tensor cross_entropy(Tensor scores, Tensor target) {
  Tape& t = *scores.tape();
  if (scores.shape() != target.shape()) return t.fail(misfit("cross_entropy", scores, target));
  const std::size_t rows = scores.shape().rows(), channels = static_cast<std::size_t>(scores.shape().c);
  const Tensor out = t.make({1}, {scores}, [=](Tape& tape, Tensor self) {
    if (const auto g = tape.want(scores)) {
      tape.record(CrossEntropyBack{tape.value(scores), tape.value(target), tape.gradient(self), g.operand, rows,
                                   channels, g.accumulate});
    }
  });
  t.record(CrossEntropy{t.value(scores), t.value(target), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

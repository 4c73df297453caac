// The losses (ops.hpp).
// `t` is the tape, `g` the gradient of the result; gx, gw, ... are where the gradients of x, w, ... are written.
#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

/// Records a loss that is a mean over all values. `name` is the operation's name for error messages.
TapeTensor record_loss(const char* name, TapeTensor prediction, TapeTensor target, LossKind kind, double epsilon) {
  Tape& t = *prediction.tape();
  if (prediction.shape() != target.shape()) return t.fail(shape_mismatch_error(name, prediction, target));
  const TapeTensor out = t.make_output({1}, {prediction}, [=](Tape& tape, TapeTensor self) {
    if (const auto g = tape.gradient_target(prediction)) {
      tape.record(LossBackCommand{tape.value(prediction), tape.value(target), tape.gradient(self), g.operand, kind,
                                  epsilon, g.accumulate});
    }
  });
  t.record(LossCommand{t.value(prediction), t.value(target), t.value(out), kind, epsilon});
  return out;
}

}  // namespace

// LossKind::prediction ignores the target, so any tensor of the same shape can be passed.
TapeTensor mean(TapeTensor x) { return record_loss("mean", x, x, LossKind::prediction, 0); }
TapeTensor mse(TapeTensor prediction, TapeTensor target) {
  return record_loss("mse", prediction, target, LossKind::squared, 0);
}
TapeTensor l1(TapeTensor prediction, TapeTensor target) {
  return record_loss("l1", prediction, target, LossKind::absolute, 0);
}
TapeTensor charbonnier(TapeTensor prediction, TapeTensor target, float epsilon) {
  return record_loss("charbonnier", prediction, target, LossKind::charbonnier, static_cast<double>(epsilon));
}

TapeTensor cross_entropy(TapeTensor scores, TapeTensor target) {
  Tape& t = *scores.tape();
  if (scores.shape() != target.shape()) return t.fail(shape_mismatch_error("cross_entropy", scores, target));
  const std::size_t rows = scores.shape().rows(), channels = static_cast<std::size_t>(scores.shape().c);
  const TapeTensor out = t.make_output({1}, {scores}, [=](Tape& tape, TapeTensor self) {
    if (const auto g = tape.gradient_target(scores)) {
      tape.record(CrossEntropyBackCommand{tape.value(scores), tape.value(target), tape.gradient(self), g.operand, rows,
                                          channels, g.accumulate});
    }
  });
  t.record(CrossEntropyCommand{t.value(scores), t.value(target), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

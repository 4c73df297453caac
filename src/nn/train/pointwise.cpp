// The operations that compute value by value (ops.hpp): sum, product, activation functions.
// `t` is the tape, `g` the gradient of the result; gx, gw, ... are where the gradients of x, w, ... are written.
#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

/// Records an activation function; `slope` is the negative slope of leaky_relu.
TapeTensor activate(TapeTensor x, ActivationKind kind, double slope) {
  Tape& t = *x.tape();
  const TapeTensor out = t.make_output(x.shape(), {x}, [=](Tape& tape, TapeTensor self) {
    if (const auto g = tape.gradient_target(x)) {
      tape.record(ActivateBackCommand{tape.value(x), tape.value(self), tape.gradient(self), g.operand, kind, slope,
                                      g.accumulate});
    }
  });
  t.record(ActivateCommand{t.value(x), t.value(out), kind, slope});
  return out;
}

}  // namespace

TapeTensor add(TapeTensor a, TapeTensor b) {
  Tape& t = *a.tape();
  if (a.shape() != b.shape()) return t.fail(shape_mismatch_error("add", a, b));
  const TapeTensor out = t.make_output(a.shape(), {a, b}, [a, b](Tape& tape, TapeTensor self) {
    for (const TapeTensor& in : {a, b}) {
      if (const auto g = tape.gradient_target(in))
        tape.record(CombineCommand{tape.gradient(self), {}, g.operand, 1, 1, g.accumulate});
    }
  });
  t.record(CombineCommand{t.value(a), t.value(b), t.value(out)});
  return out;
}

TapeTensor mul(TapeTensor a, TapeTensor b) {
  Tape& t = *a.tape();
  if (a.shape() != b.shape()) return t.fail(shape_mismatch_error("mul", a, b));
  const TapeTensor out = t.make_output(a.shape(), {a, b}, [a, b](Tape& tape, TapeTensor self) {
    const Operand g = tape.gradient(self);
    if (const auto ga = tape.gradient_target(a))
      tape.record(MultiplyCommand{g, tape.value(b), ga.operand, 1, ga.accumulate});
    if (const auto gb = tape.gradient_target(b))
      tape.record(MultiplyCommand{g, tape.value(a), gb.operand, 1, gb.accumulate});
  });
  t.record(MultiplyCommand{t.value(a), t.value(b), t.value(out)});
  return out;
}

TapeTensor relu(TapeTensor x) { return activate(x, ActivationKind::relu, 0); }
TapeTensor leaky_relu(TapeTensor x, float slope) {
  return activate(x, ActivationKind::leaky_relu, static_cast<double>(slope));
}
TapeTensor sigmoid(TapeTensor x) { return activate(x, ActivationKind::sigmoid, 0); }
TapeTensor tanh(TapeTensor x) { return activate(x, ActivationKind::tanh, 0); }

TapeTensor prelu(TapeTensor x, TapeTensor slopes) {
  Tape& t = *x.tape();
  if (slopes.shape() != Shape{1, x.shape().c}) return t.fail(shape_mismatch_error("prelu", x, slopes));
  const std::size_t rows = x.shape().rows(), channels = static_cast<std::size_t>(x.shape().c);
  const TapeTensor out = t.make_output(x.shape(), {x, slopes}, [=](Tape& tape, TapeTensor self) {
    const auto gx = tape.gradient_target(x);
    const auto gs = tape.gradient_target(slopes);
    tape.record(PReluBackCommand{tape.value(x), tape.value(slopes), tape.gradient(self), gx.operand, gs.operand, rows,
                                 channels, gx.accumulate, gs.accumulate});
  });
  t.record(PReluCommand{t.value(x), t.value(slopes), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

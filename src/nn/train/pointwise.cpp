#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

Tensor activate(Tensor x, Curve curve, double slope) {
  Tape& t = *x.tape();
  const Tensor out = t.make(x.shape(), {x}, [=](Tape& tape, Tensor self) {
    if (const auto g = tape.want(x)) {
      tape.record(
          ActivateBack{tape.value(x), tape.value(self), tape.gradient(self), g.operand, curve, slope, g.accumulate});
    }
  });
  t.record(Activate{t.value(x), t.value(out), curve, slope});
  return out;
}

}  // namespace

Tensor add(Tensor a, Tensor b) {
  Tape& t = *a.tape();
  if (a.shape() != b.shape()) return t.fail(misfit("add", a, b));
  const Tensor out = t.make(a.shape(), {a, b}, [a, b](Tape& tape, Tensor self) {
    for (const Tensor& in : {a, b}) {
      if (const auto g = tape.want(in)) tape.record(Combine{tape.gradient(self), {}, g.operand, 1, 1, g.accumulate});
    }
  });
  t.record(Combine{t.value(a), t.value(b), t.value(out)});
  return out;
}

Tensor mul(Tensor a, Tensor b) {
  Tape& t = *a.tape();
  if (a.shape() != b.shape()) return t.fail(misfit("mul", a, b));
  const Tensor out = t.make(a.shape(), {a, b}, [a, b](Tape& tape, Tensor self) {
    const Operand g = tape.gradient(self);
    if (const auto ga = tape.want(a)) tape.record(Multiply{g, tape.value(b), ga.operand, 1, ga.accumulate});
    if (const auto gb = tape.want(b)) tape.record(Multiply{g, tape.value(a), gb.operand, 1, gb.accumulate});
  });
  t.record(Multiply{t.value(a), t.value(b), t.value(out)});
  return out;
}

Tensor relu(Tensor x) { return activate(x, Curve::relu, 0); }
Tensor leaky_relu(Tensor x, float slope) { return activate(x, Curve::leaky_relu, static_cast<double>(slope)); }
Tensor sigmoid(Tensor x) { return activate(x, Curve::sigmoid, 0); }
Tensor tanh(Tensor x) { return activate(x, Curve::tanh, 0); }

Tensor prelu(Tensor x, Tensor slopes) {
  Tape& t = *x.tape();
  if (slopes.shape() != Shape{1, x.shape().c}) return t.fail(misfit("prelu", x, slopes));
  const std::size_t rows = x.shape().rows(), channels = static_cast<std::size_t>(x.shape().c);
  const Tensor out = t.make(x.shape(), {x, slopes}, [=](Tape& tape, Tensor self) {
    const auto gx = tape.want(x);
    const auto gs = tape.want(slopes);
    tape.record(PReluBack{tape.value(x), tape.value(slopes), tape.gradient(self), gx.operand, gs.operand, rows,
                          channels, gx.accumulate, gs.accumulate});
  });
  t.record(PRelu{t.value(x), t.value(slopes), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

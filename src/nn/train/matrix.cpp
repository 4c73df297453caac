#include <fmt/format.h>

#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

bool is_matrix(const Tensor& t) { return t.shape().h == 1 && t.shape().w == 1; }

void bias_gradient(Tape& t, Tensor bias, Operand out_gradient, std::size_t rows) {
  const auto channels = static_cast<std::size_t>(bias.shape().c);
  if (const auto g = t.want(bias)) t.record(SumRows{out_gradient, g.operand, rows, channels, g.accumulate});
}

/// x [rows, inner] w, whatever the shape of x says.
Tensor product(Tensor x, Tensor w, const Tensor* bias, int rows) {
  const int inner = w.shape().n, columns = w.shape().c;
  const auto back = [=, has_bias = bias != nullptr, b = bias != nullptr ? *bias : Tensor{}](Tape& t, Tensor out) {
    const Operand g = t.gradient(out);
    if (const auto gx = t.want(x)) {
      t.record(Product{g, t.value(w), {}, gx.operand, rows, inner, columns, false, true, gx.accumulate});
    }
    if (const auto gw = t.want(w)) {
      t.record(Product{t.value(x), g, {}, gw.operand, inner, columns, rows, true, false, gw.accumulate});
    }
    if (has_bias) bias_gradient(t, b, g, static_cast<std::size_t>(rows));
  };
  Tape& t = *x.tape();
  const Tensor out =
      bias != nullptr ? t.make({rows, columns}, {x, w, *bias}, back) : t.make({rows, columns}, {x, w}, back);
  const Operand b = bias != nullptr ? t.value(*bias) : Operand{};
  t.record(Product{t.value(x), t.value(w), b, t.value(out), rows, columns, inner});
  return out;
}

}  // namespace

Tensor matmul(Tensor a, Tensor b) {
  if (!is_matrix(a) || !is_matrix(b) || a.shape().c != b.shape().n) return a.tape()->fail(misfit("matmul", a, b));
  return product(a, b, nullptr, a.shape().n);
}

Tensor linear(Tensor x, Tensor weights, Tensor bias) {
  const Shape& s = x.shape();
  if (!is_matrix(weights) || s.c * s.h * s.w != weights.shape().n) return x.tape()->fail(misfit("linear", x, weights));
  if (bias.shape() != Shape{1, weights.shape().c}) return x.tape()->fail(misfit("linear", weights, bias));
  return product(x, weights, &bias, s.n);
}

Tensor mat_transpose(Tensor a) {
  Tape& t = *a.tape();
  const Shape s = a.shape();
  if (!is_matrix(a)) {
    return t.fail({Errc::invalid_argument, fmt::format("mat_transpose: {} is no matrix", to_text(s))});
  }
  const Tensor out = t.make({s.c, s.n}, {a}, [a, s](Tape& tape, Tensor self) {
    if (const auto g = tape.want(a)) tape.record(Transpose{tape.gradient(self), g.operand, s.c, s.n, g.accumulate});
  });
  t.record(Transpose{t.value(a), t.value(out), s.n, s.c});
  return out;
}

Tensor add_bias(Tensor x, Tensor bias) {
  Tape& t = *x.tape();
  if (bias.shape() != Shape{1, x.shape().c}) return t.fail(misfit("add_bias", x, bias));
  const std::size_t rows = x.shape().rows(), channels = static_cast<std::size_t>(x.shape().c);
  const Tensor out = t.make(x.shape(), {x, bias}, [x, bias, rows](Tape& tape, Tensor self) {
    const Operand g = tape.gradient(self);
    if (const auto gx = tape.want(x)) tape.record(Combine{g, {}, gx.operand, 1, 1, gx.accumulate});
    bias_gradient(tape, bias, g, rows);
  });
  t.record(AddBias{t.value(x), t.value(bias), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

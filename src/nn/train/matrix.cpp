// The operations on matrices (ops.hpp): products, transposition, bias.
// `t` is the tape, `g` the gradient of the result; gx, gw, ... are where the gradients of x, w, ... are written.
#include <fmt/format.h>

#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

bool is_matrix(const TapeTensor& t) { return t.shape().h == 1 && t.shape().w == 1; }

/// Records the gradient of a bias that was added to each of `rows` rows: the sum of the gradients of these rows.
void record_bias_gradient(Tape& t, TapeTensor bias, Operand out_gradient, std::size_t rows) {
  const auto channels = static_cast<std::size_t>(bias.shape().c);
  if (const auto g = t.gradient_target(bias))
    t.record(SumRowsCommand{out_gradient, g.operand, rows, channels, g.accumulate});
}

/// Returns the matrix product [rows, columns] of x and w [inner, columns], plus `bias` (null: no bias). The values of x
/// are read as a matrix [rows, inner], whatever the shape of x is.
TapeTensor record_product(TapeTensor x, TapeTensor w, const TapeTensor* bias, int rows) {
  const int inner = w.shape().n, columns = w.shape().c;
  const auto back = [=, has_bias = bias != nullptr, b = bias != nullptr ? *bias : TapeTensor{}](Tape& t,
                                                                                                TapeTensor out) {
    const Operand g = t.gradient(out);
    if (const auto gx = t.gradient_target(x)) {  // g * transposed w
      t.record(MatrixProductCommand{.a = g,
                                    .b = t.value(w),
                                    .bias = {},
                                    .out = gx.operand,
                                    .rows = rows,
                                    .columns = inner,
                                    .inner = columns,
                                    .transpose_b = true,
                                    .accumulate = gx.accumulate});
    }
    if (const auto gw = t.gradient_target(w)) {  // transposed x * g
      t.record(MatrixProductCommand{.a = t.value(x),
                                    .b = g,
                                    .bias = {},
                                    .out = gw.operand,
                                    .rows = inner,
                                    .columns = columns,
                                    .inner = rows,
                                    .transpose_a = true,
                                    .accumulate = gw.accumulate});
    }
    if (has_bias) record_bias_gradient(t, b, g, static_cast<std::size_t>(rows));
  };
  Tape& t = *x.tape();
  const TapeTensor out = bias != nullptr ? t.make_output({rows, columns}, {x, w, *bias}, back)
                                         : t.make_output({rows, columns}, {x, w}, back);
  const Operand b = bias != nullptr ? t.value(*bias) : Operand{};
  t.record(MatrixProductCommand{.a = t.value(x),
                                .b = t.value(w),
                                .bias = b,
                                .out = t.value(out),
                                .rows = rows,
                                .columns = columns,
                                .inner = inner});
  return out;
}

}  // namespace

TapeTensor matmul(TapeTensor a, TapeTensor b) {
  if (!is_matrix(a) || !is_matrix(b) || a.shape().c != b.shape().n)
    return a.tape()->fail(shape_mismatch_error("matmul", a, b));
  return record_product(a, b, /*bias=*/nullptr, a.shape().n);
}

TapeTensor linear(TapeTensor x, TapeTensor weights, TapeTensor bias) {
  const Shape& s = x.shape();
  if (!is_matrix(weights) || s.c * s.h * s.w != weights.shape().n)
    return x.tape()->fail(shape_mismatch_error("linear", x, weights));
  if (bias.shape() != Shape{1, weights.shape().c}) return x.tape()->fail(shape_mismatch_error("linear", weights, bias));
  return record_product(x, weights, &bias, s.n);
}

TapeTensor mat_transpose(TapeTensor a) {
  Tape& t = *a.tape();
  const Shape s = a.shape();
  if (!is_matrix(a)) {
    return t.fail({Errc::invalid_argument, fmt::format("mat_transpose: {} is not a matrix", to_text(s))});
  }
  const TapeTensor out = t.make_output({s.c, s.n}, {a}, [a, s](Tape& tape, TapeTensor self) {
    if (const auto g = tape.gradient_target(a))
      tape.record(TransposeCommand{tape.gradient(self), g.operand, s.c, s.n, g.accumulate});
  });
  t.record(TransposeCommand{t.value(a), t.value(out), s.n, s.c});
  return out;
}

TapeTensor add_bias(TapeTensor x, TapeTensor bias) {
  Tape& t = *x.tape();
  if (bias.shape() != Shape{1, x.shape().c}) return t.fail(shape_mismatch_error("add_bias", x, bias));
  const std::size_t rows = x.shape().rows(), channels = static_cast<std::size_t>(x.shape().c);
  const TapeTensor out = t.make_output(x.shape(), {x, bias}, [x, bias, rows](Tape& tape, TapeTensor self) {
    const Operand g = tape.gradient(self);
    if (const auto gx = tape.gradient_target(x)) tape.record(CombineCommand{g, {}, gx.operand, 1, 1, gx.accumulate});
    record_bias_gradient(tape, bias, g, rows);
  });
  t.record(AddBiasCommand{t.value(x), t.value(bias), t.value(out), rows, channels});
  return out;
}

}  // namespace weir::nn::train

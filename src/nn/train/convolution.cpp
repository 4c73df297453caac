// The operations with a window (ops.hpp): convolution, transposed convolution, max pooling.
// `t` is the tape, `g` the gradient of the result; gx, gw, ... are where the gradients of x, w, ... are written.
#include <fmt/format.h>

#include <cstdint>

#include "nn/train/ops.hpp"

namespace weir::nn::train {

namespace {

Error window_mismatch_error(const char* operation, const TapeTensor& x, const TapeTensor& weights, Window w) {
  return {Errc::invalid_argument,
          fmt::format("{}: {}, weights {}, kernel {}, stride {}, padding {} do not fit", operation, to_text(x.shape()),
                      to_text(weights.shape()), w.kernel, w.stride, w.padding)};
}

constexpr int kMaxKernel = 1024;  // largest side of a kernel in pixels

bool is_valid_window(Window w) {
  return w.kernel >= 1 && w.kernel <= kMaxKernel && w.stride >= 1 && w.padding >= 0 && w.padding < w.kernel;
}

/// Returns true if the weights have the shape [kernel * kernel * inner, columns].
bool has_weight_shape(const TapeTensor& weights, Window w, int inner, int columns) {
  const Shape& s = weights.shape();
  return s.n == std::int64_t{w.kernel} * w.kernel * inner && s.c == columns && s.h == 1 && s.w == 1;
}

/// Records the gradient of a bias that was added to every pixel of `out`: the sum of the gradients of these pixels.
/// `shape` is the shape of `out`.
void record_bias_gradient(Tape& t, TapeTensor bias, TapeTensor out, const Shape& shape) {
  if (const auto g = t.gradient_target(bias)) {
    t.record(SumRowsCommand{t.gradient(out), g.operand, shape.rows(), static_cast<std::size_t>(shape.c), g.accumulate});
  }
}

}  // namespace

TapeTensor conv2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window) {
  Tape& t = *x.tape();
  const Shape& in = x.shape();
  const int out_c = weights.shape().c;
  WindowShape s{.images = in.n,
                .in_h = in.h,
                .in_w = in.w,
                .in_c = in.c,
                .out_h = 0,
                .out_w = 0,
                .out_c = out_c,
                .window = window};
  const bool fits = is_valid_window(window) && has_weight_shape(weights, window, in.c, out_c) &&
                    bias.shape() == Shape{1, out_c} && in.h + 2 * window.padding >= window.kernel &&
                    in.w + 2 * window.padding >= window.kernel;
  if (!fits) return t.fail(window_mismatch_error("conv2d", x, weights, window));
  s.out_h = (in.h + 2 * window.padding - window.kernel) / window.stride + 1;
  s.out_w = (in.w + 2 * window.padding - window.kernel) / window.stride + 1;
  const Shape out_shape{in.n, out_c, s.out_h, s.out_w};
  const TapeTensor out = t.make_output(out_shape, {x, weights, bias}, [=](Tape& tape, TapeTensor self) {
    const Operand g = tape.gradient(self);
    if (const auto gx = tape.gradient_target(x))
      tape.record(ConvolveBackCommand{g, tape.value(weights), gx.operand, s, gx.accumulate});
    if (const auto gw = tape.gradient_target(weights)) {
      tape.record(ConvolveWeightsBackCommand{tape.value(x), g, gw.operand, s, gw.accumulate});
    }
    record_bias_gradient(tape, bias, self, out_shape);
  });
  t.record(ConvolveCommand{t.value(x), t.value(weights), t.value(bias), t.value(out), s});
  return out;
}

// A transposed convolution is computed as the input gradient of a convolution: the convolution that makes the small
// picture x from the large output. So the shape `s` has the large picture as its input.
TapeTensor conv_transpose2d(TapeTensor x, TapeTensor weights, TapeTensor bias, Window window) {
  Tape& t = *x.tape();
  const Shape& in = x.shape();
  const int out_c = bias.shape().c;
  const auto output_side = [&](int side) {
    const std::int64_t extent =
        (side - std::int64_t{1}) * window.stride + window.kernel - std::int64_t{2} * window.padding;
    return extent <= kMaxTensorValues ? static_cast<int>(extent) : 0;  // 0 is refused below
  };
  const bool fits =
      is_valid_window(window) && has_weight_shape(weights, window, out_c, in.c) && bias.shape() == Shape{1, out_c};
  const int out_h = fits ? output_side(in.h) : 0, out_w = fits ? output_side(in.w) : 0;
  if (out_h < 1 || out_w < 1) return t.fail(window_mismatch_error("conv_transpose2d", x, weights, window));
  const WindowShape s{.images = in.n,
                      .in_h = out_h,
                      .in_w = out_w,
                      .in_c = out_c,
                      .out_h = in.h,
                      .out_w = in.w,
                      .out_c = in.c,
                      .window = window};
  const Shape out_shape{in.n, out_c, out_h, out_w};
  const TapeTensor out = t.make_output(out_shape, {x, weights, bias}, [=](Tape& tape, TapeTensor self) {
    const Operand g = tape.gradient(self);
    if (const auto gx = tape.gradient_target(x))
      tape.record(ConvolveCommand{g, tape.value(weights), {}, gx.operand, s, gx.accumulate});
    if (const auto gw = tape.gradient_target(weights)) {
      tape.record(ConvolveWeightsBackCommand{g, tape.value(x), gw.operand, s, gw.accumulate});
    }
    record_bias_gradient(tape, bias, self, out_shape);
  });
  t.record(ConvolveBackCommand{t.value(x), t.value(weights), t.value(out), s});
  t.record(
      AddBiasCommand{t.value(out), t.value(bias), t.value(out), out_shape.rows(), static_cast<std::size_t>(out_c)});
  return out;
}

TapeTensor max_pool(TapeTensor x, Window window) {
  Tape& t = *x.tape();
  const Shape& in = x.shape();
  if (!is_valid_window(window) || window.padding != 0 || in.h < window.kernel || in.w < window.kernel) {
    return t.fail(window_mismatch_error("max_pool", x, x, window));
  }
  const int out_h = (in.h - window.kernel) / window.stride + 1, out_w = (in.w - window.kernel) / window.stride + 1;
  const WindowShape s{.images = in.n,
                      .in_h = in.h,
                      .in_w = in.w,
                      .in_c = in.c,
                      .out_h = out_h,
                      .out_w = out_w,
                      .out_c = in.c,
                      .window = window};
  const TapeTensor out = t.make_output({in.n, in.c, out_h, out_w}, {x}, [=](Tape& tape, TapeTensor self) {
    if (const auto g = tape.gradient_target(x)) {
      tape.record(MaxPoolBackCommand{tape.value(x), tape.gradient(self), g.operand, s, g.accumulate});
    }
  });
  t.record(MaxPoolCommand{t.value(x), t.value(out), s});
  return out;
}

}  // namespace weir::nn::train

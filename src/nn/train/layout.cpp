// The operations that only rearrange values (ops.hpp): pixel shuffle and concatenation.
// `t` is the tape, `g` the gradient of the result; gx, gw, ... are where the gradients of x, w, ... are written.
#include <fmt/format.h>

#include <cassert>
#include <cstdint>

#include "nn/train/ops.hpp"

namespace weir::nn::train {

TapeTensor pixel_shuffle(TapeTensor x, int factor) {
  Tape& t = *x.tape();
  const Shape in = x.shape();
  if (factor < 1 || factor > in.c || in.c % (std::int64_t{factor} * factor) != 0) {
    return t.fail(
        {Errc::invalid_argument, fmt::format("pixel_shuffle: {} does not fit factor {}", to_text(in), factor)});
  }
  const int channels = in.c / (factor * factor);
  const TapeTensor out =
      t.make_output({in.n, channels, in.h * factor, in.w * factor}, {x}, [=](Tape& tape, TapeTensor self) {
        if (const auto g = tape.gradient_target(x)) {
          tape.record(PixelShuffleCommand{tape.gradient(self), g.operand, in.n, in.h, in.w, channels, factor, true,
                                          g.accumulate});
        }
      });
  t.record(PixelShuffleCommand{t.value(x), t.value(out), in.n, in.h, in.w, channels, factor});
  return out;
}

namespace {

/// Joins two tensors along their channels: those of `a` come first. CopyChannelsCommand copies the channels of each
/// tensor into the result, and in the backward pass their gradients out of the gradient of the result.
TapeTensor concat_two(TapeTensor a, TapeTensor b) {
  Tape& t = *a.tape();
  const Shape &sa = a.shape(), &sb = b.shape();
  if (sa.n != sb.n || sa.h != sb.h || sa.w != sb.w) {
    return t.fail({Errc::invalid_argument, fmt::format("concat: {} and {} do not fit", to_text(sa), to_text(sb))});
  }
  const int out_channels = sa.c + sb.c;
  const std::size_t rows = sa.rows();
  const int ca = sa.c, cb = sb.c;  // numbers of channels
  const TapeTensor out = t.make_output({sa.n, out_channels, sa.h, sa.w}, {a, b}, [=](Tape& tape, TapeTensor self) {
    const Operand g = tape.gradient(self);
    if (const auto ga = tape.gradient_target(a))
      tape.record(CopyChannelsCommand{.in = g,
                                      .out = ga.operand,
                                      .rows = rows,
                                      .in_channels = out_channels,
                                      .in_first = 0,
                                      .out_channels = ca,
                                      .count = ca,
                                      .accumulate = ga.accumulate});
    if (const auto gb = tape.gradient_target(b))
      tape.record(CopyChannelsCommand{.in = g,
                                      .out = gb.operand,
                                      .rows = rows,
                                      .in_channels = out_channels,
                                      .in_first = ca,
                                      .out_channels = cb,
                                      .count = cb,
                                      .accumulate = gb.accumulate});
  });
  t.record(CopyChannelsCommand{.in = t.value(a),
                               .out = t.value(out),
                               .rows = rows,
                               .in_channels = ca,
                               .out_channels = out_channels,
                               .out_first = 0,
                               .count = ca});
  t.record(CopyChannelsCommand{.in = t.value(b),
                               .out = t.value(out),
                               .rows = rows,
                               .in_channels = cb,
                               .out_channels = out_channels,
                               .out_first = ca,
                               .count = cb});
  return out;
}

}  // namespace

TapeTensor concat(std::span<const TapeTensor> parts) {
  assert(!parts.empty());
  TapeTensor joined = parts.front();
  for (const TapeTensor& part : parts.subspan(1)) joined = concat_two(joined, part);
  return joined;
}

}  // namespace weir::nn::train

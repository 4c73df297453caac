#include <fmt/format.h>

#include <cassert>
#include <cstdint>

#include "nn/train/ops.hpp"

namespace weir::nn::train {

Tensor pixel_shuffle(Tensor x, int factor) {
  Tape& t = *x.tape();
  const Shape in = x.shape();
  if (factor < 1 || factor > in.c || in.c % (std::int64_t{factor} * factor) != 0) {
    return t.fail({Errc::invalid_argument, fmt::format("pixel_shuffle: {} by {}", to_text(in), factor)});
  }
  const int channels = in.c / (factor * factor);
  const Tensor out = t.make({in.n, channels, in.h * factor, in.w * factor}, {x}, [=](Tape& tape, Tensor self) {
    if (const auto g = tape.want(x)) {
      tape.record(PixelShuffle{tape.gradient(self), g.operand, in.n, in.h, in.w, channels, factor, true, g.accumulate});
    }
  });
  t.record(PixelShuffle{t.value(x), t.value(out), in.n, in.h, in.w, channels, factor});
  return out;
}

namespace {

Tensor concat_two(Tensor a, Tensor b) {
  Tape& t = *a.tape();
  const Shape &sa = a.shape(), &sb = b.shape();
  if (sa.n != sb.n || sa.h != sb.h || sa.w != sb.w) {
    return t.fail({Errc::invalid_argument, fmt::format("concat: {} and {} do not fit", to_text(sa), to_text(sb))});
  }
  const int all = sa.c + sb.c;
  const std::size_t rows = sa.rows();
  const int ca = sa.c, cb = sb.c;
  const Tensor out = t.make({sa.n, all, sa.h, sa.w}, {a, b}, [=](Tape& tape, Tensor self) {
    const Operand g = tape.gradient(self);
    if (const auto ga = tape.want(a)) tape.record(CopyChannels{g, ga.operand, rows, all, 0, ca, 0, ca, ga.accumulate});
    if (const auto gb = tape.want(b)) tape.record(CopyChannels{g, gb.operand, rows, all, ca, cb, 0, cb, gb.accumulate});
  });
  t.record(CopyChannels{t.value(a), t.value(out), rows, ca, 0, all, 0, ca});
  t.record(CopyChannels{t.value(b), t.value(out), rows, cb, 0, all, ca, cb});
  return out;
}

}  // namespace

Tensor concat(std::span<const Tensor> parts) {
  assert(!parts.empty());
  Tensor all = parts.front();
  for (const Tensor& part : parts.subspan(1)) all = concat_two(all, part);
  return all;
}

}  // namespace weir::nn::train

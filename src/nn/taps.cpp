#include "nn/taps.hpp"

#include <algorithm>
#include <cmath>

namespace weir::nn {

std::array<float, 4> cubic_weights(double t) {
  constexpr double a = -0.75;  // Keys' parameter: the slope of the cubic at distance 1
  // The weight of a tap at distance d from the position: `inner` for 0 <= d <= 1, `outer` for 1 <= d <= 2.
  const auto outer = [](double d) { return static_cast<float>(((a * d - 5 * a) * d + 8 * a) * d - 4 * a); };
  const auto inner = [](double d) { return static_cast<float>(((a + 2) * d - (a + 3)) * d * d + 1); };
  return {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
}

namespace {

/// Returns the position of the centre of output pixel x, in input pixels. The result is rounded to a multiple of 2^-24.
/// Without this, rounding errors would give a pixel slightly other weights in a strip (a part of the picture that is
/// resized alone) than in the whole picture.
double centre_of(int in, int out, int x) {
  constexpr double kStepsPerPixel = 1 << 24;
  return std::round(((x + 0.5) * in / out - 0.5) * kStepsPerPixel) / kStepsPerPixel;
}

}  // namespace

int tap_count(Interp::Kind kind) {
  if (kind == Interp::Kind::nearest) return 1;
  return kind == Interp::Kind::bilinear ? 2 : 4;
}

int find_first_tap(const Interp& interp, int in, int out, int x) {
  if (interp.kind == Interp::Kind::nearest) {
    return std::min(static_cast<int>(std::floor(x / static_cast<double>(interp.scale))), in - 1);
  }
  const int first = static_cast<int>(std::floor(centre_of(in, out, x)));
  return interp.kind == Interp::Kind::bilinear ? first : first - 1;
}

bool has_exact_step(const Interp& interp, int in, int out) {
  return interp.kind == Interp::Kind::nearest || in * static_cast<double>(interp.scale) == out;
}

Taps make_taps(const Interp& interp, int in, int out) {
  Taps taps;
  taps.count = tap_count(interp.kind);
  for (int x = 0; x < out; ++x) {
    taps.index.push_back(find_first_tap(interp, in, out, x));
    const double centre = centre_of(in, out, x);
    const double fraction = centre - std::floor(centre);
    if (interp.kind == Interp::Kind::nearest) {
      taps.weight.push_back(1.0F);
    } else if (interp.kind == Interp::Kind::bilinear) {
      taps.weight.push_back(static_cast<float>(1 - fraction));
      taps.weight.push_back(static_cast<float>(fraction));
    } else {
      for (const float w : cubic_weights(fraction)) taps.weight.push_back(w);
    }
  }
  return taps;
}

}  // namespace weir::nn

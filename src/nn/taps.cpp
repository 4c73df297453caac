#include "nn/taps.hpp"

#include <cmath>

namespace weir::nn {

std::array<float, 4> cubic_weights(double t) {
  constexpr double a = -0.75;
  const auto outer = [](double d) { return static_cast<float>(((a * d - 5 * a) * d + 8 * a) * d - 4 * a); };
  const auto inner = [](double d) { return static_cast<float>(((a + 2) * d - (a + 3)) * d * d + 1); };
  return {outer(t + 1), inner(t), inner(1 - t), outer(2 - t)};
}

Taps taps_of(const Interp& interp, int out) {
  Taps taps;
  if (interp.kind == Interp::Kind::nearest) taps.count = 1;
  if (interp.kind == Interp::Kind::bilinear) taps.count = 2;
  const double scale = static_cast<double>(interp.scale);
  for (int x = 0; x < out; ++x) {
    if (interp.kind == Interp::Kind::nearest) {
      taps.index.push_back(static_cast<int>(std::floor(x / scale)));
      taps.weight.push_back(1.0F);
      continue;
    }
    // In steps of 2^-24: the same weights however far from the edge the position is counted.
    constexpr double kSteps = 1 << 24;
    const double centre = std::round(((x + 0.5) / scale - 0.5) * kSteps) / kSteps;
    const double floor = std::floor(centre);
    const double t = centre - floor;
    if (interp.kind == Interp::Kind::bilinear) {
      taps.index.push_back(static_cast<int>(floor));
      taps.weight.push_back(static_cast<float>(1 - t));
      taps.weight.push_back(static_cast<float>(t));
      continue;
    }
    taps.index.push_back(static_cast<int>(floor) - 1);
    for (const float w : cubic_weights(t)) taps.weight.push_back(w);
  }
  return taps;
}

}  // namespace weir::nn

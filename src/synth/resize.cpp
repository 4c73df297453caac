#include "synth/resize.hpp"

#include <cassert>
#include <cmath>
#include <numbers>
#include <vector>

namespace weir::synth {

namespace {

float sinc(float x) {
  if (x == 0) return 1;
  const float p = std::numbers::pi_v<float> * x;
  return std::sin(p) / p;
}

float radius_of(Kernel kernel) {
  switch (kernel) {
    case Kernel::box:
      return 0.5F;
    case Kernel::triangle:
      return 1;
    case Kernel::cubic:
      return 2;
    case Kernel::lanczos3:
      return 3;
  }
  return 0;
}

float weight_of(Kernel kernel, float x) {
  x = std::fabs(x);
  if (x > radius_of(kernel)) return 0;
  switch (kernel) {
    case Kernel::box:
      return 1;
    case Kernel::triangle:
      return 1 - x;
    case Kernel::cubic:
      return x <= 1 ? (1.5F * x - 2.5F) * x * x + 1 : ((-0.5F * x + 2.5F) * x - 4) * x + 2;
    case Kernel::lanczos3:
      return sinc(x) * sinc(x / 3);
  }
  return 0;
}

/// The same weights for every output sample, `step` apart; tap 0 is `first` samples from the start of its step.
struct Taps {
  int first = 0, step = 1;
  std::vector<float> weight;
};

void normalise(std::vector<float>& weights) {
  float sum = 0;
  for (const float w : weights) sum += w;
  for (float& w : weights) w /= sum;
}

Taps shrinking(int factor, Kernel kernel) {
  const auto scale = static_cast<float>(factor);
  const float centre = 0.5F * scale - 0.5F;  // of output sample 0, in samples of the input
  Taps taps;
  taps.step = factor;
  taps.first = static_cast<int>(std::ceil(centre - radius_of(kernel) * scale));
  const int last = static_cast<int>(std::floor(centre + radius_of(kernel) * scale));
  for (int i = taps.first; i <= last; ++i)
    taps.weight.push_back(weight_of(kernel, (static_cast<float>(i) - centre) / scale));
  normalise(taps.weight);
  return taps;
}

Taps gaussian(float deviation) {
  Taps taps;
  const int reach = static_cast<int>(std::ceil(3 * deviation));
  taps.first = -reach;
  for (int i = -reach; i <= reach; ++i) {
    const float x = static_cast<float>(i) / deviation;
    taps.weight.push_back(std::exp(-0.5F * x * x));
  }
  normalise(taps.weight);
  return taps;
}

Canvas along_rows(const Canvas& from, const Taps& taps) {
  Canvas to{from.width / taps.step, from.height};
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      Colour sum{};
      for (std::size_t k = 0; k < taps.weight.size(); ++k) {
        const int at = std::clamp(x * taps.step + taps.first + static_cast<int>(k), 0, from.width - 1);
        for (std::size_t c = 0; c < 3; ++c) sum[c] += taps.weight[k] * from.at(at, y)[c];
      }
      to.at(x, y) = sum;
    }
  }
  return to;
}

Canvas along_columns(const Canvas& from, const Taps& taps) {
  Canvas to{from.width, from.height / taps.step};
  for (int y = 0; y < to.height; ++y) {
    for (std::size_t k = 0; k < taps.weight.size(); ++k) {
      const int at = std::clamp(y * taps.step + taps.first + static_cast<int>(k), 0, from.height - 1);
      for (int x = 0; x < to.width; ++x) {
        for (std::size_t c = 0; c < 3; ++c) to.at(x, y)[c] += taps.weight[k] * from.at(x, at)[c];
      }
    }
  }
  return to;
}

}  // namespace

Canvas shrink(const Canvas& canvas, int factor, Kernel kernel) {
  assert(canvas.width % factor == 0 && canvas.height % factor == 0);
  const Taps taps = shrinking(factor, kernel);
  return along_columns(along_rows(canvas, taps), taps);
}

Canvas blur(const Canvas& canvas, float deviation) {
  if (deviation <= 0) return canvas;
  const Taps taps = gaussian(deviation);
  return along_columns(along_rows(canvas, taps), taps);
}

}  // namespace weir::synth

#include "synth/resize.hpp"

#include <cassert>
#include <cmath>
#include <numbers>
#include <utility>
#include <vector>

namespace weir::synth {

namespace {

/// Returns sin(pi x) / (pi x), and 1 for x = 0.
float sinc(float x) {
  if (x == 0) return 1;
  const float p = std::numbers::pi_v<float> * x;
  return std::sin(p) / p;
}

/// Returns half the width of the kernel, for a scale of 1.
float radius_of(ResizeKernel kernel) {
  switch (kernel) {
    case ResizeKernel::box:
      return 0.5F;
    case ResizeKernel::triangle:
      return 1;
    case ResizeKernel::cubic:
      return 2;
    case ResizeKernel::lanczos3:
      return 3;
  }
  return 0;
}

/// Returns the weight of a sample at the distance `x` from the centre of the kernel.
float weight_of(ResizeKernel kernel, float x) {
  x = std::fabs(x);
  if (x > radius_of(kernel)) return 0;
  switch (kernel) {
    case ResizeKernel::box:
      return 1;
    case ResizeKernel::triangle:
      return 1 - x;
    case ResizeKernel::cubic:
      return x <= 1 ? (1.5F * x - 2.5F) * x * x + 1 : ((-0.5F * x + 2.5F) * x - 4) * x + 2;
    case ResizeKernel::lanczos3:
      return sinc(x) * sinc(x / 3);
  }
  return 0;
}

/// The taps of a filter on one axis: the weights of the input samples for each output sample. They repeat after
/// `phases` output samples: output sample x = q * phases + p uses the weights of phase p, and its first input sample is
/// q * step + first[p].
struct Taps {
  int phases = 1, step = 1;
  std::vector<int> first;                  // by phase
  std::vector<std::vector<float>> weight;  // by phase
};

/// Scales the weights so that their sum is 1.
void normalise(std::vector<float>& weights) {
  float sum = 0;
  for (const float w : weights) sum += w;
  for (float& w : weights) w /= sum;
}

/// Adds the weights of the next phase, normalised.
void add_phase(Taps& taps, int first, std::vector<float> weight) {
  normalise(weight);
  taps.first.push_back(first);
  taps.weight.push_back(std::move(weight));
}

/// Adds the next phase: the taps of an output sample whose centre is at `centre` in the input, for a kernel widened by
/// the factor `width`.
void add_kernel(Taps& taps, ResizeKernel kernel, float centre, float width) {
  const int first = static_cast<int>(std::ceil(centre - radius_of(kernel) * width));
  const int last = static_cast<int>(std::floor(centre + radius_of(kernel) * width));
  std::vector<float> weight;
  for (int i = first; i <= last; ++i) weight.push_back(weight_of(kernel, (static_cast<float>(i) - centre) / width));
  add_phase(taps, first, std::move(weight));
}

// Each returns the taps of one operation.
Taps shrink_taps(int factor, ResizeKernel kernel) {
  const auto scale = static_cast<float>(factor);
  Taps taps;
  taps.step = factor;
  add_kernel(taps, kernel, 0.5F * scale - 0.5F, scale);
  return taps;
}

Taps enlarge_taps(int factor, ResizeKernel kernel) {
  Taps taps;
  taps.phases = factor;
  for (int p = 0; p < factor; ++p)
    add_kernel(taps, kernel, (static_cast<float>(p) + 0.5F) / static_cast<float>(factor) - 0.5F, 1);
  return taps;
}

Taps gaussian_taps(float deviation) {
  const int reach = static_cast<int>(std::ceil(3 * deviation));
  std::vector<float> weight;
  for (int i = -reach; i <= reach; ++i) {
    const float x = static_cast<float>(i) / deviation;
    weight.push_back(std::exp(-0.5F * x * x));
  }
  Taps taps;
  add_phase(taps, -reach, std::move(weight));
  return taps;
}

/// Filters along each row: changes the width of the picture.
Canvas filter_rows(const Canvas& from, const Taps& taps) {
  Canvas to{from.width * taps.phases / taps.step, from.height};
  for (int y = 0; y < to.height; ++y) {
    for (int x = 0; x < to.width; ++x) {
      const auto phase = static_cast<std::size_t>(x % taps.phases);
      int input_x = x / taps.phases * taps.step + taps.first[phase];
      Colour sum{};
      for (const float weight : taps.weight[phase]) {
        const Colour& pixel = from.at(std::clamp(input_x++, 0, from.width - 1), y);
        for (std::size_t c = 0; c < 3; ++c) sum[c] += weight * pixel[c];
      }
      to.at(x, y) = sum;
    }
  }
  return to;
}

/// Filters along each column: changes the height of the picture.
Canvas filter_columns(const Canvas& from, const Taps& taps) {
  Canvas to{from.width, from.height * taps.phases / taps.step};
  for (int y = 0; y < to.height; ++y) {
    const auto phase = static_cast<std::size_t>(y % taps.phases);
    int input_y = y / taps.phases * taps.step + taps.first[phase];
    for (const float weight : taps.weight[phase]) {
      const int row = std::clamp(input_y++, 0, from.height - 1);
      for (int x = 0; x < to.width; ++x) {
        for (std::size_t c = 0; c < 3; ++c) to.at(x, y)[c] += weight * from.at(x, row)[c];
      }
    }
  }
  return to;
}

}  // namespace

Canvas shrink(const Canvas& canvas, int factor, ResizeKernel kernel) {
  assert(canvas.width % factor == 0 && canvas.height % factor == 0);
  const Taps taps = shrink_taps(factor, kernel);
  return filter_columns(filter_rows(canvas, taps), taps);
}

Canvas enlarge(const Canvas& canvas, int factor, ResizeKernel kernel) {
  const Taps taps = enlarge_taps(factor, kernel);
  return filter_columns(filter_rows(canvas, taps), taps);
}

Canvas blur(const Canvas& canvas, float deviation) {
  if (deviation <= 0) return canvas;
  const Taps taps = gaussian_taps(deviation);
  return filter_columns(filter_rows(canvas, taps), taps);
}

}  // namespace weir::synth

#include <vector>

#include "nn/train/cpu_work.hpp"

namespace weir::nn::train {

namespace {

/// Calls f(output pixel, first input pixel of its window) for the images first..last-1.
template <class F>
void each_window(const WindowShape& s, int first, int last, F&& f) {
  std::ptrdiff_t out = static_cast<std::ptrdiff_t>(first) * s.out_h * s.out_w;
  for (int n = first; n < last; ++n) {
    for (int y = 0; y < s.out_h; ++y) {
      for (int x = 0; x < s.out_w; ++x, ++out) {
        f(out, (static_cast<std::ptrdiff_t>(n) * s.in_h + y * s.window.stride) * s.in_w + x * s.window.stride);
      }
    }
  }
}

/// The values from the window's first pixel to each of its pixels.
std::vector<std::ptrdiff_t> steps_of(const WindowShape& s) {
  std::vector<std::ptrdiff_t> steps;
  for (int y = 0; y < s.window.kernel; ++y) {
    for (int x = 0; x < s.window.kernel; ++x) steps.push_back((static_cast<std::ptrdiff_t>(y) * s.in_w + x) * s.in_c);
  }
  return steps;
}

double cost_of(const WindowShape& s) {
  return static_cast<double>(s.out_h) * s.out_w * s.in_c * s.window.kernel * s.window.kernel;
}

}  // namespace

void CpuWork::max_pool(const MaxPool& c) {
  const WindowShape& s = c.shape;
  const std::vector<std::ptrdiff_t> steps = steps_of(s);
  share(s.images, 1, cost_of(s), [&](int first, int last, int) {
    std::vector<const float*> taps(steps.size());
    each_window(s, first, last, [&](std::ptrdiff_t out, std::ptrdiff_t in) {
      for (std::size_t t = 0; t < steps.size(); ++t) taps[t] = at(c.in) + in * s.in_c + steps[t];
      kernels_.largest(taps.data(), static_cast<int>(taps.size()), at(c.out) + out * s.in_c,
                       static_cast<std::size_t>(s.in_c));
    });
  });
}

void CpuWork::max_pool_back(const MaxPoolBack& c) {
  const WindowShape& s = c.shape;
  const std::vector<std::ptrdiff_t> steps = steps_of(s);
  const std::ptrdiff_t image = static_cast<std::ptrdiff_t>(s.in_h) * s.in_w * s.in_c;
  share(s.images, 1, cost_of(s), [&](int first, int last, int) {
    if (!c.accumulate) std::fill(at(c.in_gradient) + first * image, at(c.in_gradient) + last * image, 0.0F);
    std::vector<const float*> taps(steps.size());
    std::vector<float*> gradients(steps.size());
    each_window(s, first, last, [&](std::ptrdiff_t out, std::ptrdiff_t in) {
      for (std::size_t t = 0; t < steps.size(); ++t) {
        taps[t] = at(c.in) + in * s.in_c + steps[t];
        gradients[t] = at(c.in_gradient) + in * s.in_c + steps[t];
      }
      kernels_.largest_back(taps.data(), static_cast<int>(taps.size()), at(c.out_gradient) + out * s.in_c,
                            gradients.data(), static_cast<std::size_t>(s.in_c));
    });
  });
}

}  // namespace weir::nn::train

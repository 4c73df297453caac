// Max pooling on the CPU: the functions max_pool() and max_pool_back() of CpuExecutor.
#include <vector>

#include "nn/train/cpu_executor.hpp"

namespace weir::nn::train {

namespace {

/// Calls f(output pixel, first input pixel of its window) for each output pixel of the images first..last-1. Both are
/// indices of pixels in the whole batch.
template <class F>
void for_each_window(const WindowShape& s, int first, int last, F&& f) {
  std::ptrdiff_t out = static_cast<std::ptrdiff_t>(first) * s.out_h * s.out_w;
  for (int n = first; n < last; ++n) {
    for (int y = 0; y < s.out_h; ++y) {
      for (int x = 0; x < s.out_w; ++x, ++out) {
        f(out, (static_cast<std::ptrdiff_t>(n) * s.in_h + y * s.window.stride) * s.in_w + x * s.window.stride);
      }
    }
  }
}

/// Returns the offset of each pixel of a window from the first pixel of the window, in values.
std::vector<std::ptrdiff_t> window_offsets(const WindowShape& s) {
  std::vector<std::ptrdiff_t> offsets;
  for (int y = 0; y < s.window.kernel; ++y) {
    for (int x = 0; x < s.window.kernel; ++x) offsets.push_back((static_cast<std::ptrdiff_t>(y) * s.in_w + x) * s.in_c);
  }
  return offsets;
}

/// Returns the number of comparisons for one image.
double image_cost(const WindowShape& s) {
  return static_cast<double>(s.out_h) * s.out_w * s.in_c * s.window.kernel * s.window.kernel;
}

}  // namespace

void CpuExecutor::max_pool(const MaxPoolCommand& c) {
  const WindowShape& s = c.shape;
  const std::vector<std::ptrdiff_t> offsets = window_offsets(s);
  parallel_for(s.images, 1, image_cost(s), [&](int first, int last, int /*member*/) {
    std::vector<const float*> taps(offsets.size());
    for_each_window(s, first, last, [&](std::ptrdiff_t out, std::ptrdiff_t in) {
      for (std::size_t t = 0; t < offsets.size(); ++t) taps[t] = data(c.in) + in * s.in_c + offsets[t];
      kernels_.max_pool(taps.data(), static_cast<int>(taps.size()), data(c.out) + out * s.in_c,
                        static_cast<std::size_t>(s.in_c));
    });
  });
}

void CpuExecutor::max_pool_back(const MaxPoolBackCommand& c) {
  const WindowShape& s = c.shape;
  const std::vector<std::ptrdiff_t> offsets = window_offsets(s);
  const std::ptrdiff_t image_values = static_cast<std::ptrdiff_t>(s.in_h) * s.in_w * s.in_c;
  parallel_for(s.images, 1, image_cost(s), [&](int first, int last, int /*member*/) {
    if (!c.accumulate)
      std::fill(data(c.in_gradient) + first * image_values, data(c.in_gradient) + last * image_values, 0.0F);
    std::vector<const float*> taps(offsets.size());
    std::vector<float*> gradients(offsets.size());
    for_each_window(s, first, last, [&](std::ptrdiff_t out, std::ptrdiff_t in) {
      for (std::size_t t = 0; t < offsets.size(); ++t) {
        taps[t] = data(c.in) + in * s.in_c + offsets[t];
        gradients[t] = data(c.in_gradient) + in * s.in_c + offsets[t];
      }
      kernels_.max_pool_back(taps.data(), static_cast<int>(taps.size()), data(c.out_gradient) + out * s.in_c,
                             gradients.data(), static_cast<std::size_t>(s.in_c));
    });
  });
}

}  // namespace weir::nn::train

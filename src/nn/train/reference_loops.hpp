#pragma once

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "nn/train/command.hpp"

namespace weir::nn::train {

/// The reference implementation of the commands that need nested loops: plain loops that compute in the number type T
/// and define what these commands compute. ReferenceTrainingDevice uses all of them, CpuTrainingDevice those without a
/// faster kernel.
template <class T>
struct ReferenceLoops {
  static T* data(Operand operand) { return static_cast<T*>(operand.memory); }
  static std::size_t to_index(int i) { return static_cast<std::size_t>(i); }
  /// Stores `value` in `out`, or adds it to `out` if `accumulate` is true.
  static void store(T& out, T value, bool accumulate) { out = accumulate ? out + value : value; }

  static void product(const MatrixProductCommand& c) {
    const std::size_t rows = to_index(c.rows), columns = to_index(c.columns), inner = to_index(c.inner);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        T sum = c.bias ? data(c.bias)[j] : T{0};
        for (std::size_t k = 0; k < inner; ++k) {
          const T a = data(c.a)[c.transpose_a ? k * rows + i : i * inner + k];
          const T b = data(c.b)[c.transpose_b ? j * inner + k : k * columns + j];
          sum += a * b;
        }
        store(data(c.out)[i * columns + j], sum, c.accumulate);
      }
    }
  }
  static void transpose(const TransposeCommand& c) {
    const std::size_t rows = to_index(c.rows), columns = to_index(c.columns);
    for (std::size_t i = 0; i < rows; ++i) {
      for (std::size_t j = 0; j < columns; ++j) {
        store(data(c.out)[j * rows + i], data(c.in)[i * columns + j], c.accumulate);
      }
    }
  }

  /// Calls f(input pixel, output pixel, tap) for every kernel position (tap) of every output pixel, except positions in
  /// the padding. The arguments are indices.
  template <class F>
  static void for_each_tap(const WindowShape& s, F&& f) {
    const int k = s.window.kernel;
    for (int n = 0; n < s.images; ++n) {
      for (int y = 0; y < s.out_h; ++y) {
        for (int x = 0; x < s.out_w; ++x) {
          for (int tap = 0; tap < k * k; ++tap) {
            const int iy = y * s.window.stride - s.window.padding + tap / k;
            const int ix = x * s.window.stride - s.window.padding + tap % k;
            if (iy < 0 || iy >= s.in_h || ix < 0 || ix >= s.in_w) continue;
            f(to_index((n * s.in_h + iy) * s.in_w + ix), to_index((n * s.out_h + y) * s.out_w + x), to_index(tap));
          }
        }
      }
    }
  }
  static void convolve(const ConvolveCommand& c) {
    const std::size_t ic = to_index(c.shape.in_c), oc = to_index(c.shape.out_c);
    for (std::size_t i = 0; i < c.out.count; ++i) {
      store(data(c.out)[i], c.bias ? data(c.bias)[i % oc] : T{0}, c.accumulate);
    }
    for_each_tap(c.shape, [&](std::size_t in, std::size_t out, std::size_t tap) {
      for (std::size_t i = 0; i < ic; ++i) {
        for (std::size_t o = 0; o < oc; ++o) {
          data(c.out)[out * oc + o] += data(c.in)[in * ic + i] * data(c.weights)[(tap * ic + i) * oc + o];
        }
      }
    });
  }
  static void convolve_back(const ConvolveBackCommand& c) {
    const std::size_t ic = to_index(c.shape.in_c), oc = to_index(c.shape.out_c);
    if (!c.accumulate) std::fill_n(data(c.in_gradient), c.in_gradient.count, T{0});
    for_each_tap(c.shape, [&](std::size_t in, std::size_t out, std::size_t tap) {
      for (std::size_t i = 0; i < ic; ++i) {
        for (std::size_t o = 0; o < oc; ++o) {
          data(c.in_gradient)[in * ic + i] +=
              data(c.out_gradient)[out * oc + o] * data(c.weights)[(tap * ic + i) * oc + o];
        }
      }
    });
  }
  static void convolve_weights_back(const ConvolveWeightsBackCommand& c) {
    const std::size_t ic = to_index(c.shape.in_c), oc = to_index(c.shape.out_c);
    if (!c.accumulate) std::fill_n(data(c.weight_gradient), c.weight_gradient.count, T{0});
    for_each_tap(c.shape, [&](std::size_t in, std::size_t out, std::size_t tap) {
      for (std::size_t i = 0; i < ic; ++i) {
        for (std::size_t o = 0; o < oc; ++o) {
          data(c.weight_gradient)[(tap * ic + i) * oc + o] +=
              data(c.in)[in * ic + i] * data(c.out_gradient)[out * oc + o];
        }
      }
    });
  }

  static void pixel_shuffle(const PixelShuffleCommand& c) {
    const int r = c.factor;  // (y % r, x % r) is the position of a large pixel in its block
    for (int n = 0; n < c.images; ++n) {
      for (int y = 0; y < c.h * r; ++y) {
        for (int x = 0; x < c.w * r; ++x) {
          for (int channel = 0; channel < c.channels; ++channel) {
            const std::size_t large_index = to_index(((n * c.h * r + y) * c.w * r + x) * c.channels + channel);
            const int small_pixel = (n * c.h + y / r) * c.w + x / r;
            const std::size_t small_index = to_index((small_pixel * c.channels + channel) * r * r + y % r * r + x % r);
            store(data(c.out)[c.inverse ? small_index : large_index], data(c.in)[c.inverse ? large_index : small_index],
                  c.accumulate);
          }
        }
      }
    }
  }
  static void copy_channels(const CopyChannelsCommand& c) {
    for (std::size_t row = 0; row < c.rows; ++row) {
      for (int i = 0; i < c.count; ++i) {
        store(data(c.out)[row * to_index(c.out_channels) + to_index(c.out_first + i)],
              data(c.in)[row * to_index(c.in_channels) + to_index(c.in_first + i)], c.accumulate);
      }
    }
  }

  /// Calls f(index of the largest input value, index of the output value) for every output value of a max pooling.
  /// There is no padding, so every window is inside the picture.
  template <class F>
  static void for_each_maximum(const WindowShape& s, const T* in, F&& f) {
    const int k = s.window.kernel;
    for (int pixel = 0; pixel < s.images * s.out_h * s.out_w; ++pixel) {
      const int x = pixel % s.out_w, y = pixel / s.out_w % s.out_h, n = pixel / (s.out_w * s.out_h);
      for (int channel = 0; channel < s.in_c; ++channel) {
        std::size_t best = 0;
        for (int tap = 0; tap < k * k; ++tap) {
          const int iy = y * s.window.stride + tap / k, ix = x * s.window.stride + tap % k;
          const std::size_t candidate = to_index(((n * s.in_h + iy) * s.in_w + ix) * s.in_c + channel);
          if (tap == 0 || in[candidate] > in[best]) best = candidate;
        }
        f(best, to_index(pixel * s.in_c + channel));
      }
    }
  }
  static void max_pool(const MaxPoolCommand& c) {
    for_each_maximum(c.shape, data(c.in), [&](std::size_t in, std::size_t out) { data(c.out)[out] = data(c.in)[in]; });
  }
  static void max_pool_back(const MaxPoolBackCommand& c) {
    if (!c.accumulate) std::fill_n(data(c.in_gradient), c.in_gradient.count, T{0});
    for_each_maximum(c.shape, data(c.in),
                     [&](std::size_t in, std::size_t out) { data(c.in_gradient)[in] += data(c.out_gradient)[out]; });
  }

  /// Returns log(sum_c exp(row[c])) over all channels c. Subtracting the largest value first prevents an overflow.
  static T log_sum_exp(const T* row, std::size_t channels) {
    const T largest = *std::max_element(row, row + channels);
    T sum = 0;
    for (std::size_t c = 0; c < channels; ++c) sum += std::exp(row[c] - largest);
    return largest + std::log(sum);
  }
  static void cross_entropy(const CrossEntropyCommand& c) {
    double sum = 0;
    for (std::size_t r = 0; r < c.rows; ++r) {
      const T *p = data(c.prediction) + r * c.channels, *t = data(c.target) + r * c.channels;
      const T log_sum = log_sum_exp(p, c.channels);
      for (std::size_t i = 0; i < c.channels; ++i) sum += static_cast<double>(t[i] * (log_sum - p[i]));
    }
    *data(c.out) = static_cast<T>(sum / static_cast<double>(c.rows));
  }
  static void cross_entropy_back(const CrossEntropyBackCommand& c) {
    const T scale = *data(c.out_gradient) / static_cast<T>(c.rows);
    for (std::size_t r = 0; r < c.rows; ++r) {
      const T *p = data(c.prediction) + r * c.channels, *t = data(c.target) + r * c.channels;
      T* gradient = data(c.in_gradient) + r * c.channels;
      const T log_sum = log_sum_exp(p, c.channels);
      for (std::size_t i = 0; i < c.channels; ++i) {
        store(gradient[i], scale * (std::exp(p[i] - log_sum) - t[i]), c.accumulate);
      }
    }
  }
};

}  // namespace weir::nn::train

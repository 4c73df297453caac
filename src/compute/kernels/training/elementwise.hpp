#pragma once

// The element-wise operations of training: the definitions of all functions of TrainingKernels (training.hpp, which
// documents them) except `product`. They are plain loops that a compiler vectorises: with T = float they are compiled
// for each instruction set; nn/train/reference_training_device.cpp also uses T = double, as the reference. `Tag` is a
// type that differs between instruction sets, so that the linker does not merge their functions.

#include <cmath>
#include <cstddef>

#include "compute/kernels/training/training.hpp"

namespace weir::compute {

template <class Tag, class T>
struct Elementwise {
  static void put(T* out, T value, bool accumulate) { *out = accumulate ? *out + value : value; }

  static void combine(const T* a, const T* b, T* out, T alpha, T beta, bool accumulate, std::size_t n) {
    if (b == nullptr) {
      for (std::size_t i = 0; i < n; ++i) put(out + i, alpha * a[i], accumulate);
    } else {
      for (std::size_t i = 0; i < n; ++i) put(out + i, alpha * a[i] + beta * b[i], accumulate);
    }
  }
  static void multiply(const T* a, const T* b, T* out, T scale, bool accumulate, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) put(out + i, scale * a[i] * b[i], accumulate);
  }
  static void activate(ActivationKind kind, T slope, const T* in, T* out, std::size_t n) {
    switch (kind) {
      case ActivationKind::relu:
        for (std::size_t i = 0; i < n; ++i) out[i] = in[i] > 0 ? in[i] : T{0};
        break;
      case ActivationKind::leaky_relu:
        for (std::size_t i = 0; i < n; ++i) out[i] = in[i] < 0 ? in[i] * slope : in[i];
        break;
      case ActivationKind::sigmoid:
        for (std::size_t i = 0; i < n; ++i) out[i] = T{1} / (T{1} + std::exp(-in[i]));
        break;
      case ActivationKind::tanh:
        for (std::size_t i = 0; i < n; ++i) out[i] = std::tanh(in[i]);
        break;
    }
  }
  static void activate_back(ActivationKind kind, T slope, const T* in, const T* out, const T* out_gradient,
                            T* in_gradient, bool accumulate, std::size_t n) {
    switch (kind) {
      case ActivationKind::relu:
        for (std::size_t i = 0; i < n; ++i) put(in_gradient + i, in[i] > 0 ? out_gradient[i] : T{0}, accumulate);
        break;
      case ActivationKind::leaky_relu:
        for (std::size_t i = 0; i < n; ++i) {
          put(in_gradient + i, in[i] < 0 ? out_gradient[i] * slope : out_gradient[i], accumulate);
        }
        break;
      case ActivationKind::sigmoid:
        for (std::size_t i = 0; i < n; ++i) {
          put(in_gradient + i, out_gradient[i] * out[i] * (T{1} - out[i]), accumulate);
        }
        break;
      case ActivationKind::tanh:
        for (std::size_t i = 0; i < n; ++i) {
          put(in_gradient + i, out_gradient[i] * (T{1} - out[i] * out[i]), accumulate);
        }
        break;
    }
  }
  static void add_bias(const T* in, const T* bias, T* out, std::size_t rows, std::size_t channels) {
    for (std::size_t r = 0; r < rows; ++r, in += channels, out += channels) {
      for (std::size_t c = 0; c < channels; ++c) out[c] = in[c] + bias[c];
    }
  }
  static void prelu(const T* in, const T* slopes, T* out, std::size_t rows, std::size_t channels) {
    for (std::size_t r = 0; r < rows; ++r, in += channels, out += channels) {
      for (std::size_t c = 0; c < channels; ++c) out[c] = in[c] < 0 ? in[c] * slopes[c] : in[c];
    }
  }
  static void prelu_back(const T* in, const T* slopes, const T* out_gradient, T* in_gradient, bool accumulate,
                         std::size_t rows, std::size_t channels) {
    for (std::size_t r = 0; r < rows; ++r, in += channels, out_gradient += channels, in_gradient += channels) {
      for (std::size_t c = 0; c < channels; ++c) {
        put(in_gradient + c, in[c] < 0 ? out_gradient[c] * slopes[c] : out_gradient[c], accumulate);
      }
    }
  }
  static void prelu_slopes(const T* in, const T* out_gradient, T* sums, std::size_t rows, std::size_t channels) {
    for (std::size_t r = 0; r < rows; ++r, in += channels, out_gradient += channels) {
      for (std::size_t c = 0; c < channels; ++c) sums[c] += in[c] < 0 ? out_gradient[c] * in[c] : T{0};
    }
  }
  static void sum_rows(const T* in, T* sums, std::size_t rows, std::size_t channels) {
    for (std::size_t r = 0; r < rows; ++r, in += channels) {
      for (std::size_t c = 0; c < channels; ++c) sums[c] += in[c];
    }
  }

  /// Returns the sum of term(i) for i < n. It always adds kSums partial sums, so that the order of the additions does
  /// not depend on the length of vectors.
  static constexpr std::size_t kSums = 16;
  template <class Term>
  static double sum(std::size_t n, Term&& term) {
    double sums[kSums] = {};
    std::size_t i = 0;
    for (; i + kSums <= n; i += kSums) {
      for (std::size_t lane = 0; lane < kSums; ++lane) sums[lane] += static_cast<double>(term(i + lane));
    }
    for (std::size_t lane = 0; i < n; ++i, ++lane) sums[lane] += static_cast<double>(term(i));
    double all = 0;
    for (const double one : sums) all += one;
    return all;
  }
  static double sum_squares(const T* in, std::size_t n) {
    return sum(n, [in](std::size_t i) { return in[i] * in[i]; });
  }
  static double loss(LossKind kind, T epsilon, const T* p, const T* t, std::size_t n) {
    switch (kind) {
      case LossKind::prediction:
        return sum(n, [p](std::size_t i) { return p[i]; });
      case LossKind::squared:
        return sum(n, [p, t](std::size_t i) { return (p[i] - t[i]) * (p[i] - t[i]); });
      case LossKind::absolute:
        return sum(n, [p, t](std::size_t i) { return std::abs(p[i] - t[i]); });
      case LossKind::charbonnier:
        return sum(
            n, [p, t, epsilon](std::size_t i) { return std::sqrt((p[i] - t[i]) * (p[i] - t[i]) + epsilon * epsilon); });
    }
    return 0;
  }
  static void loss_back(LossKind kind, T epsilon, const T* p, const T* t, T scale, T* gradient, bool accumulate,
                        std::size_t n) {
    switch (kind) {
      case LossKind::prediction:
        for (std::size_t i = 0; i < n; ++i) put(gradient + i, scale, accumulate);
        break;
      case LossKind::squared:
        for (std::size_t i = 0; i < n; ++i) put(gradient + i, T{2} * scale * (p[i] - t[i]), accumulate);
        break;
      case LossKind::absolute:
        for (std::size_t i = 0; i < n; ++i) {
          const T d = p[i] - t[i];
          put(gradient + i, d > 0 ? scale : (d < 0 ? -scale : T{0}), accumulate);
        }
        break;
      case LossKind::charbonnier:
        for (std::size_t i = 0; i < n; ++i) {
          const T d = p[i] - t[i];
          put(gradient + i, scale * d / std::sqrt(d * d + epsilon * epsilon), accumulate);
        }
        break;
    }
  }
  static void max_pool(const T* const* taps, int count, T* out, std::size_t channels) {
    for (std::size_t c = 0; c < channels; ++c) out[c] = taps[0][c];
    for (int t = 1; t < count; ++t) {
      const T* tap = taps[t];
      for (std::size_t c = 0; c < channels; ++c) out[c] = tap[c] > out[c] ? tap[c] : out[c];
    }
  }
  static void max_pool_back(const T* const* taps, int count, const T* out_gradient, T* const* gradients,
                            std::size_t channels) {
    constexpr std::size_t kGroup = 16;  // channels per call; a constant, so that the loops can be vectorised
    std::size_t c = 0;
    for (; c + kGroup <= channels; c += kGroup) max_pool_back_channels<kGroup>(taps, count, out_gradient, gradients, c);
    for (; c < channels; ++c) max_pool_back_channels<1>(taps, count, out_gradient, gradients, c);
  }
  template <std::size_t Channels>
  static void max_pool_back_channels(const T* const* taps, int count, const T* out_gradient, T* const* gradients,
                                     std::size_t first) {
    // `largest` is the index of the largest tap. It has the type T, so that the loops can be vectorised.
    T most[Channels], largest[Channels], upstream[Channels];
    for (std::size_t c = 0; c < Channels; ++c) {
      most[c] = taps[0][first + c];
      largest[c] = 0;
      upstream[c] = out_gradient[first + c];
    }
    for (int t = 1; t < count; ++t) {
      const T* tap = taps[t] + first;
      const T number = static_cast<T>(t);
      for (std::size_t c = 0; c < Channels; ++c) largest[c] = tap[c] > most[c] ? number : largest[c];
      for (std::size_t c = 0; c < Channels; ++c) most[c] = tap[c] > most[c] ? tap[c] : most[c];
    }
    for (int t = 0; t < count; ++t) {
      T* gradient = gradients[t] + first;
      const T number = static_cast<T>(t);
      T sum[Channels];
      for (std::size_t c = 0; c < Channels; ++c) sum[c] = gradient[c] + (largest[c] == number ? upstream[c] : T{0});
      for (std::size_t c = 0; c < Channels; ++c) gradient[c] = sum[c];
    }
  }
  static void adam(const AdamJob<T>& job, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const T g = job.gradient_scale * job.gradient[i];
      const T m = job.beta1 * job.mean_gradient[i] + (T{1} - job.beta1) * g;
      const T v = job.beta2 * job.mean_square[i] + (T{1} - job.beta2) * g * g;
      job.mean_gradient[i] = m;
      job.mean_square[i] = v;
      const T w = job.weights[i] - job.learning_rate * job.weight_decay * job.weights[i];
      job.weights[i] = w - job.learning_rate * (m * job.correction1) / (std::sqrt(v * job.correction2) + job.epsilon);
    }
  }
  static void sgd(const SgdJob<T>& job, std::size_t n) {
    for (std::size_t i = 0; i < n; ++i) {
      const T v = job.momentum * job.velocity[i] + job.gradient_scale * job.gradient[i];
      job.velocity[i] = v;
      job.weights[i] = job.weights[i] - job.learning_rate * (v + job.weight_decay * job.weights[i]);
    }
  }
};

}  // namespace weir::compute

#pragma once

// Convolution of a planar input (DirectJob), written once for all policies P (P: the vectors of one instruction set and
// the operations on them, simd/simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it for
// one instruction set.

#include <cassert>

#include "compute/kernels/kernels.hpp"

namespace weir::compute {

template <class P>
struct Direct {
  using F = typename P::F;
  // The register tile: kPixels pixels of kVectors vectors of output channels.
  static constexpr int kPixels = P::rows;
  // At most 32 channels, because out_padded is a multiple of 32.
  static constexpr int kVectors = P::columns * P::lanes < 32 ? P::columns : 32 / P::lanes;

  /// Runs a job whose output elements are of type T: std::uint16_t (binary16) or float.
  template <class T>
  static void run_typed(const DirectJob& job) {
    for (int channel = 0; channel < job.out_padded; channel += kVectors * P::lanes) {
      for (int x = 0; x < job.columns; x += kPixels) {
        F y[kPixels][kVectors];
        multiply(job, channel, x, y);
        const int pixels = job.columns - x < kPixels ? job.columns - x : kPixels;
        for (int n = 0; n < kVectors; ++n) {
          const F slope = P::load(job.epilogue->slope.data() + channel + n * P::lanes);
          for (int i = 0; i < pixels; ++i) put<T>(job, channel + n * P::lanes, x + i, P::prelu(y[i][n], slope));
        }
      }
    }
  }
  /// Computes the sums of kPixels pixels from column x on, for kVectors vectors of channels from `channel` on, to
  /// `y`. It adds in a local array, because Clang 14 keeps an array in registers only if all its indices are constants.
  static inline void multiply(const DirectJob& job, int channel, int x, F (&y)[kPixels][kVectors]) {
    F sum[kPixels][kVectors];
    for (int n = 0; n < kVectors; ++n) {
      const F bias = P::load(job.epilogue->bias.data() + channel + n * P::lanes);
      for (int i = 0; i < kPixels; ++i) sum[i][n] = bias;
    }
    const float* w = job.weights + channel;
    for (int ky = 0; ky < job.kernel; ++ky) {
      for (int kx = 0; kx < job.kernel; ++kx) {
        for (int c = 0; c < job.in; ++c, w += job.out_padded) {
          F weight[kVectors];
          for (int n = 0; n < kVectors; ++n) weight[n] = P::load(w + n * P::lanes);
          const float* in = job.rows[static_cast<std::size_t>(ky)] + c * job.plane_stride + x + kx;
          for (int i = 0; i < kPixels; ++i) {
            const F value = P::set1(in[i]);
            for (int n = 0; n < kVectors; ++n) sum[i][n] = P::fma(weight[n], value, sum[i][n]);
          }
        }
      }
    }
    for (int i = 0; i < kPixels; ++i) {
      for (int n = 0; n < kVectors; ++n) y[i][n] = sum[i][n];
    }
  }
  /// Stores one vector of channels, from `channel` on, of the pixel in column x.
  template <class T>
  static inline void put(const DirectJob& job, int channel, int x, F value) {
    if (!job.target.planar) {
      P::store(static_cast<T*>(job.output) + x * job.target.pixel_stride + channel, value);
      return;
    }
    alignas(64) float lanes[P::lanes];
    P::store(lanes, value);
    for (int n = 0; n < P::lanes && channel + n < job.out; ++n) {
      static_cast<float*>(job.output)[(channel + n) * job.target.plane_stride + x] = lanes[n];
    }
  }
  static void run(const DirectJob& job) {
    assert(job.in >= 1 && job.in <= kMaxPlanarChannels && job.kernel >= 1 && job.kernel <= kMaxDirectKernel);
    if (job.element_type == ElementType::float16) {
      run_typed<std::uint16_t>(job);
    } else {
      run_typed<float>(job);
    }
  }
};

}  // namespace weir::compute

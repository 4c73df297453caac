#pragma once

// Convolution of a planar input, written once for every policy of simd/. Included only by the file of one instruction set.

#include "compute/kernels/kernels.hpp"

namespace weir::compute {

template <class P>
struct Direct {
  using F = typename P::F;
  static constexpr int kPixels = 6;

  template <class T>
  static void run_typed(const DirectJob& job) {
    for (int lane = 0; lane < job.out_padded; lane += P::lanes) {
      const F bias = P::load(job.epilogue->bias.data() + lane);
      const F slope = P::load(job.epilogue->slope.data() + lane);
      for (int x = 0; x < job.columns; x += kPixels) {
        const int pixels = job.columns - x < kPixels ? job.columns - x : kPixels;
        F sum[kPixels];
        for (F& s : sum) s = bias;
        const float* w = job.weights + lane;
        for (int ky = 0; ky < job.kernel; ++ky) {
          for (int kx = 0; kx < job.kernel; ++kx) {
            for (int c = 0; c < job.in; ++c, w += job.out_padded) {
              const F weight = P::load(w);
              const float* in = job.rows[static_cast<std::size_t>(ky)] + c * job.plane_stride + x + kx;
              for (int i = 0; i < kPixels; ++i) sum[i] = P::fma(weight, P::set1(in[i]), sum[i]);
            }
          }
        }
        for (int i = 0; i < pixels; ++i) put<T>(job, lane, x + i, P::prelu(sum[i], slope));
      }
    }
  }
  template <class T>
  static inline void put(const DirectJob& job, int lane, int x, F value) {
    if (!job.target.planar) {
      P::store(static_cast<T*>(job.output) + x * job.target.stride + lane, value);
      return;
    }
    alignas(64) float lanes[P::lanes];
    P::store(lanes, value);
    for (int n = 0; n < P::lanes && lane + n < job.out; ++n) {
      static_cast<float*>(job.output)[(lane + n) * job.target.plane_stride + x] = lanes[n];
    }
  }
  static void run(const DirectJob& job) {
    if (job.storage == Storage::half) {
      run_typed<std::uint16_t>(job);
    } else {
      run_typed<float>(job);
    }
  }
};

}  // namespace weir::compute

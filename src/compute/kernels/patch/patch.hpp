#pragma once

// Matrix products over small patches (PatchJob), written once for all policies P (P: the vectors of one instruction set
// and the operations on them, simd/simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it
// for one instruction set. A phase is the place (dy, dx) of an output pixel among the factor x factor pixels of its
// position.

#include <cassert>

#include "compute/kernels/kernels.hpp"
#include "compute/kernels/simd/matrix.hpp"

namespace weir::compute {

template <class P>
struct Patch {
  using F = typename P::F;
  static constexpr int kPositions = P::rows;            // positions in a group: the rows of the register tile
  static constexpr int kMaxGroups = 4;                  // groups that are processed together
  static constexpr int kBlock = P::lanes * P::columns;  // outputs in a block of the packed matrix

  static std::size_t scratch_bytes(int in) {
    return static_cast<std::size_t>(kMaxGroups) * kPositions * in * sizeof(float) + 1024;
  }

  /// The inputs of one group, [kPositions][in], in scratch memory.
  struct Group {
    std::int16_t* ints;         // for int16
    float* floats;              // for float32; the same memory as `ints`
    float unscale[kPositions];  // for int16: 1 / scale of each patch
  };

  /// Copies the patches of `positions` positions, from position `first` on, to `group` and applies the gate. The values
  /// become int16, with a scale for each patch, or float32, depending on the job's arithmetic.
  template <class T>
  static void gather(const PatchJob& job, int first, int positions, Group& group) {
    const int in = job.matrix->in;
    const bool ints = job.matrix->arithmetic == Arithmetic::int16;
    static_assert(kPositions <= 16 && 16 % P::lanes == 0, "whole vectors of positions are read and written below");
    alignas(64) F most[16];
    for (F& m : most) m = P::set1(0.0F);
    // Calls f(k, a, b) for each pair of adjacent vectors of a patch, multiplied by the gate: `a` has the inputs from k
    // on of the matrix, `b` those from k + P::lanes on.
    const auto for_each_pair = [&](int position, auto&& f) {
      int k = 0;
      for (int ky = 0; ky < job.kernel; ++ky) {
        const T* row = static_cast<const T*>(job.rows[static_cast<std::size_t>(ky)]) +
                       static_cast<std::ptrdiff_t>((first + position) * job.stride) * job.pixel_stride;
        for (int kx = 0; kx < job.kernel; ++kx) {
          const T* pixel = row + kx * job.pixel_stride;
          for (int c = 0; c < job.channels; c += 2 * P::lanes, k += 2 * P::lanes) {
            F a = P::load(pixel + c);
            F b = P::load(pixel + c + P::lanes);
            if (job.gate != nullptr) {
              a = P::mul(a, P::load(job.gate + c));
              b = P::mul(b, P::load(job.gate + c + P::lanes));
            }
            f(k, a, b);
          }
        }
      }
    };
    if (!ints) {
      for (int position = 0; position < positions; ++position) {
        for_each_pair(position, [&](int k, F a, F b) {
          P::store(group.floats + position * in + k, a);
          P::store(group.floats + position * in + k + P::lanes, b);
        });
      }
      return;
    }
    for (int position = 0; position < positions; ++position) {
      F m = P::set1(0.0F);
      for_each_pair(position, [&](int, F a, F b) { m = P::abs_max(P::abs_max(m, a), b); });
      most[position] = m;
    }
    alignas(64) float largest[16];
    for (int i = 0; i < kPositions; i += P::lanes) P::store(largest + i, P::largest_lanes(most + i));
    for (int position = 0; position < positions; ++position) {
      constexpr float kRange = 32766.0F;  // largest magnitude of the data; int16_scale() in kernels.cpp has the reason
      // Also true for NaN. Values of 3e38 and more count as infinite.
      if (!(largest[position] < 3e38F)) *job.found_non_finite = true;
      const float m = largest[position] + 1e-30F;  // not 0, so that the division below is defined
      group.unscale[position] = m / kRange;
      const F scale = P::set1(kRange / m);
      for_each_pair(position, [&](int k, F a, F b) {
        P::pack(group.ints + position * in + k, P::mul(a, scale), P::mul(b, scale));
      });
    }
  }

  /// Runs a job whose elements are of type T: std::uint16_t (binary16) or float.
  template <class T>
  static void run_typed(const PatchJob& job) {
    const PackedMatrix& matrix = *job.matrix;
    const int in = matrix.in;
    const std::size_t per_group = static_cast<std::size_t>(kPositions) * in;
    for (int first = 0; first < job.positions; first += kPositions * kMaxGroups) {
      Group groups[kMaxGroups];
      const int groups_left = (job.positions - first + kPositions - 1) / kPositions;
      const int count = groups_left < kMaxGroups ? groups_left : kMaxGroups;
      for (int g = 0; g < count; ++g) {
        groups[g].floats = reinterpret_cast<float*>(job.scratch) + g * per_group;
        groups[g].ints = reinterpret_cast<std::int16_t*>(groups[g].floats);
        gather<T>(job, first + g * kPositions, positions_of(job, first, g), groups[g]);
      }
      for (int first_output = 0; first_output < matrix.out_padded; first_output += kBlock) {
        const int width = matrix.out_padded - first_output < kBlock ? matrix.out_padded - first_output : kBlock;
        with_columns<P>(width / P::lanes, [&](auto columns) {
          for (int g = 0; g < count; ++g) {
            F y[kPositions][columns()];
            multiply<columns()>(matrix, first_output, groups[g], y);
            finish<T, columns()>(job, first_output, first + g * kPositions, positions_of(job, first, g), y);
          }
        });
      }
    }
  }
  /// Returns the number of positions of group `group`, counted from position `first` on; the last group of a job can
  /// have fewer than kPositions.
  static int positions_of(const PatchJob& job, int first, int group) {
    const int left = job.positions - first - group * kPositions;
    return left < kPositions ? left : kPositions;
  }

  /// Computes the products of a group with one block of the matrix, from output `first_output` on.
  template <int Columns>
  static inline void multiply(const PackedMatrix& matrix, int first_output, const Group& group,
                              F (&y)[kPositions][Columns]) {
    const int in = matrix.in;
    const std::size_t block = static_cast<std::size_t>(first_output) * in;
    if (matrix.arithmetic == Arithmetic::float32) {
      F sums[kPositions][Columns];  // a local array, because Clang 14 would keep `y` in memory
      multiply_float32<P, Columns>(matrix.float32.data() + block, group.floats, in, in, sums);
      for (int i = 0; i < kPositions; ++i) {
        for (int n = 0; n < Columns; ++n) y[i][n] = sums[i][n];
      }
      return;
    }
    typename P::I sums[kPositions][Columns];
    multiply_int16<P, Columns>(matrix.int16.data() + block, group.ints, in, in, sums);
    for (int n = 0; n < Columns; ++n) {
      const F per_channel = P::load(matrix.unscale.data() + first_output + n * P::lanes);
      for (int i = 0; i < kPositions; ++i) {
        y[i][n] = P::mul(P::mul(P::to_float(sums[i][n]), per_channel), P::set1(group.unscale[i]));
      }
    }
  }

  /// Applies the epilogue to the products of `positions` positions, from position `first` on, with one block of the
  /// matrix, and stores them.
  template <class T, int Columns>
  static void finish(const PatchJob& job, int first_output, int first, int positions, F (&y)[kPositions][Columns]) {
    for (int n = 0; n < Columns; ++n) {
      const int output = first_output + n * P::lanes;
      const F bias = P::load(job.epilogue->bias.data() + output);
      const F slope = P::load(job.epilogue->slope.data() + output);
      for (int i = 0; i < positions; ++i) y[i][n] = P::prelu(P::add(y[i][n], bias), slope);
      if (job.target.planar) {
        store_planar(job, output, first, positions, [&](int i) { return y[i][n]; });
      } else {
        store_features<T>(job, output, first, positions, [&](int i) { return y[i][n]; });
      }
    }
  }

  /// Adds the residual and stores one vector of outputs, from output `output` on, for all positions. All its channels
  /// belong to one phase, because out_channels is a multiple of the vector length. values(i) returns the vector of
  /// position first + i.
  template <class T, class Values>
  static inline void store_features(const PatchJob& job, int output, int first, int positions, Values&& values) {
    const int phase = output / job.out_channels;
    const int channel = output % job.out_channels;
    const std::size_t dy = static_cast<std::size_t>(phase / job.factor);
    const int dx = phase % job.factor;
    if (job.out[dy] == nullptr) return;
    F beta = P::set1(job.residual.beta);
    if (job.residual.present && job.residual.gate != nullptr) beta = P::mul(beta, P::load(job.residual.gate + channel));
    for (int i = 0; i < positions; ++i) {
      const int x = job.first_column + (first + i) * job.factor + dx;
      if (x < 0 || x >= job.columns) continue;
      F value = values(i);
      if (job.residual.present) {
        const T* from = static_cast<const T*>(job.residual_rows[dy]) + x * job.residual.pixel_stride + channel;
        value = P::fma(P::load(from), beta, P::mul(value, P::set1(job.residual.alpha)));
      }
      P::store(static_cast<T*>(job.out[dy]) + x * job.target.pixel_stride + channel, value);
    }
  }
  /// Stores one vector of outputs, from output `output` on, in planar rows for all positions. The output with the index
  /// phase * out_channels + channel is this channel of this phase; lanes after the last output are not used. values(i)
  /// is as in store_features().
  template <class Values>
  static inline void store_planar(const PatchJob& job, int output, int first, int positions, Values&& values) {
    alignas(64) float lanes[P::lanes];
    const int output_count = job.factor * job.factor * job.out_channels;
    for (int i = 0; i < positions; ++i) {
      P::store(lanes, values(i));
      for (int n = 0; n < P::lanes && output + n < output_count; ++n) {
        const int phase = (output + n) / job.out_channels;
        const int channel = (output + n) % job.out_channels;
        const int x = job.first_column + (first + i) * job.factor + phase % job.factor;
        void* row = job.out[static_cast<std::size_t>(phase / job.factor)];
        if (row == nullptr || x < 0 || x >= job.columns) continue;
        static_cast<float*>(row)[channel * job.target.plane_stride + x] = lanes[n];
      }
    }
  }

  static void run(const PatchJob& job) {
    assert(job.kernel >= 1 && job.kernel <= kMaxPatchKernel && job.factor >= 1 && job.factor <= kMaxPatchFactor);
    assert(job.matrix->in == job.kernel * job.kernel * job.channels);
    if (job.element_type == ElementType::float16) {
      run_typed<std::uint16_t>(job);
    } else {
      run_typed<float>(job);
    }
  }
};

}  // namespace weir::compute

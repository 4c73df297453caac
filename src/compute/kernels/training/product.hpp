#pragma once

// The matrix product of training (ProductJob), written once for all policies P (P: the vectors of one instruction set
// and the operations on them, simd/simd_plain.hpp). Each file training_*.cpp includes this header and compiles it for
// one instruction set. The result is computed in tiles: a few rows and a few vectors of columns, whose sums are kept in
// registers.

#include "compute/kernels/simd/matrix.hpp"
#include "compute/kernels/training/training.hpp"

namespace weir::compute {

template <class P>
struct MatrixProduct {
  using F = typename P::F;
  /// Maximum number of vectors of sums in a tile.
  static constexpr int kSums = P::rows * P::columns;
  /// Maximum number of rows of a tile. Each row needs a register for its address: with tiles of one vector, a core
  /// reached 0.57 of its peak speed with 24 rows, 0.88 with 12 and 0.95 with 8 (GCC 12, EPYC with AVX-512).
  static constexpr int kMaxRows = 8;

  static void run(const ProductJob& job) {
    int column = 0;
    while (column < job.columns) {
      const int vectors = (job.columns - column + P::lanes - 1) / P::lanes;
      const int panel_vectors = vectors < P::columns ? vectors : P::columns;
      with_columns<P>(panel_vectors, [&](auto n) { panel<decltype(n)::value>(job, column); });
      column += panel_vectors * P::lanes;
    }
  }

 private:
  /// Computes all rows of a panel: `Vectors` vectors of columns, from `column` on.
  template <int Vectors>
  static void panel(const ProductJob& job, int column) {
    constexpr int kRows = kSums / Vectors < kMaxRows ? kSums / Vectors : kMaxRows;
    int row = 0;
    for (; row + kRows <= job.rows; row += kRows) tile<kRows, Vectors>(job, row, column);
    for (; row + 4 <= job.rows; row += 4) tile<4, Vectors>(job, row, column);
    for (; row + 2 <= job.rows; row += 2) tile<2, Vectors>(job, row, column);
    for (; row < job.rows; ++row) tile<1, Vectors>(job, row, column);
  }

  /// Computes the tile of `Rows` rows, from `row` on, and `Vectors` vectors of columns, from `column` on. The last
  /// vector may reach beyond the last column; its other lanes are computed and not stored.
  template <int Rows, int Vectors>
  static void tile(const ProductJob& job, int row, int column) {
    F sum[Rows][Vectors];
    for (int v = 0; v < Vectors; ++v) {
      const F start = job.bias != nullptr ? P::load(job.bias + column + v * P::lanes) : P::set1(0.0F);
      for (int i = 0; i < Rows; ++i) sum[i][v] = start;
    }
    for (int o = 0; o < job.outer; ++o) {
      const float* values = job.values + o * job.values_outer_step + row * job.row_step;
      const float* matrix = job.matrix + o * job.matrix_outer_step + column;
      const std::ptrdiff_t step = job.row_step;
      for (int k = 0; k < job.inner; ++k, values += job.inner_step, matrix += job.matrix_step) {
        F m[Vectors];
        for (int v = 0; v < Vectors; ++v) m[v] = P::load(matrix + v * P::lanes);
        for (int i = 0; i < Rows; ++i) {
          const F value = P::set1(values[i * step]);
          for (int v = 0; v < Vectors; ++v) sum[i][v] = P::fma(m[v], value, sum[i][v]);
        }
      }
    }
    const int left = job.columns - column - (Vectors - 1) * P::lanes;  // columns in the last vector
    for (int i = 0; i < Rows; ++i) {
      float* out = job.out + (row + i) * job.out_step + column;
      for (int v = 0; v + 1 < Vectors; ++v) put(out + v * P::lanes, sum[i][v], job.accumulate);
      if (left >= P::lanes) {
        put(out + (Vectors - 1) * P::lanes, sum[i][Vectors - 1], job.accumulate);
      } else {
        put_first(out + (Vectors - 1) * P::lanes, sum[i][Vectors - 1], left, job.accumulate);
      }
    }
  }
  static inline void put(float* out, F value, bool accumulate) {
    P::store(out, accumulate ? P::add(P::load(out), value) : value);
  }
  /// Stores only the first `count` lanes.
  static inline void put_first(float* out, F value, int count, bool accumulate) {
    alignas(64) float lanes[P::lanes];
    P::store(lanes, value);
    for (int i = 0; i < count; ++i) out[i] = accumulate ? out[i] + lanes[i] : lanes[i];
  }
};

}  // namespace weir::compute

#pragma once

// The innermost matrix products, written once for all policies P (P: the vectors of one instruction set and the
// operations on them, simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it for one
// instruction set.

#include <cstddef>
#include <cstdint>
#include <type_traits>

namespace weir::compute {

/// Computes sums[i][n] = sum_k values[i * step + k] * weights[k][n], for i < P::rows, n < Columns and k < in.
/// weights[k][n] and sums[i][n] are vectors. Values and weights are int16, sums int32. The weights are packed in pairs
/// of k: [in / 2][Columns * lanes][2].
template <class P, int Columns>
inline __attribute__((always_inline)) void multiply_int16(const std::int16_t* weights, const std::int16_t* values,
                                                          std::ptrdiff_t step, int in,
                                                          typename P::I (&sums)[P::rows][Columns]) {
  for (int i = 0; i < P::rows; ++i) {
    for (int n = 0; n < Columns; ++n) sums[i][n] = P::zero();
  }
#pragma GCC unroll 4
  for (int k = 0; k < in; k += 2) {
    typename P::W w[Columns];
    for (int n = 0; n < Columns; ++n)
      w[n] = P::load_weights(weights + static_cast<std::ptrdiff_t>(k) * Columns * P::lanes + 2 * n * P::lanes);
    for (int i = 0; i < P::rows; ++i) {
      const typename P::B pair = P::pair(values + i * step + k);
      for (int n = 0; n < Columns; ++n) sums[i][n] = P::dot(sums[i][n], w[n], pair);
    }
  }
}

/// Computes the same sums in float32; the weights are [in][Columns * lanes].
template <class P, int Columns>
inline __attribute__((always_inline)) void multiply_float32(const float* weights, const float* values,
                                                            std::ptrdiff_t step, int in,
                                                            typename P::F (&sums)[P::rows][Columns]) {
  for (int i = 0; i < P::rows; ++i) {
    for (int n = 0; n < Columns; ++n) sums[i][n] = P::set1(0.0F);
  }
#pragma GCC unroll 4
  for (int k = 0; k < in; ++k) {
    typename P::F w[Columns];
    for (int n = 0; n < Columns; ++n)
      w[n] = P::load(weights + static_cast<std::ptrdiff_t>(k) * Columns * P::lanes + n * P::lanes);
    for (int i = 0; i < P::rows; ++i) {
      const typename P::F value = P::set1(values[i * step + k]);
      for (int n = 0; n < Columns; ++n) sums[i][n] = P::fma(w[n], value, sums[i][n]);
    }
  }
}

/// Calls f(std::integral_constant<int, columns>{}), so that `columns` is a constant within f; 1 <= columns <=
/// P::columns.
template <class P, class Function>
inline void with_columns(int columns, Function&& f) {
  switch (columns) {
    case 1:
      f(std::integral_constant<int, 1>{});
      break;
    case 2:
      f(std::integral_constant<int, 2>{});
      break;
    case 3:
      if constexpr (P::columns >= 3) f(std::integral_constant<int, 3>{});
      break;
    case 4:
      if constexpr (P::columns >= 4) f(std::integral_constant<int, 4>{});
      break;
    default:
      break;
  }
}

/// Prefetches the cache lines (64 bytes) of a few rows in small steps, between other work.
template <int Rows>
struct Prefetcher {
  const char* from[Rows] = {};  ///< addresses of the rows
  int lines = 0;                ///< number of cache lines of each row
  int next = 0;                 ///< number of lines already prefetched, of all rows together

  /// Returns how many lines each of `calls` calls of fetch() must prefetch. It is always inlined, because otherwise the
  /// linker could use the code of one instruction set for all.
  inline __attribute__((always_inline)) int per_call(int calls) const { return (Rows * lines + calls - 1) / calls; }
  /// Prefetches the next `count` lines, alternating between the rows.
  template <class P>
  inline void fetch(int count) {
    for (int i = 0; i < count && next < Rows * lines; ++i, ++next) {
      P::prefetch(from[next % Rows] + static_cast<std::ptrdiff_t>(next / Rows) * 64);
    }
  }
};

}  // namespace weir::compute

#pragma once

#include <immintrin.h>

#include <cstdint>

namespace weir::compute {

/// AVX2 with FMA and F16C: 8 floats; see simd_plain.hpp for what each function does.
/// The register tile has 4 x 2 vectors of sums (rows x columns), because GCC 12 does not keep more vectors of int32
/// sums in the sixteen registers. Measured with int16 products on one core of an EPYC with AVX-512 VNNI, in 10^9
/// multiplications per second: GCC 12 reached 96 with 4 x 2 and 55 with 6 x 2; Clang 14 reached 89 with both.
struct Avx2 {
  static constexpr const char* name = "avx2";
  static constexpr int lanes = 8;
  static constexpr int rows = 4;
  static constexpr int columns = 2;
  using F = __m256;
  using I = __m256i;

  static inline F load(const float* p) { return _mm256_loadu_ps(p); }
  static inline F load(const std::uint16_t* p) {
    return _mm256_cvtph_ps(_mm_loadu_si128(reinterpret_cast<const __m128i*>(p)));
  }
  static inline void store(float* p, F a) { _mm256_storeu_ps(p, a); }
  static inline void store(std::uint16_t* p, F a) {
    _mm_storeu_si128(reinterpret_cast<__m128i*>(p), _mm256_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static inline F set1(float x) { return _mm256_set1_ps(x); }
  static inline F add(F a, F b) { return _mm256_add_ps(a, b); }
  static inline F sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static inline F mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static inline F div(F a, F b) { return _mm256_div_ps(a, b); }
  static inline F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
  static inline F fnma(F a, F b, F c) { return _mm256_fnmadd_ps(a, b, c); }
  static inline F prelu(F x, F slope) { return _mm256_blendv_ps(x, _mm256_mul_ps(x, slope), x); }
  static inline F abs_max(F m, F x) {
    const I magnitude = _mm256_and_si256(_mm256_castps_si256(x), _mm256_set1_epi32(0x7fffffff));
    return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_castps_si256(m), magnitude));
  }
  static inline F largest_lanes(const F* m) {
    // Reduces eight vectors to one. Each step takes two vectors, computes the larger lanes of two halves of each, and
    // puts the two results, each of half the length, into one vector.
    I a[4];
    for (int i = 0; i < 4; ++i) {  // a[i] has 4 lanes of m[i], then 4 lanes of m[i + 4]
      const I x = _mm256_castps_si256(m[i]);
      const I y = _mm256_castps_si256(m[i + 4]);
      a[i] = _mm256_max_epi32(_mm256_permute2x128_si256(x, y, 0x20), _mm256_permute2x128_si256(x, y, 0x31));
    }
    I b[2];
    for (int i = 0; i < 2; ++i) {
      b[i] = _mm256_max_epi32(_mm256_unpacklo_epi32(a[i], a[i + 2]), _mm256_unpackhi_epi32(a[i], a[i + 2]));
    }
    return _mm256_castsi256_ps(_mm256_max_epi32(_mm256_unpacklo_epi32(b[0], b[1]), _mm256_unpackhi_epi32(b[0], b[1])));
  }
  static inline void pack(std::int16_t* p, F a, F b) {
    _mm256_storeu_si256(reinterpret_cast<I*>(p), _mm256_packs_epi32(_mm256_cvtps_epi32(a), _mm256_cvtps_epi32(b)));
  }
  // The result of _mm256_packs_epi32 has in each 128-bit half four lanes of a, then four lanes of b.
  static constexpr int channel_at(int index) {
    const int half = index / 8;
    const int rest = index % 8;
    return rest < 4 ? 4 * half + rest : 8 + 4 * half + (rest - 4);
  }
  using W = __m256i;
  using B = __m256i;
  static inline I zero() { return _mm256_setzero_si256(); }
  static inline W load_weights(const std::int16_t* p) { return _mm256_load_si256(reinterpret_cast<const I*>(p)); }
  static inline B pair(const std::int16_t* p) {
    std::int32_t both;
    __builtin_memcpy(&both, p, sizeof both);
    return _mm256_set1_epi32(both);
  }
  static inline I dot(I acc, W w, B pair) { return _mm256_add_epi32(acc, _mm256_madd_epi16(w, pair)); }
  static inline F to_float(I a) { return _mm256_cvtepi32_ps(a); }
  static inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
};

}  // namespace weir::compute

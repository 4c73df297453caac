#pragma once

#include <immintrin.h>

#include <cstdint>

namespace weir::compute {

/// AVX-512 with VNNI (vpdpwssd): 16 floats; see simd_plain.hpp for what each function does.
struct Avx512 {
  static constexpr const char* name = "avx512_vnni";
  static constexpr int lanes = 16;
  static constexpr int rows = 6;
  static constexpr int columns = 4;
  using F = __m512;
  using I = __m512i;

  static inline F load(const float* p) { return _mm512_loadu_ps(p); }
  static inline F load(const std::uint16_t* p) {
    return _mm512_cvtph_ps(_mm256_loadu_si256(reinterpret_cast<const __m256i*>(p)));
  }
  static inline void store(float* p, F a) { _mm512_storeu_ps(p, a); }
  static inline void store(std::uint16_t* p, F a) {
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(p),
                        _mm512_cvtps_ph(a, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC));
  }
  static inline F set1(float x) { return _mm512_set1_ps(x); }
  static inline F add(F a, F b) { return _mm512_add_ps(a, b); }
  static inline F sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static inline F mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static inline F div(F a, F b) { return _mm512_div_ps(a, b); }
  static inline F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
  static inline F fnma(F a, F b, F c) { return _mm512_fnmadd_ps(a, b, c); }
  static inline F prelu(F x, F slope) {
    return _mm512_mask_mul_ps(x, _mm512_movepi32_mask(_mm512_castps_si512(x)), x, slope);
  }
  static inline F abs_max(F m, F x) {
    const I magnitude = _mm512_and_si512(_mm512_castps_si512(x), _mm512_set1_epi32(0x7fffffff));
    return _mm512_castsi512_ps(_mm512_max_epi32(_mm512_castps_si512(m), magnitude));
  }
  static inline F largest_lanes(const F* m) {
    // Reduces sixteen vectors to one. Each step takes two vectors, computes the larger lanes of two halves of each, and
    // puts the two results, each of half the length, into one vector.
    I a[16];
    for (int i = 0; i < 16; ++i) a[i] = _mm512_castps_si512(m[i]);
    I b[8];
    for (int i = 0; i < 8; ++i) {  // b[i] has 8 lanes of m[i], then 8 lanes of m[i + 8]
      b[i] = _mm512_max_epi32(_mm512_shuffle_i64x2(a[i], a[i + 8], 0x44), _mm512_shuffle_i64x2(a[i], a[i + 8], 0xee));
    }
    I c[4];
    for (int i = 0; i < 4; ++i) {  // c[i] has 4 lanes of each of m[i], m[i + 8], m[i + 4] and m[i + 12]
      c[i] = _mm512_max_epi32(_mm512_shuffle_i64x2(b[i], b[i + 4], 0x88), _mm512_shuffle_i64x2(b[i], b[i + 4], 0xdd));
    }
    I d[2];
    for (int i = 0; i < 2; ++i) {
      d[i] = _mm512_max_epi32(_mm512_unpacklo_epi32(c[i], c[i + 2]), _mm512_unpackhi_epi32(c[i], c[i + 2]));
    }
    const I e = _mm512_max_epi32(_mm512_unpacklo_epi32(d[0], d[1]), _mm512_unpackhi_epi32(d[0], d[1]));
    // The four quarters of e have the results of vectors 0..3, 8..11, 4..7 and 12..15. The shuffle exchanges the second
    // and the third quarter.
    return _mm512_castsi512_ps(_mm512_shuffle_i64x2(e, e, 0xd8));
  }
  static inline void pack(std::int16_t* p, F a, F b) {
    _mm512_storeu_si512(p, _mm512_packs_epi32(_mm512_cvtps_epi32(a), _mm512_cvtps_epi32(b)));
  }
  // The result of _mm512_packs_epi32 has in each 128-bit quarter four lanes of a, then four lanes of b.
  static constexpr int channel_at(int index) {
    const int quarter = index / 8;
    const int rest = index % 8;
    return rest < 4 ? 4 * quarter + rest : 16 + 4 * quarter + (rest - 4);
  }
  using W = __m512i;
  using B = __m512i;
  static inline I zero() { return _mm512_setzero_si512(); }
  static inline W load_weights(const std::int16_t* p) { return _mm512_load_si512(p); }
  static inline B pair(const std::int16_t* p) {
    std::int32_t both;
    __builtin_memcpy(&both, p, sizeof both);
    return _mm512_set1_epi32(both);
  }
  /// Uses inline assembly: with the intrinsic, GCC 12 moves sums between registers and memory, which halves the speed.
  static inline I dot(I acc, W w, B pair) {
    __asm__("vpdpwssd %2, %1, %0" : "+v"(acc) : "v"(w), "v"(pair));
    return acc;
  }
  static inline F to_float(I a) { return _mm512_cvtepi32_ps(a); }
  static inline void prefetch(const void* p) { _mm_prefetch(static_cast<const char*>(p), _MM_HINT_T1); }
};

}  // namespace weir::compute

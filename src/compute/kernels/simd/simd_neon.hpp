#pragma once

#include <arm_neon.h>

#include <cstdint>

namespace weir::compute {

/// NEON of 64-bit Arm: 4 floats; see simd_plain.hpp for what each function does.
/// The register tile has 4 x 4 vectors (rows x columns): sixteen registers of sums, and eight half registers of
/// weights. vld2 loads the weights of a pair of channels and separates the two channels.
struct Neon {
  static constexpr const char* name = "neon";
  static constexpr int lanes = 4;
  static constexpr int rows = 4;
  static constexpr int columns = 4;
  using F = float32x4_t;
  using I = int32x4_t;

  static inline F load(const float* p) { return vld1q_f32(p); }
  static inline F load(const std::uint16_t* p) { return vcvt_f32_f16(vreinterpret_f16_u16(vld1_u16(p))); }
  static inline void store(float* p, F a) { vst1q_f32(p, a); }
  static inline void store(std::uint16_t* p, F a) { vst1_u16(p, vreinterpret_u16_f16(vcvt_f16_f32(a))); }
  static inline F set1(float x) { return vdupq_n_f32(x); }
  static inline F add(F a, F b) { return vaddq_f32(a, b); }
  static inline F sub(F a, F b) { return vsubq_f32(a, b); }
  static inline F mul(F a, F b) { return vmulq_f32(a, b); }
  static inline F div(F a, F b) { return vdivq_f32(a, b); }
  static inline F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
  static inline F fnma(F a, F b, F c) { return vfmsq_f32(c, a, b); }
  static inline F prelu(F x, F slope) {
    return vbslq_f32(vcltzq_s32(vreinterpretq_s32_f32(x)), vmulq_f32(x, slope), x);
  }
  static inline F abs_max(F m, F x) {
    const uint32x4_t magnitude = vandq_u32(vreinterpretq_u32_f32(x), vdupq_n_u32(0x7fffffffu));
    return vreinterpretq_f32_u32(vmaxq_u32(vreinterpretq_u32_f32(m), magnitude));
  }
  static inline F largest_lanes(const F* m) {
    const uint32x4_t a = vpmaxq_u32(vreinterpretq_u32_f32(m[0]), vreinterpretq_u32_f32(m[1]));
    const uint32x4_t b = vpmaxq_u32(vreinterpretq_u32_f32(m[2]), vreinterpretq_u32_f32(m[3]));
    return vreinterpretq_f32_u32(vpmaxq_u32(a, b));
  }
  static inline void pack(std::int16_t* p, F a, F b) {
    vst1q_s16(p, vcombine_s16(vqmovn_s32(vcvtnq_s32_f32(a)), vqmovn_s32(vcvtnq_s32_f32(b))));
  }
  static constexpr int channel_at(int index) { return index; }

  using W = int16x4x2_t;  ///< the weights of the first channel and those of the second channel
  using B = int16x4_t;    ///< the pair of values, two times
  static inline I zero() { return vdupq_n_s32(0); }
  static inline W load_weights(const std::int16_t* p) { return vld2_s16(p); }
  static inline B pair(const std::int16_t* p) {
    std::int32_t both;
    __builtin_memcpy(&both, p, sizeof both);
    return vreinterpret_s16_s32(vdup_n_s32(both));
  }
  static inline I dot(I acc, W w, B pair) {
    return vmlal_lane_s16(vmlal_lane_s16(acc, w.val[0], pair, 0), w.val[1], pair, 1);
  }
  static inline F to_float(I a) { return vcvtq_f32_s32(a); }
  static inline void prefetch(const void* p) { __builtin_prefetch(p, 0, 2); }
};

}  // namespace weir::compute

#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "compute/half.hpp"

namespace weir::compute {

/// A policy is the template argument P of the kernels: the vectors of one instruction set and the operations on them.
/// This policy uses plain arrays. It is the fallback for every machine, and it defines what the functions of the other
/// policies do. A function without a comment applies its operation to each lane (element) of the vectors.
///   F, I     vectors of `lanes` floats, and of `lanes` int32
///   W, B     operands of dot(): weights, and values
///   rows, columns  size of the register tile: the matrix products keep rows x columns vectors of sums in registers
struct Plain {
  static constexpr const char* name = "plain";
  static constexpr int lanes = 8;
  static constexpr int rows = 2;
  static constexpr int columns = 2;
  struct F {
    float v[lanes];
  };
  struct I {
    std::int32_t v[lanes];
  };

  /// Returns the vector whose lane i is op(i).
  template <class Op>
  static F each(Op op) {
    F r;
    for (int i = 0; i < lanes; ++i) r.v[i] = op(i);
    return r;
  }
  static F load(const float* p) {
    F r;
    std::memcpy(r.v, p, sizeof r.v);
    return r;
  }
  static F load(const std::uint16_t* p) {
    return each([&](int i) { return half_to_float(p[i]); });
  }
  static void store(float* p, F a) { std::memcpy(p, a.v, sizeof a.v); }
  static void store(std::uint16_t* p, F a) {
    for (int i = 0; i < lanes; ++i) p[i] = float_to_half(a.v[i]);
  }
  /// Returns a vector with `x` in all lanes.
  static F set1(float x) {
    return each([&](int) { return x; });
  }
  static F add(F a, F b) {
    return each([&](int i) { return a.v[i] + b.v[i]; });
  }
  static F sub(F a, F b) {
    return each([&](int i) { return a.v[i] - b.v[i]; });
  }
  static F mul(F a, F b) {
    return each([&](int i) { return a.v[i] * b.v[i]; });
  }
  /// Returns a * b + c. A policy rounds either only the result, or also the product, but always in the same way.
  static F fma(F a, F b, F c) {
    return each([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
  }
  /// Returns c - a * b, rounded like fma().
  static F fnma(F a, F b, F c) {
    return each([&](int i) { return c.v[i] - a.v[i] * b.v[i]; });
  }
  /// Returns x * slope where the sign bit of x is set, x elsewhere; NaN stays NaN.
  static F prelu(F x, F slope) {
    return each([&](int i) { return std::signbit(x.v[i]) ? x.v[i] * slope.v[i] : x.v[i]; });
  }
  /// Returns max(m, |x|) for m >= 0. It compares the bits, so that NaN is larger than infinity.
  static F abs_max(F m, F x) {
    return each([&](int i) {
      const std::uint32_t a = std::bit_cast<std::uint32_t>(m.v[i]);
      const std::uint32_t b = std::bit_cast<std::uint32_t>(x.v[i]) & 0x7fffffffu;
      return std::bit_cast<float>(a > b ? a : b);
    });
  }
  /// `m` is an array of `lanes` vectors of non-negative floats. Returns the vector whose lane i is the largest lane of
  /// m[i].
  static F largest_lanes(const F* m) {
    return each([&](int i) {
      std::uint32_t most = 0;
      for (float x : m[i].v) most = std::bit_cast<std::uint32_t>(x) > most ? std::bit_cast<std::uint32_t>(x) : most;
      return std::bit_cast<float>(most);
    });
  }
  static F div(F a, F b) {
    return each([&](int i) { return a.v[i] / b.v[i]; });
  }
  /// Rounds 2 * lanes channels to int16 and stores them at `p` in the order of channel_at(). `a` has the first half of
  /// the channels and `b` the second half. The magnitudes are at most 32767.
  static void pack(std::int16_t* p, F a, F b) {
    for (int i = 0; i < lanes; ++i) {
      p[i] = static_cast<std::int16_t>(std::lrint(a.v[i]));
      p[lanes + i] = static_cast<std::int16_t>(std::lrint(b.v[i]));
    }
  }
  /// Returns the channel that pack() stores at a position; both are 0..2 * lanes - 1.
  static constexpr int channel_at(int index) { return index; }

  using W = const std::int16_t*;  ///< pairs of weights, one pair for each lane
  using B = std::int32_t;         ///< one pair of values, the same for all lanes: the first in the low 16 bits
  static I zero() { return I{}; }
  static W load_weights(const std::int16_t* p) { return p; }
  /// Returns the pair of values p[0], p[1].
  static B pair(const std::int16_t* p) {
    B b;
    std::memcpy(&b, p, sizeof b);
    return b;
  }
  /// Returns acc[i] + w[2i] * p[0] + w[2i + 1] * p[1] for each lane i, where `pair` is pair(p).
  static I dot(I acc, W w, B pair) {
    const int first = static_cast<std::int16_t>(pair & 0xffff);
    const int second = pair >> 16;
    for (int i = 0; i < lanes; ++i) acc.v[i] += w[2 * i] * first + w[2 * i + 1] * second;
    return acc;
  }
  static F to_float(I a) {
    return each([&](int i) { return static_cast<float>(a.v[i]); });
  }
  /// Prefetches the cache line at an address, if the instruction set can.
  static void prefetch(const void*) {}
};

}  // namespace weir::compute

#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "compute/half.hpp"

namespace weir::compute {

/// Vectors as plain arrays: the fallback of every machine, and the definition of what the other policies do.
/// A policy gives the kernels: vectors F of `lanes` floats and I of `lanes` int32, the register tile of the matrix
/// product (`rows` x `columns` vectors), and the order in which pack() lays down channels.
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
  /// a * b + c; whether it is rounded once is the policy's own, always the same.
  static F fma(F a, F b, F c) {
    return each([&](int i) { return a.v[i] * b.v[i] + c.v[i]; });
  }
  static F fnma(F a, F b, F c) {
    return each([&](int i) { return c.v[i] - a.v[i] * b.v[i]; });
  }
  /// x below zero times slope; NaN stays NaN.
  static F prelu(F x, F slope) {
    return each([&](int i) { return std::signbit(x.v[i]) ? x.v[i] * slope.v[i] : x.v[i]; });
  }
  /// max(m, |x|) on the bits, so that NaN counts as larger than infinity.
  static F abs_max(F m, F x) {
    return each([&](int i) {
      const std::uint32_t a = std::bit_cast<std::uint32_t>(m.v[i]);
      const std::uint32_t b = std::bit_cast<std::uint32_t>(x.v[i]) & 0x7fffffffu;
      return std::bit_cast<float>(a > b ? a : b);
    });
  }
  /// The largest lane of each of `lanes` vectors of non-negative floats.
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
  /// Rounds a (channels 0..lanes) and b (the next `lanes`) to int16, |x| <= 32767, in the order of channel_at().
  static void pack(std::int16_t* p, F a, F b) {
    for (int i = 0; i < lanes; ++i) {
      p[i] = static_cast<std::int16_t>(std::lrint(a.v[i]));
      p[lanes + i] = static_cast<std::int16_t>(std::lrint(b.v[i]));
    }
  }
  static constexpr int channel_at(int position) { return position; }

  using W = const std::int16_t*;  ///< `lanes` pairs of weights
  using B = std::int32_t;         ///< one pair of values, for all lanes
  static I zero() { return I{}; }
  static W load_weights(const std::int16_t* p) { return p; }
  static B pair(const std::int16_t* p) {
    B b;
    std::memcpy(&b, p, sizeof b);
    return b;
  }
  /// acc[i] + w[2i] * pair.first + w[2i + 1] * pair.second
  static I dot(I acc, W w, B pair) {
    const int first = static_cast<std::int16_t>(pair & 0xffff);
    const int second = pair >> 16;
    for (int i = 0; i < lanes; ++i) acc.v[i] += w[2 * i] * first + w[2 * i + 1] * second;
    return acc;
  }
  static F to_float(I a) {
    return each([&](int i) { return static_cast<float>(a.v[i]); });
  }
  static void prefetch(const void*) {}
};

}  // namespace weir::compute

#pragma once

// Element-wise operations on rows, written once for all policies P (P: the vectors of one instruction set and the
// operations on them, simd/simd_plain.hpp). Each file simd/kernels_*.cpp includes this header and compiles it for one
// instruction set; the compiler vectorises the plain loops.

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>

#include "compute/half.hpp"
#include "compute/kernels/kernels.hpp"

namespace weir::compute {

template <class P>
struct RowKernels {
  using F = typename P::F;

  // T is the element type: std::uint16_t (binary16) or float.
  template <class T>
  static float read_value(const T* p) {
    if constexpr (sizeof(T) == 2)
      return half_to_float(*p);
    else
      return *p;
  }
  template <class T>
  static void put(T* p, float value) {
    if constexpr (sizeof(T) == 2)
      *p = float_to_half(value);
    else
      *p = value;
  }

  /// Runs a CombineJob whose elements are of type T. Processes P::lanes elements at once; the last vector may have
  /// fewer, which are then read and written one by one.
  template <class T>
  static void combine_typed(const CombineJob& job) {
    // The gate repeats after the elements of one pixel. With a gate their number is a multiple of P::lanes, so a vector
    // never crosses the end of the gate.
    const int period = job.channels;
    for (int i = 0; i < job.count; i += P::lanes) {
      const int n = std::min(P::lanes, job.count - i);
      alignas(64) float lanes[P::lanes];
      F sum = P::set1(job.constant);
      for (int k = 0; k < job.inputs; ++k) {
        const auto input = static_cast<std::size_t>(k);
        const T* from = static_cast<const T*>(job.in[input]) + i;
        F value;
        if (n == P::lanes) {
          value = P::load(from);
        } else {
          for (int j = 0; j < n; ++j) lanes[j] = read_value(from + j);
          for (int j = n; j < P::lanes; ++j) lanes[j] = 0;
          value = P::load(lanes);
        }
        F factor = P::set1(job.coefficient[input]);
        if (job.gate[input] != nullptr) factor = P::mul(factor, P::load(job.gate[input] + i % period));
        sum = P::fma(value, factor, sum);
      }
      sum = P::prelu(sum, P::set1(job.slope));
      T* to = static_cast<T*>(job.out) + i;
      if (!job.clip && n == P::lanes) {
        P::store(to, sum);
        continue;
      }
      P::store(lanes, sum);
      for (int j = 0; j < n; ++j) {
        float value = lanes[j];
        if (job.clip) value = value < job.low ? job.low : value > job.high ? job.high : value;
        put(to + j, value);
      }
    }
  }
  static void combine(const CombineJob& job) {
    assert(job.inputs >= 1 && job.inputs <= kMaxCombined);
    if (job.element_type == ElementType::float16)
      combine_typed<std::uint16_t>(job);
    else
      combine_typed<float>(job);
  }

  /// Runs a ShuffleJob. `Factor` is its factor as a constant, or 0 if there is no specialised loop for it.
  template <class T, int Factor>
  static void shuffle_by(const ShuffleJob& job) {
    constexpr int kMaxFactor = Factor > 0 ? Factor : kMaxShuffleFactor;
    constexpr int kMaxArea = kMaxFactor * kMaxFactor;
    const int factor = Factor > 0 ? Factor : job.factor;
    const int area = factor * factor;
    std::array<std::uint8_t, kMaxArea> order;  // a local copy: the compiler knows that the outputs do not change it
    std::copy_n(job.order, area, order.begin());
    for (int x = job.first; x < job.last; ++x) {
      const T* pixel = static_cast<const T*>(job.in) + static_cast<std::ptrdiff_t>(x) * job.pixel_stride;
      alignas(64) float values[kMaxPlanarChannels * kMaxArea + P::lanes];
      for (int i = 0; i < job.planes * area; i += P::lanes) P::store(values + i, P::load(pixel + i));
      for (int c = 0; c < job.planes; ++c) {
        // A pixel of the small picture that is added, enlarged by repeating it.
        const float base = job.base == nullptr ? 0.0F : job.base[c * job.base_plane_stride + x];
        for (int dy = 0; dy < factor; ++dy) {
          float* to = job.out[static_cast<std::size_t>(dy)] + c * job.plane_stride + x * factor;
          for (int dx = 0; dx < factor; ++dx)
            to[dx] = values[c * area + order[static_cast<std::size_t>(dy * factor + dx)]] + base;
        }
      }
    }
  }
  template <class T>
  static void shuffle_typed(const ShuffleJob& job) {
    if (job.factor == 2) return shuffle_by<T, 2>(job);
    if (job.factor == 4) return shuffle_by<T, 4>(job);
    shuffle_by<T, 0>(job);
  }
  static void shuffle(const ShuffleJob& job) {
    assert(job.factor >= 1 && job.factor <= kMaxShuffleFactor && job.planes <= kMaxPlanarChannels);
    if (job.element_type == ElementType::float16)
      shuffle_typed<std::uint16_t>(job);
    else
      shuffle_typed<float>(job);
  }

  static void resize_row(const ResizeJob& job) {
    assert(job.taps >= 1 && job.taps <= kMaxResizeTaps);
    // First computes the vertical sums for the input columns that the taps reach, then the horizontal sums of these.
    float* line = job.scratch;
    const int from = std::max(0, job.index[job.first]);
    const int to = std::min(job.width, job.index[job.last - 1] + job.taps);
    for (int c = 0; c < job.planes; ++c) {
      const float* rows[kMaxResizeTaps];
      for (int k = 0; k < job.taps; ++k) rows[k] = job.in[static_cast<std::size_t>(k)] + c * job.in_plane_stride;
      if (job.taps == 4) {
        for (int x = from; x < to; ++x) {
          line[x] = job.row_weight[0] * rows[0][x] + job.row_weight[1] * rows[1][x] + job.row_weight[2] * rows[2][x] +
                    job.row_weight[3] * rows[3][x];
        }
      } else {
        for (int x = from; x < to; ++x) {
          float sum = 0;
          for (int k = 0; k < job.taps; ++k) sum += job.row_weight[static_cast<std::size_t>(k)] * rows[k][x];
          line[x] = sum;
        }
      }
      float* out = job.out + c * job.out_plane_stride;
      for (int x = job.first; x < job.last; ++x) {
        const float* w = job.weight + x * job.taps;
        const int i = job.index[x];
        float sum = 0;
        if (i >= 0 && i + job.taps <= job.width) {
          for (int k = 0; k < job.taps; ++k) sum += w[k] * line[i + k];
        } else {
          for (int k = 0; k < job.taps; ++k) sum += w[k] * line[std::clamp(i + k, 0, job.width - 1)];
        }
        out[x] = sum;
      }
    }
  }

  /// Records in `summary` whether a value is infinite or not a number, and whether one differs from `reference`, a value
  /// of the same plane. It computes on the bits, which costs an AND and an XOR for each value.
  static void summarise_values(const float* values, int count, float reference, ValueSummary& summary) {
    const std::uint32_t reference_bits = std::bit_cast<std::uint32_t>(reference);
    std::uint32_t non_finite = 0;
    std::uint32_t differs = 0;
    for (int x = 0; x < count; ++x) {
      const std::uint32_t bits = std::bit_cast<std::uint32_t>(values[x]);
      non_finite |= (bits & 0x7f800000u) == 0x7f800000u ? 1u : 0u;
      differs |= bits ^ reference_bits;
    }
    summary.has_non_finite = summary.has_non_finite || non_finite != 0;
    summary.has_unequal = summary.has_unequal || differs != 0;
  }

  /// Runs a SamplesJob; `most` is the largest sample value. Rounds the planes separately and then interleaves them,
  /// because compilers do not vectorise a loop that does both.
  template <class T>
  static void to_samples(const SamplesJob& job, float most) {
    constexpr int kPiece = 64;
    for (int first = job.first; first < job.last; first += kPiece) {
      const int count = std::min(kPiece, job.last - first);
      T piece[3][kPiece];
      for (int c = 0; c < job.planes; ++c) {
        const float* from = job.in + c * job.plane_stride + first;
        summarise_values(from, count, job.reference[static_cast<std::size_t>(c)], *job.summary);
        for (int x = 0; x < count; ++x) {
          float value = from[x] * most + 0.5F;
          value = value > 0 ? value : 0;  // NaN becomes 0 here; summarise_values() has found it
          value = value > most ? most : value;
          piece[c][x] = static_cast<T>(static_cast<int>(value));
        }
      }
      T* to = static_cast<T*>(job.out) + static_cast<std::ptrdiff_t>(first) * job.samples_per_pixel;
      if (job.planes == 3 && job.samples_per_pixel == 3) {
        for (int x = 0; x < count; ++x) {
          for (int c = 0; c < 3; ++c) to[x * 3 + c] = piece[c][x];
        }
        continue;
      }
      for (int c = 0; c < job.planes; ++c) {
        for (int x = 0; x < count; ++x) to[x * job.samples_per_pixel + c] = piece[c][x];
      }
    }
  }
  static void samples(const SamplesJob& job) {
    assert(job.planes >= 1 && job.planes <= 3 && job.planes <= job.samples_per_pixel);
    if (job.bits == 8)
      to_samples<std::uint8_t>(job, 255.0F);
    else
      to_samples<std::uint16_t>(job, 65535.0F);
  }
};

}  // namespace weir::compute

#include "compute/kernels/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

#include "base/round_up.hpp"

namespace weir::compute {

#if defined(__x86_64__)
const Kernels& avx512_kernels();
const Kernels& avx2_kernels();
#elif defined(__aarch64__)
const Kernels& neon_kernels();
#endif

template <class T>
AlignedArray<T>::AlignedArray(std::size_t count) : count_{count} {
  if (count == 0) return;
  const std::size_t bytes = bytes_of(count).count();
  void* memory = std::aligned_alloc(64, bytes);
  if (memory == nullptr) throw std::bad_alloc{};
  std::memset(memory, 0, bytes);
  data_.reset(static_cast<T*>(memory));
}
template <class T>
void AlignedArray<T>::Free::operator()(T* p) const {
  std::free(p);
}
template class AlignedArray<float>;
template class AlignedArray<std::int16_t>;
template class AlignedArray<std::byte>;

#if defined(__x86_64__)
namespace {

/// Returns whether the processor has F16C (conversion of binary16). __builtin_cpu_supports of Clang 14 cannot check it.
/// Source: Intel SDM volume 2, CPUID, leaf 1, bit 29 of ECX.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1u) != 0;
}

}  // namespace
#endif

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> available = [] {
    std::vector<const Kernels*> list;
#if defined(__x86_64__)
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512dq") &&
        __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512vnni")) {
      list.push_back(&avx512_kernels());
    }
    if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma") && has_f16c()) {
      list.push_back(&avx2_kernels());
    }
#elif defined(__aarch64__)
    list.push_back(&neon_kernels());  // part of every 64-bit Arm processor
#endif
    list.push_back(&plain_kernels());
    return list;
  }();
  return available;
}

const Kernels* find_kernels(std::string_view name) {
  for (const Kernels* kernels : available_kernels()) {
    if (kernels->name == name) return kernels;
  }
  return nullptr;
}

namespace {

/// Returns a matrix of zeros.
PackedMatrix zero_matrix(const MatrixLayout& layout) {
  PackedMatrix m{layout, {}, {}, {}};
  if (m.arithmetic == Arithmetic::int16) {
    m.int16 = AlignedArray<std::int16_t>{m.weight_count()};
    m.unscale = AlignedArray<float>{m.scale_count()};
  } else {
    m.float32 = AlignedArray<float>{m.weight_count()};
  }
  return m;
}

/// Position of the weights of one output and one point in a packed matrix: column `lane` of the part of a block that
/// belongs to this point. The part begins at element `begin`; it is [in][width] for float32, and [in / 2][width][2] for
/// int16.
struct WeightPosition {
  std::size_t begin;
  int width, lane;
};
WeightPosition weight_position(const Kernels& kernels, const PackedMatrix& m, int point, int out) {
  const int first_out = out / kernels.block_lanes * kernels.block_lanes;
  const int width = std::min(kernels.block_lanes, m.out_padded - first_out);
  return {static_cast<std::size_t>(first_out) * m.points * m.in + static_cast<std::size_t>(point) * m.in * width, width,
          out - first_out};
}

/// Returns the sum of |w| of a column's weights as they are stored: multiplied by `scale` and rounded.
double rounded_sum(const float* column, int in, double scale) {
  double sum = 0;
  for (int c = 0; c < in; ++c) sum += std::fabs(std::rint(column[c] * scale));
  return sum;
}

/// Returns the scale with which a column of `in` weights w is converted to int16, such that no int32 sum of products
/// overflows, whatever the data are.
///
/// Data are at most 32766 in magnitude: a kernel multiplies them by 32766 / m, where m is at least their largest
/// magnitude. The two roundings of float32 add at most 2^-23 of that, 0.004, which rounding to an integer removes. A
/// sum of products, and every partial sum, is then at most 32766 * S, where S is the sum of the magnitudes of the
/// weights as they are stored. It stays below 2^31 = 2147483648 if S <= 65540, because 32766 * 65540 = 2147483640.
///
/// With scale = 65000 / sum |w|, S is 65000 before the weights are rounded. (The scale may be smaller, because no
/// scaled weight may exceed 32767, the largest int16.) Rounding adds at most 0.5 for each weight, so S is at most
/// 65000 + in / 2. That is at most 65540 with up to 1080 inputs; with more inputs, S is computed. If it is above 65540,
/// the scale is reduced: s = (65540 - in / 2) / sum |w| gives S <= s * sum |w| + in / 2 = 65540. This needs fewer than
/// 131080 inputs; the scale of a longer column is halved until S is small enough, at the latest when all weights round
/// to 0.
double int16_scale(const float* column, int in) {
  constexpr double kTargetSum = 65000;
  constexpr double kMaxSum = 65540;
  double magnitude_sum = 1e-30;  // not 0, because it is a divisor
  double max_magnitude = 1e-30;
  for (int c = 0; c < in; ++c) {
    const double magnitude = std::fabs(static_cast<double>(column[c]));
    magnitude_sum += magnitude;
    max_magnitude = std::max(max_magnitude, magnitude);
  }
  double scale = std::min(kTargetSum / magnitude_sum, 32767.0 / max_magnitude);
  if (kTargetSum + in / 2.0 <= kMaxSum || rounded_sum(column, in, scale) <= kMaxSum) return scale;
  if (in < 2 * kMaxSum) scale = std::min(scale, (kMaxSum - in / 2.0) / magnitude_sum);
  while (rounded_sum(column, in, scale) > kMaxSum) scale /= 2;
  return scale;
}

/// Packs a matrix for the kernels of one instruction set. `column(point, out)` returns the address of the `in` weights
/// of one sum. It is called for all points of an output before those of the next output. Its result is not used after
/// the next call.
template <class Column>
PackedMatrix pack(const Kernels& kernels, const MatrixLayout& layout, int in, Column&& column) {
  PackedMatrix m = zero_matrix(layout);
  const int period = 2 * kernels.lanes;  // the order of Kernels::channel_at() repeats after this many channels
  for (int o = 0; o < m.out; ++o) {
    for (int point = 0; point < m.points; ++point) {
      const WeightPosition target = weight_position(kernels, m, point, o);
      const float* weights = column(point, o);
      if (m.arithmetic == Arithmetic::float32) {
        float* to = m.float32.data() + target.begin + target.lane;
        for (int c = 0; c < in; ++c) to[static_cast<std::size_t>(c) * target.width] = weights[c];
        continue;
      }
      const double scale = int16_scale(weights, in);
      m.unscale.data()[static_cast<std::size_t>(point) * m.out_padded + o] = static_cast<float>(1.0 / scale);
      std::int16_t* to = m.int16.data() + target.begin + 2 * target.lane;
      for (int i = 0; i < m.in; ++i) {  // index in the packed order
        const int c = i / period * period + kernels.channel_at(i % period);
        if (c >= in) continue;
        to[static_cast<std::size_t>(i / 2) * target.width * 2 + i % 2] =
            static_cast<std::int16_t>(std::lrint(weights[c] * scale));
      }
    }
  }
  return m;
}

/// Matrix G of Winograd's F(4, 3): transforms three taps to the six points 0, 1, -1, 2, -2, infinity (on one axis).
constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                             {0, 0, 1}};

/// Transforms the kernels [in][3][3] of one output to 36 points [point][in]: first the columns of a kernel, then the
/// rows of the result.
void transform_kernels(const float* weight, int in, float* points) {
  for (int c = 0; c < in; ++c) {
    const float* k = weight + static_cast<std::size_t>(c) * 9;
    double rows[6][3];
    for (int i = 0; i < 6; ++i) {
      for (int x = 0; x < 3; ++x) rows[i][x] = kG[i][0] * k[x] + kG[i][1] * k[3 + x] + kG[i][2] * k[6 + x];
    }
    for (int i = 0; i < 6; ++i) {
      for (int j = 0; j < 6; ++j) {
        points[static_cast<std::size_t>(i * 6 + j) * in + c] =
            static_cast<float>(rows[i][0] * kG[j][0] + rows[i][1] * kG[j][1] + rows[i][2] * kG[j][2]);
      }
    }
  }
}

}  // namespace

Bytes MatrixLayout::bytes() const {
  if (arithmetic == Arithmetic::float32) return AlignedArray<float>::bytes_of(weight_count());
  return AlignedArray<std::int16_t>::bytes_of(weight_count()) + AlignedArray<float>::bytes_of(scale_count());
}

MatrixLayout matrix_layout(const Kernels& kernels, Arithmetic arithmetic, int points, int out, int in) {
  return {arithmetic, points, round_up(in, 32), out, round_up(out, kernels.lanes)};
}

std::size_t direct_weight_count(int out, int in, int kernel) {
  return static_cast<std::size_t>(kernel) * kernel * in * round_up(out, 32);
}

PackedMatrix pack_conv3x3(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight) {
  std::vector<float> points(static_cast<std::size_t>(in) * 36);  // reused for each output
  return pack(kernels, matrix_layout(kernels, arithmetic, kWinogradPoints, out, in), in, [&](int point, int o) {
    if (point == 0) transform_kernels(weight + static_cast<std::size_t>(o) * in * 9, in, points.data());
    return points.data() + static_cast<std::size_t>(point) * in;
  });
}

PackedMatrix pack_matrix(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight) {
  return pack(kernels, matrix_layout(kernels, arithmetic, 1, out, in), in,
              [&](int, int o) { return weight + static_cast<std::size_t>(o) * in; });
}

AlignedArray<float> pack_direct(int out, int in, int kernel, const float* weight) {
  const int padded = round_up(out, 32);
  const int taps = kernel * kernel;
  AlignedArray<float> packed{direct_weight_count(out, in, kernel)};
  for (int o = 0; o < out; ++o) {
    for (int c = 0; c < in; ++c) {
      for (int t = 0; t < taps; ++t) {
        packed.data()[static_cast<std::size_t>(t * in + c) * padded + o] =
            weight[(static_cast<std::size_t>(o) * in + c) * taps + t];
      }
    }
  }
  return packed;
}

}  // namespace weir::compute

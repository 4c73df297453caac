#include "compute/kernels/kernels.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <new>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

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
  const std::size_t bytes = (count * sizeof(T) + 63) / 64 * 64;
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

/// Clang 14's __builtin_cpu_supports does not know it. Source: Intel SDM volume 2, CPUID, leaf 1, bit 29 of ECX.
bool has_f16c() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  return __get_cpuid(1, &a, &b, &c, &d) != 0 && (c >> 29 & 1u) != 0;
}

}  // namespace
#endif

const std::vector<const Kernels*>& available_kernels() {
  static const std::vector<const Kernels*> found = [] {
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
  return found;
}

const Kernels* find_kernels(std::string_view name) {
  for (const Kernels* kernels : available_kernels()) {
    if (kernels->name == name) return kernels;
  }
  return nullptr;
}

namespace {

int round_up(int n, int to) { return (n + to - 1) / to * to; }

PackedMatrix empty_matrix(const Kernels& kernels, Arithmetic arithmetic, int points, int out, int in) {
  PackedMatrix m;
  m.arithmetic = arithmetic;
  m.points = points;
  m.in = round_up(in, 32);
  m.out = out;
  m.out_padded = round_up(out, kernels.lanes);
  const std::size_t count = static_cast<std::size_t>(points) * m.in * m.out_padded;
  if (arithmetic == Arithmetic::int16) {
    m.int16 = AlignedArray<std::int16_t>{count};
    m.unscale = AlignedArray<float>{static_cast<std::size_t>(points) * m.out_padded};
  } else {
    m.float32 = AlignedArray<float>{count};
  }
  return m;
}

/// Where an output's weights of one point are: [in][width] or [in / 2][width][2], at `lane`.
struct Place {
  std::size_t base;
  int width, lane;
};
Place place_of(const Kernels& kernels, const PackedMatrix& m, int point, int out) {
  const int lane0 = out / kernels.block_lanes * kernels.block_lanes;
  const int width = std::min(kernels.block_lanes, m.out_padded - lane0);
  return {static_cast<std::size_t>(lane0) * m.points * m.in + static_cast<std::size_t>(point) * m.in * width, width,
          out - lane0};
}

/// What takes weights to int16 so that their magnitudes sum to at most 65000; times values of at most 32767 an int32 sum
/// cannot overflow, whatever the data: 65000 * 32767 < 2^31.
template <class Value>
double scale_to_int16(int in, Value&& value) {
  double sum = 1e-30;
  double most = 1e-30;
  for (int c = 0; c < in; ++c) {
    const double magnitude = std::fabs(static_cast<double>(value(c)));
    sum += magnitude;
    most = std::max(most, magnitude);
  }
  return std::min(65000.0 / sum, 32767.0 / most);
}

/// Lays out value(point, out, in) for the kernels of one instruction set.
template <class Value>
PackedMatrix pack(const Kernels& kernels, Arithmetic arithmetic, int points, int out, int in, Value&& value) {
  PackedMatrix m = empty_matrix(kernels, arithmetic, points, out, in);
  const int pair = 2 * kernels.lanes;
  for (int o = 0; o < out; ++o) {
    for (int point = 0; point < points; ++point) {
      const Place place = place_of(kernels, m, point, o);
      if (arithmetic == Arithmetic::float32) {
        float* to = m.float32.data() + place.base + place.lane;
        for (int c = 0; c < in; ++c) to[static_cast<std::size_t>(c) * place.width] = value(point, o, c);
        continue;
      }
      const double scale = scale_to_int16(in, [&](int c) { return value(point, o, c); });
      m.unscale.data()[static_cast<std::size_t>(point) * m.out_padded + o] = static_cast<float>(1.0 / scale);
      std::int16_t* to = m.int16.data() + place.base + 2 * place.lane;
      for (int position = 0; position < m.in; ++position) {
        const int c = position / pair * pair + kernels.channel_at(position % pair);
        if (c >= in) continue;
        to[static_cast<std::size_t>(position / 2) * place.width * 2 + position % 2] =
            static_cast<std::int16_t>(std::lrint(value(point, o, c) * scale));
      }
    }
  }
  return m;
}

/// G of F(4, 3): three taps to the six points 0, 1, -1, 2, -2, infinity.
constexpr double kG[6][3] = {{1.0 / 4, 0, 0},
                             {-1.0 / 6, -1.0 / 6, -1.0 / 6},
                             {-1.0 / 6, 1.0 / 6, -1.0 / 6},
                             {1.0 / 24, 1.0 / 12, 1.0 / 6},
                             {1.0 / 24, -1.0 / 12, 1.0 / 6},
                             {0, 0, 1}};

}  // namespace

PackedMatrix pack_conv3x3(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight) {
  std::vector<float> points(static_cast<std::size_t>(out) * in * 36);
  for (std::size_t pair = 0; pair < static_cast<std::size_t>(out) * in; ++pair) {
    const float* k = weight + pair * 9;
    double rows[6][3];
    for (int i = 0; i < 6; ++i) {
      for (int x = 0; x < 3; ++x) rows[i][x] = kG[i][0] * k[x] + kG[i][1] * k[3 + x] + kG[i][2] * k[6 + x];
    }
    for (int i = 0; i < 6; ++i) {
      for (int j = 0; j < 6; ++j) {
        points[pair * 36 + static_cast<std::size_t>(i * 6 + j)] =
            static_cast<float>(rows[i][0] * kG[j][0] + rows[i][1] * kG[j][1] + rows[i][2] * kG[j][2]);
      }
    }
  }
  return pack(kernels, arithmetic, 36, out, in, [&](int point, int o, int c) {
    return points[(static_cast<std::size_t>(o) * in + c) * 36 + static_cast<std::size_t>(point)];
  });
}

PackedMatrix pack_matrix(const Kernels& kernels, Arithmetic arithmetic, int out, int in, const float* weight) {
  return pack(kernels, arithmetic, 1, out, in,
              [&](int, int o, int c) { return weight[static_cast<std::size_t>(o) * in + c]; });
}

AlignedArray<float> pack_direct(int out, int in, int kernel, const float* weight) {
  const int padded = round_up(out, 32);
  const int taps = kernel * kernel;
  AlignedArray<float> packed{static_cast<std::size_t>(taps) * in * padded};
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

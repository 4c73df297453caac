#include "compute/kernels/interp/interp_ref.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace weir::compute {

namespace {

/// The input positions that one output position reads, and their weights; unused weights are zero.
struct Taps {
  std::array<int, 4> index{};
  std::array<float, 4> weight{};
};

/// Returns a height or width of the result; `extent` is that of the input.
int scaled_extent(int extent, float scale) {
  return static_cast<int>(static_cast<double>(extent) * static_cast<double>(scale));
}

/// Returns the position of the centre of output pixel x in input pixels.
double centre(int x, int in_extent, int out_extent) { return (x + 0.5) * in_extent / out_extent - 0.5; }

std::vector<Taps> bilinear_taps(int in_extent, int out_extent) {
  std::vector<Taps> all_taps(static_cast<std::size_t>(out_extent));
  for (int x = 0; x < out_extent; ++x) {
    const double position = centre(x, in_extent, out_extent);
    const int first = static_cast<int>(std::floor(position));
    const auto fraction = static_cast<float>(position - first);
    Taps& taps = all_taps[static_cast<std::size_t>(x)];
    taps.weight = {1 - fraction, fraction, 0, 0};
    for (int i = 0; i < 2; ++i) taps.index[i] = std::clamp(first + i, 0, in_extent - 1);
  }
  return all_taps;
}

/// Returns the value of the cubic convolution kernel with the parameter a.
float cubic_weight(float distance) {
  constexpr float a = -0.75F;
  const float t = std::abs(distance);
  if (t <= 1) return ((a + 2) * t - (a + 3)) * t * t + 1;
  return t < 2 ? a * (((t - 5) * t + 8) * t - 4) : 0;
}

std::vector<Taps> bicubic_taps(int in_extent, int out_extent) {
  std::vector<Taps> all_taps(static_cast<std::size_t>(out_extent));
  for (int x = 0; x < out_extent; ++x) {
    const double position = centre(x, in_extent, out_extent);
    const int first = static_cast<int>(std::floor(position)) - 1;
    Taps& taps = all_taps[static_cast<std::size_t>(x)];
    for (int i = 0; i < 4; ++i) {
      taps.weight[i] = cubic_weight(static_cast<float>(position - (first + i)));
      taps.index[i] = std::clamp(first + i, 0, in_extent - 1);
    }
  }
  return all_taps;
}

/// Interpolates along the rows, then along the columns. `row_taps` has the taps of each row of the result,
/// `column_taps` those of each column.
Planes resample(const Planes& in, const std::vector<Taps>& row_taps, const std::vector<Taps>& column_taps) {
  Planes resized_rows{in.channels, in.height, static_cast<int>(column_taps.size())};
  for (int c = 0; c < in.channels; ++c) {
    for (int y = 0; y < in.height; ++y) {
      for (int x = 0; x < resized_rows.width; ++x) {
        const Taps& taps = column_taps[static_cast<std::size_t>(x)];
        for (int i = 0; i < 4; ++i) resized_rows.at(c, y, x) += taps.weight[i] * in.at(c, y, taps.index[i]);
      }
    }
  }
  Planes out{in.channels, static_cast<int>(row_taps.size()), resized_rows.width};
  for (int c = 0; c < in.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      const Taps& taps = row_taps[static_cast<std::size_t>(y)];
      for (int x = 0; x < out.width; ++x) {
        for (int i = 0; i < 4; ++i) out.at(c, y, x) += taps.weight[i] * resized_rows.at(c, taps.index[i], x);
      }
    }
  }
  return out;
}

}  // namespace

Planes interp_nearest_ref(const Planes& in, float scale) {
  Planes out{in.channels, scaled_extent(in.height, scale), scaled_extent(in.width, scale)};
  const auto source_index = [scale](int x, int extent) {
    return std::min(static_cast<int>(static_cast<double>(x) / static_cast<double>(scale)), extent - 1);
  };
  for (int c = 0; c < out.channels; ++c) {
    for (int y = 0; y < out.height; ++y) {
      for (int x = 0; x < out.width; ++x)
        out.at(c, y, x) = in.at(c, source_index(y, in.height), source_index(x, in.width));
    }
  }
  return out;
}

Planes interp_bilinear_ref(const Planes& in, float scale) {
  return resample(in, bilinear_taps(in.height, scaled_extent(in.height, scale)),
                  bilinear_taps(in.width, scaled_extent(in.width, scale)));
}

Planes interp_bicubic_ref(const Planes& in, float scale) {
  return resample(in, bicubic_taps(in.height, scaled_extent(in.height, scale)),
                  bicubic_taps(in.width, scaled_extent(in.width, scale)));
}

}  // namespace weir::compute

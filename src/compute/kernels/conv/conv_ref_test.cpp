#include "compute/kernels/conv/conv_ref.hpp"

#include <gtest/gtest.h>

#include "compute/kernels/deconv/deconv_ref.hpp"
#include "networks/generate_network.hpp"

namespace weir::compute {
namespace {

std::vector<float> numbers(std::size_t count, std::uint64_t seed) {
  test::SeededNumbers source{seed};
  std::vector<float> values(count);
  for (float& value : values) value = source.between(-1, 1);
  return values;
}

/// The input [channels, height, width] and the geometry {out_channels, kernel, stride, pad} of one convolution.
struct Case {
  int channels, height, width;
  ConvGeometry geometry;
};

struct Data {
  Planes in;
  std::vector<float> weight, bias;
};

/// Returns random numbers of the sizes that the case needs.
Data data_for(const Case& c) {
  Data data{Planes{c.channels, c.height, c.width}, {}, {}};
  data.in.values = numbers(data.in.values.size(), 1);
  data.weight = numbers(
      static_cast<std::size_t>(c.channels) * c.geometry.out_channels * c.geometry.kernel * c.geometry.kernel, 2);
  data.bias = numbers(static_cast<std::size_t>(c.geometry.out_channels), 3);
  return data;
}

/// Returns output value [o, y, x] by the formula: the bias, then the products in the order that conv_ref() promises.
float correlated(const Planes& in, const ConvGeometry& g, const Data& data, int o, int y, int x) {
  float sum = data.bias[o];
  for (int c = 0; c < in.channels; ++c) {
    for (int ky = 0; ky < g.kernel; ++ky) {
      for (int kx = 0; kx < g.kernel; ++kx) {
        const int iy = y * g.stride + ky - g.pad, ix = x * g.stride + kx - g.pad;
        const bool inside = iy >= 0 && iy < in.height && ix >= 0 && ix < in.width;
        sum +=
            data.weight[((o * in.channels + c) * g.kernel + ky) * g.kernel + kx] * (inside ? in.at(c, iy, ix) : 0.0F);
      }
    }
  }
  return sum;
}

TEST(ConvRef, FollowsTheFormulaBitForBit) {
  for (const Case& c : {Case{3, 5, 7, {4, 3, 1, 1}},
                        {1, 3, 3, {1, 3, 1, 0}},
                        {5, 9, 17, {6, 2, 2, 0}},
                        {2, 8, 25, {9, 5, 1, 2}},
                        {4, 6, 8, {3, 1, 1, 0}},
                        {3, 11, 13, {5, 3, 3, 2}}}) {
    const Data data = data_for(c);
    const Planes out = conv_ref(data.in, c.geometry, data.weight, data.bias);
    ASSERT_EQ(out.channels, c.geometry.out_channels);
    ASSERT_EQ(out.height, (c.height + 2 * c.geometry.pad - c.geometry.kernel) / c.geometry.stride + 1);
    for (int o = 0; o < out.channels; ++o) {
      for (int y = 0; y < out.height; ++y) {
        for (int x = 0; x < out.width; ++x) {
          ASSERT_EQ(out.at(o, y, x), correlated(data.in, c.geometry, data, o, y, x)) << o << " " << y << " " << x;
        }
      }
    }
  }
}

/// Computes a transposed convolution by its definition: every input pixel adds its value times the kernel to a square
/// of the output. Pixels of the squares that the padding removes are left out.
Planes scattered(const Case& c, const Data& data) {
  const ConvGeometry& g = c.geometry;
  Planes out{g.out_channels, (c.height - 1) * g.stride + g.kernel - 2 * g.pad,
             (c.width - 1) * g.stride + g.kernel - 2 * g.pad};
  for (int o = 0; o < out.channels; ++o) {
    for (float& value : out.plane(o)) value = data.bias[o];
    for (int i = 0; i < c.channels * c.height * c.width; ++i) {
      const int ic = i / (c.height * c.width), iy = i / c.width % c.height, ix = i % c.width;
      for (int k = 0; k < g.kernel * g.kernel; ++k) {
        const int y = iy * g.stride + k / g.kernel - g.pad, x = ix * g.stride + k % g.kernel - g.pad;
        if (y < 0 || x < 0 || y >= out.height || x >= out.width) continue;
        out.at(o, y, x) += data.in.at(ic, iy, ix) * data.weight[(o * c.channels + ic) * g.kernel * g.kernel + k];
      }
    }
  }
  return out;
}

TEST(DeconvRef, SpreadsEveryPixel) {
  for (const Case& c : {Case{3, 4, 5, {4, 2, 2, 0}},
                        {2, 5, 6, {3, 4, 2, 3}},
                        {2, 4, 4, {3, 5, 3, 2}},
                        {1, 1, 1, {1, 4, 2, 1}},
                        {3, 3, 9, {5, 3, 1, 1}}}) {
    const Data data = data_for(c);
    const Planes out = deconv_ref(data.in, c.geometry, data.weight, data.bias), expected = scattered(c, data);
    ASSERT_TRUE(out.same_shape(expected));
    for (std::size_t i = 0; i < out.values.size(); ++i) ASSERT_NEAR(out.values[i], expected.values[i], 1e-5) << i;
  }
}

}  // namespace
}  // namespace weir::compute

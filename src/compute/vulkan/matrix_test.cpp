#include "compute/vulkan/matrix.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <functional>
#include <vector>

#include "vulkan_devices.hpp"

namespace weir::compute::vulkan {
namespace {

struct Values {
  std::uint32_t rows = 0, columns = 0;
  std::vector<float> v;
  float at(std::uint32_t y, std::uint32_t x) const { return v[static_cast<std::size_t>(y) * columns + x]; }
};

Values values(std::uint32_t rows, std::uint32_t columns, const std::function<float(std::uint32_t, std::uint32_t)>& of) {
  Values made{rows, columns, {}};
  for (std::uint32_t y = 0; y < rows; ++y) {
    for (std::uint32_t x = 0; x < columns; ++x) made.v.push_back(of(y, x));
  }
  return made;
}

Values numbers(std::uint32_t rows, std::uint32_t columns, unsigned seed) {
  return values(rows, columns, [seed](std::uint32_t y, std::uint32_t x) {
    return static_cast<float>((y * 37 + x * 101 + seed * 53) % 211) / 105.0F - 1.0F;
  });
}

class VulkanMatrix : public test::OpenVulkanTest {
 protected:
  Matrix upload(const Values& from) {
    const std::size_t bytes = from.v.size() * sizeof(float);
    Buffer& staging = keep(buffer(Bytes{bytes}, Where::upload));
    std::memcpy(staging.host(), from.v.data(), bytes);
    const Matrix to = blank(from.rows, from.columns);
    EXPECT_TRUE(stream_->copy({staging.handle(), 0, bytes}, to.slice));
    return to;
  }
  Matrix blank(std::uint32_t rows, std::uint32_t columns) {
    const std::size_t bytes = std::size_t{rows} * columns * sizeof(float);
    return {{keep(buffer(Bytes{bytes})).handle(), 0, bytes}, rows, columns};
  }
  Values download(const Matrix& from) {
    const Buffer staging = buffer(Bytes{from.slice.size}, Where::download);
    const Slice to{staging.handle(), 0, from.slice.size};
    EXPECT_TRUE(stream_->copy(from.slice, to));
    EXPECT_TRUE(stream_->show_host(to));
    EXPECT_TRUE(stream_->sync());
    Values made{from.rows, from.columns, std::vector<float>(from.slice.size / sizeof(float))};
    std::memcpy(made.v.data(), staging.host(), from.slice.size);
    return made;
  }
  void expect_near(const Matrix& made, const Values& expected, double within) {
    const Values values = download(made);
    ASSERT_EQ(values.v.size(), expected.v.size());
    for (std::size_t i = 0; i < values.v.size(); ++i) ASSERT_NEAR(values.v[i], expected.v[i], within) << i;
  }
};

TEST_F(VulkanMatrix, MatmulOfEveryForm) {
  const Values a = numbers(37, 50, 1);
  const Values b = numbers(50, 21, 2);
  const Values start = numbers(37, 21, 3);
  const Values product = values(37, 21, [&](std::uint32_t y, std::uint32_t x) {
    double sum = 0;
    for (std::uint32_t k = 0; k < 50; ++k) sum += static_cast<double>(a.at(y, k)) * b.at(k, x);
    return static_cast<float>(sum);
  });
  const Values sum = values(37, 21, [&](auto y, auto x) { return product.at(y, x) + start.at(y, x); });
  const Values at = values(50, 37, [&](auto y, auto x) { return a.at(x, y); });
  const Values bt = values(21, 50, [&](auto y, auto x) { return b.at(x, y); });
  for (const bool ta : {false, true}) {
    for (const bool tb : {false, true}) {
      for (const bool add : {false, true}) {
        const Matrix c = upload(start);
        ASSERT_TRUE(matmul(*stream_, upload(ta ? at : a), upload(tb ? bt : b), c, {ta, tb, add}));
        expect_near(c, add ? sum : product, 1e-4);
      }
    }
  }
  const Matrix in_rows = upload(start);
  const std::uint64_t before = stream_->statistics().commands;
  ASSERT_TRUE(matmul(*stream_, upload(a), upload(b), in_rows, {.most_multiplications = 21 * 50 * 20}));
  EXPECT_EQ(stream_->statistics().commands, before + 2 + 3) << "two uploads, and 37 rows in pieces of 16";
  expect_near(in_rows, product, 1e-4);
  EXPECT_FALSE(matmul(*stream_, upload(a), upload(a), blank(37, 50)));
  EXPECT_FALSE(matmul(*stream_, upload(a), upload(b), blank(37, 20)));
}

TEST_F(VulkanMatrix, TransposeAndBias) {
  const Values a = numbers(19, 70, 4);
  const Matrix turned = blank(70, 19);
  ASSERT_TRUE(transpose(*stream_, upload(a), turned));
  expect_near(turned, values(70, 19, [&](auto y, auto x) { return a.at(x, y); }), 0);
  const Values bias = numbers(1, 70, 5);
  const Matrix in_place = upload(a);
  ASSERT_TRUE(add_bias(*stream_, in_place, upload(bias), in_place));
  expect_near(in_place, values(19, 70, [&](auto y, auto x) { return a.at(y, x) + bias.at(0, x); }), 1e-6);
  EXPECT_FALSE(add_bias(*stream_, in_place, upload(numbers(1, 69, 5)), in_place));
}

TEST_F(VulkanMatrix, Elementwise) {
  const Values a = numbers(23, 41, 6);
  const Values b = numbers(23, 41, 7);
  const auto check = [&](Elementwise operation, const std::function<float(float, float)>& of) {
    const Matrix out = blank(23, 41);
    ASSERT_TRUE(elementwise(*stream_, operation, upload(a), upload(b), out));
    expect_near(out, values(23, 41, [&](auto y, auto x) { return of(a.at(y, x), b.at(y, x)); }), 2e-5);
  };
  check(Elementwise::add, [](float x, float y) { return x + y; });
  check(Elementwise::mul, [](float x, float y) { return x * y; });
  check(Elementwise::relu, [](float x, float) { return x < 0 ? 0 : x; });
  check(Elementwise::sigmoid, [](float x, float) { return 1 / (1 + std::exp(-x)); });
  check(Elementwise::tanh, [](float x, float) { return std::tanh(x); });
  EXPECT_FALSE(elementwise(*stream_, Elementwise::add, upload(a), upload(numbers(41, 23, 7)), blank(23, 41)));
}

TEST_F(VulkanMatrix, TanhOfLargeValuesIsOne) {
  const Matrix out = blank(1, 4);
  const Values large{1, 4, {-1000, -50, 50, 1000}};
  ASSERT_TRUE(elementwise(*stream_, Elementwise::tanh, upload(large), {}, out));
  expect_near(out, {1, 4, {-1, -1, 1, 1}}, 1e-6);
}

TEST_F(VulkanMatrix, SumsAndZero) {
  const Values a = numbers(150, 90, 8);
  const Matrix matrix = upload(a);
  const Matrix rows = blank(1, 150);
  const Matrix columns = blank(1, 90);
  ASSERT_TRUE(reduce(*stream_, Along::rows, matrix, rows));
  ASSERT_TRUE(reduce(*stream_, Along::columns, matrix, columns, 1.0F / 150));
  expect_near(rows,
              values(1, 150,
                     [&](auto, auto y) {
                       float sum = 0;
                       for (std::uint32_t x = 0; x < 90; ++x) sum += a.at(y, x);
                       return sum;
                     }),
              1e-3);
  expect_near(columns,
              values(1, 90,
                     [&](auto, auto x) {
                       float sum = 0;
                       for (std::uint32_t y = 0; y < 150; ++y) sum += a.at(y, x);
                       return sum / 150;
                     }),
              1e-4);
  ASSERT_TRUE(zero(*stream_, matrix));
  expect_near(matrix, values(150, 90, [](auto, auto) { return 0.0F; }), 0);
}

TEST_F(VulkanMatrix, AThousandStepsDoNotGrow) {
  const Matrix a = upload(numbers(32, 32, 9));
  const Matrix b = blank(32, 32);
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(matmul(*stream_, a, a, b));
    ASSERT_TRUE(elementwise(*stream_, Elementwise::tanh, b, {}, b));
  }
  ASSERT_TRUE(stream_->sync());
  EXPECT_LE(stream_->statistics().made, 9U);
  EXPECT_EQ(stream_->statistics().commands, 2000U + 1U);
}

}  // namespace
}  // namespace weir::compute::vulkan

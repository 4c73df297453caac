// Tests the scales with which pack_matrix() and pack_conv3x3() convert weights to int16.

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <vector>

#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

class Packing : public EachInstructionSet {};

/// For a matrix with one output: adds up |w| of the stored weights at each point, and returns the largest sum.
std::int64_t largest_sum(const PackedMatrix& matrix) {
  const std::size_t each = matrix.int16.size() / static_cast<std::size_t>(matrix.points);
  std::int64_t most = 0;
  for (std::size_t point = 0; point < static_cast<std::size_t>(matrix.points); ++point) {
    std::int64_t sum = 0;
    for (std::size_t i = 0; i < each; ++i) sum += std::abs(int{matrix.int16.data()[point * each + i]});
    most = std::max(most, sum);
  }
  return most;
}

/// Returns three sets of weights [in][each]: all equal, random, and weights that rounding increases as much as
/// possible.
std::vector<std::vector<float>> columns(int in, int each) {
  const auto count = static_cast<std::size_t>(in) * static_cast<std::size_t>(each);
  test::SeededNumbers random{static_cast<std::uint64_t>(in)};
  std::vector<std::vector<float>> all{std::vector<float>(count, 1.0F / static_cast<float>(in)), numbers(random, count)};
  std::vector<float> halves(count);
  for (std::size_t i = 0; i < count; ++i) halves[i] = (i % 2 == 0 ? 0.5001F : 1.5001F) * (i % 3 == 0 ? -1.0F : 1.0F);
  all.push_back(halves);
  return all;
}

// The comment of int16_scale() in kernels.cpp has the proof.
TEST_P(Packing, NoSumOfProductsOverflowsAnInt32) {
  for (const int in : {1, 3, 33, 1080, 1081, 1110, 1111, 1600, 4096, 8192, 65536, 140000}) {
    for (const auto& column : columns(in, 1)) {
      const std::int64_t sum = largest_sum(pack_matrix(kernels(), Arithmetic::int16, 1, in, column.data()));
      EXPECT_LE(sum * 32766, std::int64_t{INT32_MAX}) << in;
    }
  }
  for (const int in : {1, 33, 1111, 4096}) {
    for (const auto& column : columns(in, 9)) {
      const std::int64_t sum = largest_sum(pack_conv3x3(kernels(), Arithmetic::int16, 1, in, column.data()));
      EXPECT_LE(sum * 32766, std::int64_t{INT32_MAX}) << in;
    }
  }
}

// With up to 1080 inputs, no scale must be reduced to keep the bound; see int16_scale() in kernels.cpp.
TEST_P(Packing, ScalesOfNarrowColumnsAreAsLargeAsTheyCanBe) {
  for (const int in : {1, 33, 576, 1080}) {
    const std::vector<float> column(static_cast<std::size_t>(in), 0.25F);
    const PackedMatrix matrix = pack_matrix(kernels(), Arithmetic::int16, 1, in, column.data());
    const double scale = std::min(65000.0 / (in * 0.25), 32767.0 / 0.25);
    EXPECT_EQ(matrix.unscale.data()[0], static_cast<float>(1.0 / scale)) << in;
  }
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, Packing, testing::ValuesIn(kInstructionSets), instruction_set_of);

}  // namespace
}  // namespace weir::compute

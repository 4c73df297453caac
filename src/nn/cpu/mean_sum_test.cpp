#include "nn/cpu/mean_sum.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <cstddef>
#include <limits>
#include <vector>

namespace weir::nn {
namespace {

constexpr int kChannels = 32;
constexpr int kPixels = 5;

/// Returns the means of pixels whose channels all have this value; each of two threads adds them `times` times.
std::vector<float> means_of(float value, int times = 1) {
  const std::vector<float> pixels(static_cast<std::size_t>(kChannels) * kPixels, value);
  MeanSum sum{2, kChannels};
  for (int i = 0; i < times; ++i) {
    for (const int member : {0, 1}) {
      sum.add(compute::plain_kernels(), compute::ElementType::float32,
              reinterpret_cast<const std::byte*>(pixels.data()), kPixels, member);
    }
  }
  return sum.means(kChannels, 2.0 * kPixels * times);
}

TEST(MeanSum, IsExactIfTheSumFits) {
  EXPECT_EQ(means_of(0.75F).front(), 0.75F);
  EXPECT_EQ(means_of(-1.0e9F, 20).back(), -1.0e9F);
}

TEST(MeanSum, IsNaNIfASumDoesNotFit) {
  EXPECT_TRUE(std::isnan(means_of(1.0e26F).front()));
  EXPECT_TRUE(std::isnan(means_of(-1.0e26F).front()));
  EXPECT_TRUE(std::isnan(means_of(5.0e10F, 2).front())) << "each piece fits, their sum does not";
  EXPECT_TRUE(std::isnan(means_of(std::numeric_limits<float>::infinity()).front()));
  EXPECT_TRUE(std::isnan(means_of(std::numeric_limits<float>::quiet_NaN()).front()));
}

}  // namespace
}  // namespace weir::nn

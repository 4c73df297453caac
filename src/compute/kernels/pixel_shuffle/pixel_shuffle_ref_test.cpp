#include "compute/kernels/pixel_shuffle/pixel_shuffle_ref.hpp"

#include <gtest/gtest.h>

#include <numeric>

namespace weir::compute {
namespace {

TEST(PixelShuffleRef, ChannelsBecomeTheBlockRowByRow) {
  Planes in{8, 1, 2};
  std::iota(in.values.begin(), in.values.end(), 0.0F);  // channel c holds 2c and 2c + 1
  const Planes out = pixel_shuffle_ref(in, 2);
  ASSERT_EQ(out.channels, 2);
  EXPECT_EQ(out.values, (std::vector<float>{0, 2, 1, 3, 4, 6, 5, 7, 8, 10, 9, 11, 12, 14, 13, 15}));
}

}  // namespace
}  // namespace weir::compute

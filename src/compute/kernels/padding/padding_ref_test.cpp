#include "compute/kernels/padding/padding_ref.hpp"

#include <gtest/gtest.h>

#include <vector>

namespace weir::compute {
namespace {

Planes two_by_three() {
  Planes in{1, 2, 3};
  in.values = {1, 2, 3, 4, 5, 6};
  return in;
}

TEST(PaddingRef, ConstantSurroundsTheInput) {
  const Planes out = padding_ref(two_by_three(), 1, 2, 0, 1, PaddingMode::constant, 9);
  EXPECT_EQ(out.height, 3);
  EXPECT_EQ(out.values, (std::vector<float>{9, 9, 9, 9, 9, 9, 9, 9, 1, 2, 3, 9, 9, 9, 4, 5, 6, 9}));
}

TEST(PaddingRef, ReplicateRepeatsTheEdge) {
  const Planes out = padding_ref(two_by_three(), 0, 2, 2, 1, PaddingMode::replicate, 9);
  EXPECT_EQ(out.values, (std::vector<float>{1, 1, 1, 2, 3, 3, 4, 4, 4, 5, 6, 6, 4, 4, 4, 5, 6, 6, 4, 4, 4, 5, 6, 6}));
}

TEST(PaddingRef, ReflectMirrorsWithoutRepeatingTheEdge) {
  const Planes out = padding_ref(two_by_three(), 1, 2, 1, 1, PaddingMode::reflect, 9);
  EXPECT_EQ(out.values, (std::vector<float>{6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2, 6, 5, 4, 5, 6, 5, 3, 2, 1, 2, 3, 2}));
}

TEST(PaddingRef, ReflectContinuesWhenPaddingIsLargerThanTheInput) {
  Planes in{1, 1, 3};
  in.values = {1, 2, 3};
  const Planes out = padding_ref(in, 1, 5, 1, 4, PaddingMode::reflect, 9);
  const std::vector<float> row{2, 1, 2, 3, 2, 1, 2, 3, 2, 1, 2, 3};
  for (int y = 0; y < 3; ++y) EXPECT_TRUE(std::equal(row.begin(), row.end(), out.row(0, y).begin())) << y;
}

}  // namespace
}  // namespace weir::compute

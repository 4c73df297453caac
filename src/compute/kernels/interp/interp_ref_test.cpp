#include "compute/kernels/interp/interp_ref.hpp"

#include <gtest/gtest.h>

namespace weir::compute {
namespace {

Planes row_of(std::vector<float> values) {
  Planes planes{1, 1, static_cast<int>(values.size())};
  planes.values = std::move(values);
  return planes;
}

TEST(InterpRef, NearestRepeatsPixels) {
  EXPECT_EQ(interp_nearest_ref(row_of({1, 2}), 3).row(0, 0).size(), 6U);
  Planes in{1, 2, 2};
  in.values = {1, 2, 3, 4};
  EXPECT_EQ(interp_nearest_ref(in, 2).values, (std::vector<float>{1, 1, 2, 2, 1, 1, 2, 2, 3, 3, 4, 4, 3, 3, 4, 4}));
  EXPECT_EQ(interp_nearest_ref(row_of({1, 2, 3, 4}), 1).values, (std::vector<float>{1, 2, 3, 4}));
}

TEST(InterpRef, BilinearAtHalfPixelCentres) {
  Planes in{1, 2, 2};
  in.values = {0, 4, 8, 12};
  const Planes out = interp_bilinear_ref(in, 2);
  EXPECT_EQ(std::vector<float>(out.row(0, 0).begin(), out.row(0, 0).end()), (std::vector<float>{0, 1, 3, 4}));
  EXPECT_EQ(out.at(0, 1, 1), 3);
  EXPECT_EQ(out.at(0, 3, 3), 12);
}

TEST(InterpRef, BicubicHalvingUsesTheWeightsOfTheKernel) {
  // Half-way between two pixels the kernel with a = -0.75 has the weights -0.09375, 0.59375, 0.59375 and -0.09375.
  Planes in{1, 4, 4};
  in.at(0, 0, 0) = in.at(0, 1, 0) = in.at(0, 2, 0) = in.at(0, 3, 0) = 1;
  const Planes out = interp_bicubic_ref(in, 0.5F);
  ASSERT_EQ(out.width, 2);
  EXPECT_NEAR(out.at(0, 0, 0), 0.59375 - 0.09375, 1e-6) << "the edge is repeated";
  EXPECT_NEAR(out.at(0, 0, 1), 0, 1e-6);
}

TEST(InterpRef, BicubicThreeQuartersAtAThirdAndTwoThirds) {
  // The output pixels are at positions 1/6, 3/2 and 17/6 of a ramp of four pixels; the middle of the ramp is exact.
  Planes in{1, 4, 4};
  for (int y = 0; y < 4; ++y) {
    for (int x = 0; x < 4; ++x) in.at(0, y, x) = static_cast<float>(x);
  }
  const Planes out = interp_bicubic_ref(in, 0.75F);
  ASSERT_EQ(out.width, 3);
  EXPECT_NEAR(out.at(0, 1, 1), 1.5, 1e-6);
  EXPECT_NEAR(out.at(0, 1, 0) + out.at(0, 1, 2), 3, 1e-6) << "symmetric";
  // At 1/6 the taps are -1 (the edge, 0), 0, 1 and 2: w(5/6) + 2 w(11/6).
  const auto near_weight = [](double t) { return 1.25 * t * t * t - 2.25 * t * t + 1; };
  const auto far_weight = [](double t) { return -0.75 * t * t * t + 3.75 * t * t - 6 * t + 3; };
  EXPECT_NEAR(out.at(0, 1, 0), near_weight(5.0 / 6) + 2 * far_weight(11.0 / 6), 1e-6);
}

TEST(InterpRef, FlatPicturesStayFlat) {
  Planes in{2, 3, 5};
  in.values.assign(in.values.size(), 0.7F);
  for (const float scale : {0.5F, 0.75F, 1.5F, 2.0F, 4.0F}) {
    for (const Planes& out : {interp_bilinear_ref(in, scale), interp_bicubic_ref(in, scale)}) {
      for (const float value : out.values) EXPECT_NEAR(value, 0.7, 1e-6);
    }
  }
}

}  // namespace
}  // namespace weir::compute

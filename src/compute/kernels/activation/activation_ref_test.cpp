// Tests the reference implementations of the activations and of the other small layers on a few numbers.

#include "compute/kernels/activation/activation_ref.hpp"

#include <gtest/gtest.h>

#include <array>

#include "compute/kernels/binary/binary_ref.hpp"
#include "compute/kernels/concat/concat_ref.hpp"
#include "compute/kernels/crop/crop_ref.hpp"
#include "compute/kernels/inner_product/inner_product_ref.hpp"
#include "compute/kernels/pooling/pooling_ref.hpp"
#include "compute/kernels/weighted_sum/weighted_sum_ref.hpp"

namespace weir::compute {
namespace {

using Values = std::vector<float>;

Planes planes_of(int channels, int height, int width, Values values) {
  Planes planes{channels, height, width};
  planes.values = std::move(values);
  return planes;
}

TEST(ActivationRef, EachKind) {
  Planes leaky = planes_of(1, 1, 3, {-2, 0, 3});
  leaky_relu_ref(leaky, 0.5F);
  EXPECT_EQ(leaky.values, (Values{-1, 0, 3}));
  Planes prelu = planes_of(2, 1, 2, {-2, 2, -2, 2});
  prelu_ref(prelu, Values{0.5F, -1});
  EXPECT_EQ(prelu.values, (Values{-1, 2, 2, 2}));
  prelu_ref(prelu, Values{0});
  EXPECT_EQ(prelu.values, (Values{0, 2, 2, 2}));
  Planes clip = planes_of(1, 1, 3, {-2, 0.5F, 3});
  clip_ref(clip, 0, 1);
  EXPECT_EQ(clip.values, (Values{0, 0.5F, 1}));
  Planes sigmoid = planes_of(1, 1, 3, {-100, 0, 100});
  sigmoid_ref(sigmoid);
  EXPECT_EQ(sigmoid.values[1], 0.5F);
  EXPECT_NEAR(sigmoid.values[0], 0, 1e-6);
  EXPECT_NEAR(sigmoid.values[2], 1, 1e-6);
}

TEST(BinaryRef, EachKindWithPlanesVectorsAndNumbers) {
  const Planes a = planes_of(2, 1, 2, {1, 2, 3, 4}), b = planes_of(2, 1, 2, {4, 3, 2, 1});
  EXPECT_EQ(binary_ref(Binary::add, a, b).values, (Values{5, 5, 5, 5}));
  EXPECT_EQ(binary_ref(Binary::sub, a, b).values, (Values{-3, -1, 1, 3}));
  EXPECT_EQ(binary_ref(Binary::rsub, a, b).values, (Values{3, 1, -1, -3}));
  EXPECT_EQ(binary_ref(Binary::mul, a, planes_of(2, 1, 1, {10, 100})).values, (Values{10, 20, 300, 400}));
  EXPECT_EQ(binary_ref(Binary::div, a, 2).values, (Values{0.5F, 1, 1.5F, 2}));
}

TEST(SmallLayersRef, FollowTheirDefinitions) {
  const Planes a = planes_of(2, 1, 2, {1, 2, 3, 4}), b = planes_of(2, 1, 2, {4, 3, 2, 1});
  const std::array<const Planes*, 2> both{&a, &b};
  EXPECT_EQ(weighted_sum_ref(both, Values{0.5F, 1}).values, (Values{4.5F, 4, 3.5F, 3}));
  EXPECT_EQ(concat_ref(both).values, (Values{1, 2, 3, 4, 4, 3, 2, 1}));
  EXPECT_EQ(concat_ref(both).channels, 4);
  EXPECT_EQ(global_average_ref(a).values, (Values{1.5F, 3.5F}));
  EXPECT_EQ(inner_product_ref(planes_of(2, 1, 1, {1, 10}), Values{1, 2, 3, 4, 5, 6}, Values{0, 0, 1}).values,
            (Values{21, 43, 66}));
  const Planes grid = planes_of(1, 3, 4, {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11});
  EXPECT_EQ(crop_ref(grid, 1, 2, 0, 1).values, (Values{6, 10}));
}

}  // namespace
}  // namespace weir::compute

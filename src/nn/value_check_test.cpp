#include "nn/value_check.hpp"

#include <gtest/gtest.h>

namespace weir::nn {
namespace {

TEST(ValueCheck, ASingleColourIsAFaultWhereAColourOfThePictureCoversAQuarterOfTheRange) {
  ColourRange range;
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, range), ValueFault::none)
      << "the range is empty";
  range.add({{0.5F, 0.5F, 0.5F}, {0.5F, 0.625F, 0.5F}});
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, range), ValueFault::none);
  range.add({{0.5F, 0.375F, 0.5F}, {0.5F, 0.5F, 0.5F}});
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, range), ValueFault::single_colour);
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = true}, range), ValueFault::none);
}

TEST(ValueCheck, AValueThatIsNotFiniteIsAlwaysAFault) {
  EXPECT_EQ(check_values({.has_non_finite = true, .has_unequal = true}, {}), ValueFault::not_finite);
}

}  // namespace
}  // namespace weir::nn

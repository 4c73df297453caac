#include "nn/value_check.hpp"

#include <gtest/gtest.h>

namespace weir::nn {
namespace {

TEST(ValueCheck, ASingleColourIsAFaultWhereAColourOfThePictureCoversAQuarterOfTheRange) {
  ColourRange under;
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, under), ValueFault::none) << "of nothing";
  under.add({{0.5F, 0.5F, 0.5F}, {0.5F, 0.625F, 0.5F}});
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, under), ValueFault::none);
  under.add({{0.5F, 0.375F, 0.5F}, {0.5F, 0.5F, 0.5F}});
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = false}, under), ValueFault::single_colour);
  EXPECT_EQ(check_values({.has_non_finite = false, .has_unequal = true}, under), ValueFault::none);
}

TEST(ValueCheck, AValueThatIsNotFiniteIsAlwaysAFault) {
  EXPECT_EQ(check_values({.has_non_finite = true, .has_unequal = true}, {}), ValueFault::not_finite);
}

}  // namespace
}  // namespace weir::nn

#include "nn/value_check.hpp"

#include <gtest/gtest.h>

namespace weir::nn {
namespace {

TEST(ValueCheck, OneColourIsSuspiciousWhereOneColourOfThePictureHasAQuarterOfItsRange) {
  ColourRange under;
  EXPECT_EQ(judge({.not_finite = false, .unequal = false}, under), Suspicion::none) << "of nothing";
  under.add({{0.5F, 0.5F, 0.5F}, {0.5F, 0.625F, 0.5F}});
  EXPECT_EQ(judge({.not_finite = false, .unequal = false}, under), Suspicion::none);
  under.add({{0.5F, 0.375F, 0.5F}, {0.5F, 0.5F, 0.5F}});
  EXPECT_EQ(judge({.not_finite = false, .unequal = false}, under), Suspicion::one_colour);
  EXPECT_EQ(judge({.not_finite = false, .unequal = true}, under), Suspicion::none);
}

TEST(ValueCheck, WhatIsNoNumberIsSuspiciousAnywhere) {
  EXPECT_EQ(judge({.not_finite = true, .unequal = true}, {}), Suspicion::no_numbers);
}

}  // namespace
}  // namespace weir::nn

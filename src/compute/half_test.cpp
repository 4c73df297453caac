#include "compute/half.hpp"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <numeric>

#include "compute/kernels/kernels_test.hpp"

namespace weir::compute {
namespace {

using test::SeededNumbers;

constexpr int kHalves = 1 << 16;
constexpr float kNaN = std::numeric_limits<float>::quiet_NaN(), kInfinity = std::numeric_limits<float>::infinity();

/// Returns the value of a half by the formula of IEEE 754-2008, 3.4: (-1)^s * 2^(e - 15) * 1.f; for a subnormal number
/// (-1)^s * 2^-14 * 0.f; with the largest exponent infinity or NaN.
double value_of(int half) {
  const int exponent = half >> 10 & 31, fraction = half & 1023;
  const double magnitude = exponent == 31  ? (fraction == 0 ? kInfinity : kNaN)
                           : exponent == 0 ? std::ldexp(fraction, -24)
                                           : std::ldexp(1024 + fraction, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

/// Rounds to nearest, ties to even, by a binary search over the bits of positive halves, which are in the order of
/// their values; infinity counts as 65536.
int nearest_half(float value) {
  const double magnitude = std::fabs(static_cast<double>(value));
  const int sign = std::signbit(value) ? 0x8000 : 0;
  int low = 0, high = 0x7c00;  // value_of(low) <= magnitude; infinity is the largest
  while (high - low > 1) {
    const int middle = (low + high) / 2;
    (value_of(middle) <= magnitude ? low : high) = middle;
  }
  const double above = high == 0x7c00 ? 65536 : value_of(high);
  const double to_low = magnitude - value_of(low), to_high = above - magnitude;
  if (to_low == to_high) return sign | (low % 2 == 0 ? low : high);
  return sign | (to_low < to_high ? low : high);
}

/// Returns every third finite half as a float, the midpoint to the next half, the adjacent floats of both, and random
/// bits.
std::vector<float> test_floats() {
  std::vector<float> floats{
      kInfinity, -kInfinity, 65519.99F, 65520.0F, 1e30F, 1e-30F, std::numeric_limits<float>::denorm_min()};
  for (int half = 0; half < 0x7c00; half += 3) {
    for (const double centre : {value_of(half), (value_of(half) + (half == 0x7bff ? 65536 : value_of(half + 1))) / 2}) {
      const auto f = static_cast<float>(centre);
      for (const float x : {f, std::nextafter(f, kInfinity), std::nextafter(f, -kInfinity)})
        floats.push_back(half % 2 == 0 ? x : -x);
    }
  }
  SeededNumbers random{8};
  for (int i = 0; i < 20000; ++i) {
    const float x = std::bit_cast<float>(static_cast<std::uint32_t>(random.next()));
    if (!std::isnan(x)) floats.push_back(x);
  }
  return floats;
}

TEST(Half, EveryValueFollowsTheFormula) {
  for (int half = 0; half < kHalves; ++half) {
    const float actual = half_to_float(static_cast<std::uint16_t>(half));
    const double expected = value_of(half);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(actual)) << half;
    else
      ASSERT_EQ(std::bit_cast<std::uint32_t>(actual), std::bit_cast<std::uint32_t>(static_cast<float>(expected)))
          << half;
  }
}

TEST(Half, FloatsAreRoundedToNearestEven) {
  for (const float x : test_floats()) ASSERT_EQ(float_to_half(x), nearest_half(x)) << x;
  EXPECT_TRUE(std::isnan(half_to_float(float_to_half(kNaN))));
}

class HalfRows : public EachInstructionSet {};
INSTANTIATE_TEST_SUITE_P(Sets, HalfRows, testing::ValuesIn(kInstructionSets), instruction_set_of);

TEST_P(HalfRows, ToFloatIsTheSameForAll) {
  std::vector<std::uint16_t> halves(kHalves + 5);  // not a multiple of a vector
  std::iota(halves.begin(), halves.end(), std::uint16_t{0});
  std::vector<float> floats(halves.size() + 1, kUntouched);
  kernels().to_float(halves.data(), floats.data(), halves.size());
  for (std::size_t i = 0; i < halves.size(); ++i) {
    const float expected = half_to_float(halves[i]);
    if (std::isnan(expected))
      ASSERT_TRUE(std::isnan(floats[i])) << i;
    else
      ASSERT_EQ(std::bit_cast<std::uint32_t>(floats[i]), std::bit_cast<std::uint32_t>(expected)) << i;
  }
  EXPECT_EQ(floats.back(), kUntouched);
}

TEST_P(HalfRows, ToHalfRoundsLikeTheScalarFunction) {
  const std::vector<float> floats = test_floats();
  std::vector<std::uint16_t> halves(floats.size() + 1, 9);
  kernels().to_half(floats.data(), halves.data(), floats.size());
  for (std::size_t i = 0; i < floats.size(); ++i) ASSERT_EQ(halves[i], float_to_half(floats[i])) << floats[i];
  EXPECT_EQ(halves.back(), 9);
  const std::vector<float> not_numbers(37, kNaN);
  kernels().to_half(not_numbers.data(), halves.data(), not_numbers.size());
  for (std::size_t i = 0; i < not_numbers.size(); ++i) EXPECT_TRUE(std::isnan(half_to_float(halves[i]))) << i;
}

}  // namespace
}  // namespace weir::compute

#include "memory/level_series.hpp"

#include <gtest/gtest.h>

#include <cstdint>
#include <functional>

namespace weir::memory {
namespace {

/// Returns a series of twenty levels at most, to which level(0), level(1), ... were added.
LevelSeries series_of(std::uint64_t count, const std::function<Bytes(std::uint64_t)>& level) {
  LevelSeries series;
  for (std::uint64_t i = 0; i < count; ++i) series.add(level(i));
  return series;
}

TEST(LevelSeries, DetectsFastAndSlowLeaksOnly) {
  const auto fast = series_of(60, [](std::uint64_t i) { return 100_MiB + 10_MiB * i; });
  EXPECT_TRUE(fast.is_leak());
  EXPECT_NEAR(fast.slope(), 10 << 20, 1);
  EXPECT_TRUE(series_of(60, [](std::uint64_t i) { return 100_MiB + 2_MiB * i; }).is_leak());
  EXPECT_FALSE(series_of(60, [](std::uint64_t i) { return 500_MiB + 1_MiB * (i % 7); }).is_leak());
  const auto shrinking = series_of(60, [](std::uint64_t i) { return 4_GiB - 50_MiB * i; });
  EXPECT_FALSE(shrinking.is_leak());
  EXPECT_LT(shrinking.slope(), 0) << "the slope is signed";
}

TEST(LevelSeries, NeedsFiveLevels) {
  const auto four = series_of(4, [](std::uint64_t i) { return 1_GiB * i; });
  EXPECT_EQ(four.slope(), 0);
  EXPECT_EQ(four.growth(), 0);
  EXPECT_EQ(four.last(), static_cast<double>((3_GiB).count()));
  EXPECT_TRUE(series_of(5, [](std::uint64_t i) { return 1_GiB * i; }).is_leak());
}

TEST(LevelSeries, AFewOutliersAreNoGrowth) {
  EXPECT_FALSE(series_of(60, [](std::uint64_t i) { return i % 9 == 8 ? 2_GiB : 500_MiB; }).is_leak());
  const auto last = series_of(20, [](std::uint64_t i) { return i >= 18 ? 2_GiB : 500_MiB; });
  EXPECT_FALSE(last.is_leak());
  EXPECT_EQ(last.slope(), 0);
}

TEST(LevelSeries, AStepThatStaysIsGrowthButNotSteady) {
  const auto step = series_of(30, [](std::uint64_t i) { return i < 15 ? 100_MiB : 300_MiB; });
  EXPECT_TRUE(step.is_leak());
  LevelSeries all{30};
  for (int i = 0; i < 30; ++i) all.add(i < 15 ? 0.0 : 100e6);
  EXPECT_GT(all.slope(), 0);
  EXPECT_EQ(all.steady_slope(), 0);
}

TEST(LevelSeries, ASteadyRiseHasItsSlopeFromTenLevelsOn) {
  LevelSeries series{240};
  for (int i = 0; i < 9; ++i) series.add(5e6 * i);
  EXPECT_EQ(series.steady_slope(), 0);
  for (int i = 9; i < 30; ++i) series.add(5e6 * i);
  EXPECT_NEAR(series.steady_slope(), 5e6, 1);
  series.clear();
  EXPECT_EQ(series.steady_slope(), 0);
}

TEST(LevelSeries, KeepsTheLastLevelsAndTheLowestOfAll) {
  LevelSeries series{5};
  for (int i = 0; i < 5; ++i) series.add(0.0);
  for (int i = 0; i < 5; ++i) series.add(150e6);
  EXPECT_EQ(series.slope(), 0);
  EXPECT_EQ(series.growth(), 150e6);
}

}  // namespace
}  // namespace weir::memory

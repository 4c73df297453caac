#include "jobs/speed_meter.hpp"

#include <gtest/gtest.h>

#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kTestStart;

TEST(SpeedMeter, MeasuresSinceItsStartAndAtMostTheLastMinute) {
  SpeedMeter meter;
  meter.restart(kTestStart);
  EXPECT_EQ(meter.per_second(kTestStart + 5s), 0);
  for (int i = 1; i <= 20; ++i) meter.add(1, kTestStart + 500ms * i);
  EXPECT_EQ(meter.per_second(kTestStart + 10s), 2);
  EXPECT_EQ(meter.per_second(kTestStart + 20s), 1);
  for (int i = 1; i <= 600; ++i) meter.add(3, kTestStart + 20s + 1s * i);
  EXPECT_NEAR(meter.per_second(kTestStart + 620s), 3, 0.1);
  EXPECT_EQ(meter.per_second(kTestStart + 900s), 0) << "nothing was done for minutes";
}

TEST(SpeedMeter, APauseDoesNotCount) {
  SpeedMeter meter;
  meter.restart(kTestStart);
  meter.add(10, kTestStart + 5s);
  meter.exclude_pause(100s);
  EXPECT_EQ(meter.per_second(kTestStart + 110s), 1);
  meter.restart(kTestStart + 110s);
  EXPECT_EQ(meter.per_second(kTestStart + 111s), 0);
}

}  // namespace
}  // namespace weir::jobs

#include "jobs/stop_controller.hpp"

#include <gtest/gtest.h>

#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kTestStart;
constexpr std::chrono::milliseconds kGrace{1500};

TEST(StopController, ResumeReturnsTheLengthOfThePause) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.may_start_items());
  EXPECT_FALSE(controller.resume(kTestStart));
  EXPECT_TRUE(controller.pause(kTestStart));
  EXPECT_FALSE(controller.pause(kTestStart + 2s)) << "it is paused already";
  EXPECT_FALSE(controller.may_start_items());
  EXPECT_EQ(controller.idle_reason(), "paused");
  EXPECT_EQ(controller.resume(kTestStart + 5s), 5s);
  EXPECT_TRUE(controller.may_start_items());
  EXPECT_EQ(controller.idle_reason(), "");
}

TEST(StopController, TheDiskIsCheckedOnceASecondAndEachChangeIsReportedOnce) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.mark_disk_check_if_due(kTestStart));
  EXPECT_FALSE(controller.mark_disk_check_if_due(kTestStart + 999ms));
  EXPECT_TRUE(controller.mark_disk_check_if_due(kTestStart + 1s));
  EXPECT_FALSE(controller.set_disk_full(false));
  EXPECT_TRUE(controller.set_disk_full(true));
  EXPECT_FALSE(controller.set_disk_full(true));
  EXPECT_EQ(controller.idle_reason(), "waiting for room on the disk");
  EXPECT_TRUE(controller.may_start_items()) << "an item that fits may still start";
  EXPECT_TRUE(controller.set_disk_full(false));
  EXPECT_EQ(controller.idle_reason(), "");
}

TEST(StopController, AfterTheGracePeriodWorkersAreKilledAndThenAbandoned) {
  StopController controller{kGrace};
  EXPECT_EQ(controller.next_stop_step(kTestStart), StopController::StopStep::none);
  EXPECT_TRUE(controller.request_stop(false, kTestStart).is_first);
  EXPECT_TRUE(controller.is_stopping());
  EXPECT_FALSE(controller.may_start_items());
  EXPECT_EQ(controller.next_stop_step(kTestStart + kGrace - 1ms), StopController::StopStep::none);
  EXPECT_EQ(controller.next_stop_step(kTestStart + kGrace), StopController::StopStep::kill);
  EXPECT_EQ(controller.kill_reason(), "the run was stopped");
  EXPECT_EQ(controller.next_stop_step(kTestStart + kGrace + 299ms), StopController::StopStep::none);
  EXPECT_EQ(controller.next_stop_step(kTestStart + kGrace + 300ms), StopController::StopStep::abandon);
  EXPECT_FALSE(controller.mark_disk_check_if_due(kTestStart + 10s)) << "no item starts during a stop";
}

TEST(StopController, ASecondSignalKillsAtOnce) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.request_stop(controller.is_stopping(), kTestStart).is_first);
  const auto second = kTestStart + 200ms;
  EXPECT_FALSE(controller.request_stop(controller.is_stopping(), second).is_first);
  EXPECT_EQ(controller.next_stop_step(second), StopController::StopStep::kill);
  EXPECT_EQ(controller.kill_reason(), "a second signal came");
  EXPECT_EQ(controller.next_stop_step(second + 300ms), StopController::StopStep::abandon);
}

TEST(StopController, AFurtherRequestWithoutASignalDoesNotEndTheGracePeriod) {
  StopController controller{kGrace};
  (void)controller.request_stop(false, kTestStart);
  (void)controller.request_stop(false, kTestStart + 100ms);
  EXPECT_EQ(controller.next_stop_step(kTestStart + 200ms), StopController::StopStep::none);
}

TEST(StopController, AStopEndsAPause) {
  StopController controller{kGrace};
  (void)controller.pause(kTestStart);
  const StopController::StopResult stop = controller.request_stop(false, kTestStart + 1s);
  EXPECT_TRUE(stop.is_first && stop.was_paused);
  EXPECT_FALSE(controller.is_paused());
}

}  // namespace
}  // namespace weir::jobs

#include "jobs/stop_controller.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kGrace{1500};
const Clock::time_point kMorning = Clock::time_point{} + std::chrono::hours{1};

TEST(StopController, ResumeReturnsTheLengthOfThePause) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.may_start_items());
  EXPECT_FALSE(controller.resume(kMorning));
  EXPECT_TRUE(controller.pause(kMorning));
  EXPECT_FALSE(controller.pause(kMorning + 2s)) << "it is paused already";
  EXPECT_FALSE(controller.may_start_items());
  EXPECT_EQ(controller.idle_reason(), "paused");
  EXPECT_EQ(controller.resume(kMorning + 5s), 5s);
  EXPECT_TRUE(controller.may_start_items());
  EXPECT_EQ(controller.idle_reason(), "");
}

TEST(StopController, TheDiskIsCheckedOnceASecondAndEachChangeIsReportedOnce) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.mark_disk_check_if_due(kMorning));
  EXPECT_FALSE(controller.mark_disk_check_if_due(kMorning + 999ms));
  EXPECT_TRUE(controller.mark_disk_check_if_due(kMorning + 1s));
  EXPECT_FALSE(controller.set_disk_full(false));
  EXPECT_TRUE(controller.set_disk_full(true));
  EXPECT_FALSE(controller.set_disk_full(true));
  EXPECT_EQ(controller.idle_reason(), "waiting for room on the disk");
  EXPECT_TRUE(controller.may_start_items()) << "what fits goes on";
  EXPECT_TRUE(controller.set_disk_full(false));
  EXPECT_EQ(controller.idle_reason(), "");
}

TEST(StopController, AStopAsksThenKillsThenAbandons) {
  StopController controller{kGrace};
  EXPECT_EQ(controller.next_stop_step(kMorning), StopController::StopStep::none);
  EXPECT_TRUE(controller.request_stop(false, kMorning).is_first);
  EXPECT_TRUE(controller.is_stopping());
  EXPECT_FALSE(controller.may_start_items());
  EXPECT_EQ(controller.next_stop_step(kMorning + kGrace - 1ms), StopController::StopStep::none);
  EXPECT_EQ(controller.next_stop_step(kMorning + kGrace), StopController::StopStep::kill);
  EXPECT_EQ(controller.kill_reason(), "the run was stopped");
  EXPECT_EQ(controller.next_stop_step(kMorning + kGrace + 299ms), StopController::StopStep::none);
  EXPECT_EQ(controller.next_stop_step(kMorning + kGrace + 300ms), StopController::StopStep::abandon);
  EXPECT_FALSE(controller.mark_disk_check_if_due(kMorning + 10s)) << "nothing starts any more";
}

TEST(StopController, ASecondSignalKillsAtOnce) {
  StopController controller{kGrace};
  EXPECT_TRUE(controller.request_stop(controller.is_stopping(), kMorning).is_first);
  const auto second = kMorning + 200ms;
  EXPECT_FALSE(controller.request_stop(controller.is_stopping(), second).is_first);
  EXPECT_EQ(controller.next_stop_step(second), StopController::StopStep::kill);
  EXPECT_EQ(controller.kill_reason(), "a second signal came");
  EXPECT_EQ(controller.next_stop_step(second + 300ms), StopController::StopStep::abandon);
}

TEST(StopController, AStopAfterALostDeviceIsNotAtOnce) {
  StopController controller{kGrace};
  (void)controller.request_stop(false, kMorning);
  (void)controller.request_stop(false, kMorning + 100ms);
  EXPECT_EQ(controller.next_stop_step(kMorning + 200ms), StopController::StopStep::none);
}

TEST(StopController, AStopEndsAPause) {
  StopController controller{kGrace};
  (void)controller.pause(kMorning);
  const StopController::StopResult stop = controller.request_stop(false, kMorning + 1s);
  EXPECT_TRUE(stop.is_first && stop.was_paused);
  EXPECT_FALSE(controller.is_paused());
}

}  // namespace
}  // namespace weir::jobs

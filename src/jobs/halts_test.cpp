#include "jobs/halts.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
constexpr std::chrono::milliseconds kGrace{1500};
const Clock::time_point kMorning = Clock::time_point{} + std::chrono::hours{1};

TEST(Halts, APauseGivesBackTheTimeThatItTook) {
  Halts halts{kGrace};
  EXPECT_TRUE(halts.working());
  EXPECT_FALSE(halts.resume(kMorning));
  EXPECT_TRUE(halts.pause(kMorning));
  EXPECT_FALSE(halts.pause(kMorning + 2s)) << "it is paused already";
  EXPECT_FALSE(halts.working());
  EXPECT_EQ(halts.text(), "paused");
  EXPECT_EQ(halts.resume(kMorning + 5s), 5s);
  EXPECT_TRUE(halts.working());
  EXPECT_EQ(halts.text(), "");
}

TEST(Halts, TheDiskIsAskedOnceASecondAndEachChangeIsReportedOnce) {
  Halts halts{kGrace};
  EXPECT_TRUE(halts.ask_disk(kMorning));
  EXPECT_FALSE(halts.ask_disk(kMorning + 999ms));
  EXPECT_TRUE(halts.ask_disk(kMorning + 1s));
  EXPECT_FALSE(halts.set_disk_full(false));
  EXPECT_TRUE(halts.set_disk_full(true));
  EXPECT_FALSE(halts.set_disk_full(true));
  EXPECT_EQ(halts.text(), "waiting for room on the disk");
  EXPECT_TRUE(halts.working()) << "what fits goes on";
  EXPECT_TRUE(halts.set_disk_full(false));
  EXPECT_EQ(halts.text(), "");
}

TEST(Halts, AStopAsksThenKillsThenAbandons) {
  Halts halts{kGrace};
  EXPECT_EQ(halts.next_step(kMorning), Halts::Step::none);
  EXPECT_TRUE(halts.stop(false, kMorning).first);
  EXPECT_TRUE(halts.stopping());
  EXPECT_FALSE(halts.working());
  EXPECT_EQ(halts.next_step(kMorning + kGrace - 1ms), Halts::Step::none);
  EXPECT_EQ(halts.next_step(kMorning + kGrace), Halts::Step::kill);
  EXPECT_EQ(halts.kill_reason(), "the run was stopped");
  EXPECT_EQ(halts.next_step(kMorning + kGrace + 299ms), Halts::Step::none);
  EXPECT_EQ(halts.next_step(kMorning + kGrace + 300ms), Halts::Step::abandon);
  EXPECT_FALSE(halts.ask_disk(kMorning + 10s)) << "nothing starts any more";
}

TEST(Halts, ASecondSignalKillsAtOnce) {
  Halts halts{kGrace};
  EXPECT_TRUE(halts.stop(halts.stopping(), kMorning).first);
  const auto second = kMorning + 200ms;
  EXPECT_FALSE(halts.stop(halts.stopping(), second).first);
  EXPECT_EQ(halts.next_step(second), Halts::Step::kill);
  EXPECT_EQ(halts.kill_reason(), "a second signal came");
  EXPECT_EQ(halts.next_step(second + 300ms), Halts::Step::abandon);
}

TEST(Halts, AStopAfterALostDeviceIsNotAtOnce) {
  Halts halts{kGrace};
  (void)halts.stop(false, kMorning);
  (void)halts.stop(false, kMorning + 100ms);
  EXPECT_EQ(halts.next_step(kMorning + 200ms), Halts::Step::none);
}

TEST(Halts, AStopEndsAPause) {
  Halts halts{kGrace};
  (void)halts.pause(kMorning);
  const Halts::Stop stop = halts.stop(false, kMorning + 1s);
  EXPECT_TRUE(stop.first && stop.was_paused);
  EXPECT_FALSE(halts.paused());
}

}  // namespace
}  // namespace weir::jobs

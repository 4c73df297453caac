#include "jobs/seats.hpp"

#include <gtest/gtest.h>

#include "jobs/parts_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kStart;
using test::made_up_device;
using test::made_up_estimate;

class SeatsTest : public ::testing::Test {
 protected:
  static Seat& seat(Seats& seats, std::size_t number) { return *(seats.begin() + static_cast<std::ptrdiff_t>(number)); }
  Seat& first() { return seat(seats_, 0); }
  Seat& second() { return seat(seats_, 1); }
  /// The seat has a worker that has done so much in so many seconds.
  static void work(Seat& seat, double cost, double spent) {
    seat.take(7, kStart);
    seat.set_ready(kStart);
    seat.count_done(cost, spent, 1);
  }

  std::vector<WorkerDevice> devices_{made_up_device("one"), made_up_device("two")};
  Seats seats_{devices_};
};

TEST_F(SeatsTest, ASeatIsFreeOnceItsWorkerHasProvedItsDevice) {
  EXPECT_FALSE(first().free());
  EXPECT_FALSE(seats_.any_worker());
  first().take(7, kStart);
  EXPECT_FALSE(first().free());
  first().set_ready(kStart);
  EXPECT_TRUE(first().free() && seats_.any_worker() && !seats_.any_busy());
  first().give(3, made_up_estimate(10), kStart);
  EXPECT_TRUE(!first().free() && seats_.any_busy() && seats_.any_measuring());
  EXPECT_FALSE(first().running());
  const auto job = first().leave();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->number, 3u);
  EXPECT_TRUE(!first().free() && !seats_.any_worker() && !seats_.any_busy());
}

TEST_F(SeatsTest, ANewWorkerStartsWithoutTheHistoryOfTheOld) {
  work(first(), 100, 10);
  for (int i = 0; i < 5; ++i) first().finish(1, 1_GiB * static_cast<std::uint64_t>(i), {}, kStart);
  EXPECT_TRUE(first().growth.is_leak());
  EXPECT_EQ(first().items_of_worker, 5u);
  first().killed_why = "was killed";
  first().take(8, kStart);
  EXPECT_FALSE(first().growth.is_leak());
  EXPECT_EQ(first().items_of_worker, 0u);
  EXPECT_EQ(first().killed_why, "");
  EXPECT_EQ(seats_.speed_of(first()), 10) << "the device is as fast as it was";
  EXPECT_EQ(first().totals.items, 1u);
}

TEST_F(SeatsTest, TheSpeedIsThatOfAllSeatsOnTheDevice) {
  EXPECT_EQ(seats_.speed_of(first()), 0);
  work(first(), 100, 10);
  work(second(), 100, 30);
  EXPECT_EQ(seats_.speed_of(first()), 10);
  second().identity = first().identity;
  EXPECT_EQ(seats_.speed_of(first()), 5);
}

TEST_F(SeatsTest, ASequentialRunHasTheFirstDeviceThatIsLeft) {
  for (const unsigned item : {1U, 2U, 3U}) (void)seats_.fallback().died(item, kStart);
  EXPECT_TRUE(seats_.is_active(first()) && !seats_.is_active(second()));
  EXPECT_LT(seats_.paces(kStart)[1].speed, 1e-200);
  first().lost = true;
  EXPECT_TRUE(!seats_.is_active(first()) && seats_.is_active(second()));
  EXPECT_FALSE(seats_.all_lost());
  second().lost = true;
  EXPECT_TRUE(seats_.all_lost());
}

TEST_F(SeatsTest, WhatIsExpectedGoesByTheSpeedAndBeforeByTheEstimate) {
  Estimate estimate = made_up_estimate(100);
  estimate.seconds = 60;
  first().give(0, estimate, kStart, 1_MiB);
  EXPECT_EQ(seats_.expected_s(first()), 60);
  EXPECT_FALSE(seats_.seconds_left(0));
  first().count_done(100, 10, 1);
  EXPECT_EQ(seats_.expected_s(first()), 10);
  EXPECT_EQ(seats_.paces(kStart + 4s)[0].busy_s, 6);
  EXPECT_EQ(seats_.paces(kStart + 40s)[0].busy_s, 0);
  first().job->fraction = 0.5;
  EXPECT_EQ(seats_.seconds_left(50), 10);
}

TEST_F(SeatsTest, TimeThatAWorkerStoodStillIsNoWork) {
  first().take(7, kStart);
  first().give(0, made_up_estimate(100), kStart, 1_MiB);
  first().shift(30s, kStart + 31s);
  EXPECT_EQ(first().started, kStart + 30s);
  EXPECT_EQ(first().job->since, kStart + 30s);
  EXPECT_EQ(first().job->last_sign, kStart + 31s);
}

TEST_F(SeatsTest, TheRoomIsLessWhatOthersWerePromised) {
  first().rss = 100_MiB;
  second().give(1, made_up_estimate(1, 5_MiB), kStart, 300_MiB);
  second().rss = 50_MiB;
  const Room room = seats_.room_for(first(), kStart);
  EXPECT_EQ(room.free, 1_GiB + 100_MiB);
  EXPECT_EQ(room.promised, 250_MiB);
  EXPECT_EQ(room.margin, 32_MiB);
  EXPECT_EQ(seats_.running_output(), 5_MiB);
  devices_[1].memory = "its own";
  EXPECT_EQ(seats_.room_for(first(), kStart).promised, Bytes{});
}

TEST_F(SeatsTest, TheDeviceIsAskedTenTimesASecondAndWhenAWorkerHasGrown) {
  int asked = 0;
  devices_[0].free_memory = [&] {
    ++asked;
    return 1_GiB;
  };
  (void)seats_.room_for(first(), kStart);
  (void)seats_.room_for(first(), kStart + 99ms);
  EXPECT_EQ(asked, 1);
  (void)seats_.room_for(first(), kStart + 100ms);
  EXPECT_EQ(asked, 2);
  seats_.set_rss(second(), 1_MiB);
  (void)seats_.room_for(first(), kStart + 101ms);
  EXPECT_EQ(asked, 2);
  seats_.set_rss(second(), 3_MiB);
  (void)seats_.room_for(first(), kStart + 102ms);
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace weir::jobs

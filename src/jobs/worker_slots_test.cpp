#include "jobs/worker_slots.hpp"

#include <gtest/gtest.h>

#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kTestStart;
using test::made_up_device;
using test::made_up_estimate;

class WorkerSlotsTest : public ::testing::Test {
 protected:
  static WorkerSlot& slot(WorkerSlots& slots, std::size_t number) {
    return *(slots.begin() + static_cast<std::ptrdiff_t>(number));
  }
  WorkerSlot& first() { return slot(slots_, 0); }
  WorkerSlot& second() { return slot(slots_, 1); }
  /// Gives the slot a worker that has done an item with this cost in this time.
  static void add_worker_with_done_item(WorkerSlot& slot, double cost, double seconds) {
    slot.set_worker(7, kTestStart);
    slot.set_ready(kTestStart);
    slot.count_success("fake", cost, seconds, 1);
  }
  double speed_of(const WorkerSlot& slot) const { return slots_.speed_of(slot, "fake", kTestStart); }

  std::vector<WorkerDevice> devices_{made_up_device("one"), made_up_device("two")};
  WorkerSlots slots_{devices_};
};

TEST_F(WorkerSlotsTest, ASlotIsFreeOnceItsWorkerIsReady) {
  EXPECT_FALSE(first().is_free());
  EXPECT_FALSE(slots_.has_worker());
  first().set_worker(7, kTestStart);
  EXPECT_FALSE(first().is_free());
  first().set_ready(kTestStart);
  EXPECT_TRUE(first().is_free() && slots_.has_worker() && !slots_.has_busy_worker());
  first().assign_job(3, "fake", made_up_estimate(10), kTestStart);
  EXPECT_TRUE(!first().is_free() && slots_.has_busy_worker() && slots_.is_estimating());
  EXPECT_FALSE(first().is_running());
  const auto job = first().remove_worker();
  ASSERT_TRUE(job);
  EXPECT_EQ(job->item, 3u);
  EXPECT_TRUE(!first().is_free() && !slots_.has_worker() && !slots_.has_busy_worker());
}

TEST_F(WorkerSlotsTest, ANewWorkerStartsWithoutTheHistoryOfTheOld) {
  add_worker_with_done_item(first(), 100, 10);
  for (int i = 0; i < 5; ++i) first().finish_attempt(1, 1_GiB * static_cast<std::uint64_t>(i), {}, kTestStart);
  EXPECT_TRUE(first().growth.is_leak());
  EXPECT_EQ(first().finished_attempts, 5u);
  first().kill_reason = "was killed";
  first().set_worker(8, kTestStart);
  EXPECT_FALSE(first().growth.is_leak());
  EXPECT_EQ(first().finished_attempts, 0u);
  EXPECT_EQ(first().kill_reason, "");
  EXPECT_EQ(speed_of(first()), 10) << "the device is as fast as it was";
  EXPECT_EQ(first().totals.items, 1u);
}

TEST_F(WorkerSlotsTest, TheSpeedIsThatOfAllSlotsOnTheDevice) {
  EXPECT_EQ(speed_of(first()), 0);
  add_worker_with_done_item(first(), 100, 10);
  add_worker_with_done_item(second(), 100, 30);
  EXPECT_EQ(speed_of(first()), 10);
  second().identity = first().identity;
  EXPECT_EQ(speed_of(first()), 5);
}

TEST_F(WorkerSlotsTest, ASequentialRunUsesTheFirstDeviceThatIsLeft) {
  for (const unsigned item : {1U, 2U, 3U}) (void)slots_.sequential_fallback().record_failure(item, kTestStart);
  EXPECT_TRUE(slots_.is_active(first()) && !slots_.is_active(second()));
  EXPECT_LT(slots_.device_loads("fake", kTestStart)[1].speed, 1e-200);
  first().lost = true;
  EXPECT_TRUE(!slots_.is_active(first()) && slots_.is_active(second()));
  EXPECT_FALSE(slots_.are_all_lost());
  second().lost = true;
  EXPECT_TRUE(slots_.are_all_lost());
}

TEST_F(WorkerSlotsTest, TheExpectedTimeComesFromTheSpeedOrElseTheEstimate) {
  Estimate estimate = made_up_estimate(100);
  estimate.seconds = 60;
  first().assign_job(0, "fake", estimate, kTestStart, 1_MiB);
  EXPECT_EQ(slots_.expected_s(first()), 60);
  EXPECT_FALSE(slots_.remaining_s({}, kTestStart));
  first().count_success("fake", 100, 10, 1);
  EXPECT_EQ(slots_.expected_s(first()), 10);
  EXPECT_EQ(slots_.device_loads("fake", kTestStart + 4s)[0].busy_s, 6);
  EXPECT_EQ(slots_.device_loads("fake", kTestStart + 40s)[0].busy_s, 0);
  first().job->fraction = 0.5;
  EXPECT_EQ(slots_.remaining_s({{"fake", 50}}, kTestStart), 10);
}

TEST_F(WorkerSlotsTest, SpeedsAreMeasuredForEachKindOfItem) {
  add_worker_with_done_item(first(), 100, 10);
  first().count_success("index", 1, 60, 0);
  EXPECT_EQ(speed_of(first()), 10) << "the index does not count";
  EXPECT_EQ(slots_.remaining_s({{"fake", 50}, {"index", 2}}, kTestStart), 5 + 120);
  EXPECT_FALSE(slots_.remaining_s({{"fake", 50}, {"sum", 1}}, kTestStart)) << "no sum was measured";
}

TEST_F(WorkerSlotsTest, BeforeAnItemIsDoneTheSpeedIsThatOfTheRunningItem) {
  first().assign_job(0, "fake", made_up_estimate(100), kTestStart, 1_MiB);
  EXPECT_FALSE(slots_.remaining_s({{"fake", 300}}, kTestStart + 5s));
  first().set_progress(0.25, 1, kTestStart + 5s);
  EXPECT_EQ(slots_.speed_of(first(), "fake", kTestStart + 5s), 5);
  EXPECT_EQ(slots_.remaining_s({{"fake", 300}}, kTestStart + 5s), 75);
  EXPECT_EQ(slots_.device_loads("fake", kTestStart + 5s)[0].busy_s, 15);
  EXPECT_EQ(first().speed_meter.per_second(kTestStart + 5s), 0.2);
}

TEST_F(WorkerSlotsTest, ARunningItemIsNotSharedWithOtherDevices) {
  add_worker_with_done_item(first(), 100, 10);
  add_worker_with_done_item(second(), 100, 10);
  first().assign_job(0, "fake", made_up_estimate(100), kTestStart, 1_MiB);
  EXPECT_EQ(slots_.remaining_s({}, kTestStart), 10);
  EXPECT_EQ(slots_.remaining_s({{"fake", 300}}, kTestStart), 20);
}

TEST_F(WorkerSlotsTest, APauseDoesNotCountAsWork) {
  first().set_worker(7, kTestStart);
  first().assign_job(0, "fake", made_up_estimate(100), kTestStart, 1_MiB);
  first().exclude_pause(30s, kTestStart + 31s);
  EXPECT_EQ(first().started, kTestStart + 30s);
  EXPECT_EQ(first().job->start, kTestStart + 30s);
  EXPECT_EQ(first().job->last_heartbeat, kTestStart + 31s);
}

TEST_F(WorkerSlotsTest, MemoryReservedByOthersIsNotAvailable) {
  first().rss = 100_MiB;
  second().assign_job(1, "fake", made_up_estimate(1, 5_MiB), kTestStart, 300_MiB);
  second().rss = 50_MiB;
  const MemoryAvailability memory = slots_.memory_availability(first(), kTestStart);
  EXPECT_EQ(memory.free, 1_GiB + 100_MiB);
  EXPECT_EQ(memory.reserved, 250_MiB);
  EXPECT_EQ(memory.margin, 32_MiB);
  EXPECT_EQ(slots_.running_output(), 5_MiB);
  devices_[1].memory_name = "its own";
  EXPECT_EQ(slots_.memory_availability(first(), kTestStart).reserved, Bytes{});
}

/// The device has 1 GiB; 600 MiB of it are the other item's, which first reserves and then allocates them.
TEST_F(WorkerSlotsTest, AnItemWaitsForTheMemoryThatARunningItemHasAllocated) {
  Bytes free = 1_GiB;
  devices_[0].free_memory = [&] { return free; };
  second().assign_job(1, "fake", made_up_estimate(1), kTestStart, 600_MiB);
  EXPECT_EQ(admit_memory(500_MiB, slots_.memory_availability(first(), kTestStart)), Admission::wait);
  free = 1_GiB - 600_MiB;
  slots_.set_rss(second(), 600_MiB);
  EXPECT_EQ(admit_memory(500_MiB, slots_.memory_availability(first(), kTestStart)), Admission::wait);
  EXPECT_EQ(admit_memory(1_GiB, slots_.memory_availability(first(), kTestStart)), Admission::does_not_fit);
  second().job.reset();
  EXPECT_EQ(admit_memory(500_MiB, slots_.memory_availability(first(), kTestStart)), Admission::does_not_fit);
}

TEST_F(WorkerSlotsTest, FreeMemoryIsReadTenTimesASecondAndWhenAWorkerHasGrown) {
  int asked = 0;
  devices_[0].free_memory = [&] {
    ++asked;
    return 1_GiB;
  };
  (void)slots_.memory_availability(first(), kTestStart);
  (void)slots_.memory_availability(first(), kTestStart + 99ms);
  EXPECT_EQ(asked, 1);
  (void)slots_.memory_availability(first(), kTestStart + 100ms);
  EXPECT_EQ(asked, 2);
  slots_.set_rss(second(), 1_MiB);
  (void)slots_.memory_availability(first(), kTestStart + 101ms);
  EXPECT_EQ(asked, 2);
  slots_.set_rss(second(), 3_MiB);
  (void)slots_.memory_availability(first(), kTestStart + 102ms);
  EXPECT_EQ(asked, 3);
}

}  // namespace
}  // namespace weir::jobs

#include "jobs/run_queue.hpp"

#include <gtest/gtest.h>

#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kTestStart;

class RunQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const ItemNumber number : {0U, 1U, 2U, 3U})
      list_.set_estimate(number, test::made_up_estimate(10.0 * (number + 1), 1_MiB * (number + 1)));
  }
  std::optional<ItemNumber> take() { return queue_.take(one_device_, 0); }
  double waiting_cost() const { return queue_.waiting_costs().value_or(KindCosts{}).at("fake"); }

  std::vector<Item> items_ = test::made_up_items(4);
  Worklist list_{items_, {}};
  RunQueue queue_{list_};
  std::vector<DeviceLoad> one_device_{1};
};

TEST_F(RunQueueTest, ItemsAreEstimatedInOrderAndRepeatedEstimatesComeFirst) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.take_unestimated());
  queue_.add_unestimated(0);
  queue_.add_unestimated(1);
  queue_.estimate_again(2);
  EXPECT_EQ(queue_.count_without_disk_waits(), 3u);
  EXPECT_EQ(queue_.take_unestimated(), 2u);
  EXPECT_EQ(queue_.take_unestimated(), 0u);
  EXPECT_TRUE(queue_.has_unestimated());
}

TEST_F(RunQueueTest, TheSumsCountTheItemsThatWaitForADevice) {
  queue_.add(0);
  queue_.add(2);
  EXPECT_EQ(waiting_cost(), 40);
  EXPECT_EQ(queue_.waiting_output(), 4_MiB);
  EXPECT_EQ(take(), 2u) << "the largest first";
  EXPECT_EQ(waiting_cost(), 10);
  EXPECT_EQ(queue_.waiting_output(), 1_MiB);
  EXPECT_EQ(take(), 0u);
  EXPECT_FALSE(take());
  EXPECT_EQ(waiting_cost(), 0);
  EXPECT_EQ(queue_.waiting_output(), Bytes{});
}

TEST_F(RunQueueTest, AnItemWithoutAnEstimateCountsAsTheAverage) {
  queue_.add_unestimated(3);
  EXPECT_FALSE(queue_.waiting_costs());
  queue_.add(0);
  queue_.add(2);
  EXPECT_EQ(waiting_cost(), 10 + 30 + 20);
  EXPECT_EQ(take(), 2u);
  EXPECT_EQ(waiting_cost(), 10 + 20);
}

TEST_F(RunQueueTest, ItemsThatGoFirstAreTakenBeforeLargerOnesInTheOrderOfTheWorklist) {
  list_.set_goes_first(0);
  list_.set_goes_first(1);
  for (const ItemNumber number : {3U, 1U, 0U}) queue_.add_unestimated(number);
  for (const ItemNumber number : {0U, 1U, 3U}) EXPECT_EQ(queue_.take_unestimated(), number);
  for (const ItemNumber number : {3U, 1U, 0U}) queue_.add(number);
  EXPECT_EQ(queue_.count_without_disk_waits(), 3u);
  for (const ItemNumber number : {0U, 1U, 3U}) EXPECT_EQ(take(), number);
  EXPECT_FALSE(queue_.has_ready());
}

TEST_F(RunQueueTest, ADelayedItemIsReleasedAfterItsDelay) {
  queue_.add_delayed(1, kTestStart + 4s);
  queue_.add_delayed(0, kTestStart + 1s);
  EXPECT_FALSE(queue_.empty());
  queue_.release_delayed(kTestStart);
  EXPECT_FALSE(take());
  queue_.release_delayed(kTestStart + 1s);
  EXPECT_EQ(take(), 0u);
  EXPECT_EQ(queue_.count_without_disk_waits(), 1u);
  queue_.release_delayed(kTestStart + 9s);
  EXPECT_EQ(take(), 1u);
}

TEST_F(RunQueueTest, TheQueueWaitsForTheDiskOnceNothingElseWaits) {
  EXPECT_FALSE(queue_.waits_only_for_disk());
  queue_.add_waiting_for_disk(3);
  queue_.add_waiting_for_disk(2);
  queue_.add(0);
  EXPECT_FALSE(queue_.waits_only_for_disk()) << "an item waits for a device";
  EXPECT_EQ(queue_.count_without_disk_waits(), 1u);
  EXPECT_EQ(take(), 0u);
  EXPECT_TRUE(queue_.waits_only_for_disk());
  EXPECT_FALSE(queue_.empty());
  EXPECT_EQ(queue_.waiting_for_disk().front(), 3u);
  queue_.release_waiting_for_disk();
  EXPECT_FALSE(queue_.waits_only_for_disk());
  EXPECT_EQ(take(), 3u);
  EXPECT_EQ(take(), 2u);
}

}  // namespace
}  // namespace weir::jobs

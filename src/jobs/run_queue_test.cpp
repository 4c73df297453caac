#include "jobs/run_queue.hpp"

#include <gtest/gtest.h>

#include "jobs/parts_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kStart;

class RunQueueTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (const ItemNumber number : {0U, 1U, 2U, 3U})
      list_.set_estimate(number, test::made_up_estimate(10.0 * (number + 1), 1_MiB * (number + 1)));
  }
  std::optional<ItemNumber> take() { return queue_.take(one_, 0); }

  std::vector<Item> items_ = test::made_up_items(4);
  Worklist list_{items_, {}};
  RunQueue queue_{list_};
  std::vector<Pace> one_{1};
};

TEST_F(RunQueueTest, ItemsAreMeasuredInTheirOrderAndAgainBeforeAllOthers) {
  EXPECT_TRUE(queue_.empty());
  EXPECT_FALSE(queue_.take_unmeasured());
  queue_.add_unmeasured(0);
  queue_.add_unmeasured(1);
  queue_.measure_again(2);
  EXPECT_EQ(queue_.size(), 3u);
  EXPECT_EQ(queue_.take_unmeasured(), 2u);
  EXPECT_EQ(queue_.take_unmeasured(), 0u);
  EXPECT_TRUE(queue_.has_unmeasured());
}

TEST_F(RunQueueTest, TheSumsAreOfThoseThatWaitForADevice) {
  queue_.add(0);
  queue_.add(2);
  EXPECT_EQ(queue_.cost(), 40);
  EXPECT_EQ(queue_.output(), 4_MiB);
  EXPECT_EQ(take(), 2u) << "the largest first";
  EXPECT_EQ(queue_.cost(), 10);
  EXPECT_EQ(queue_.output(), 1_MiB);
  EXPECT_EQ(take(), 0u);
  EXPECT_FALSE(take());
  EXPECT_EQ(queue_.cost(), 0);
  EXPECT_EQ(queue_.output(), Bytes{});
}

TEST_F(RunQueueTest, ADelayedItemComesWhenItsTimeHasCome) {
  queue_.add_delayed(1, kStart + 4s);
  queue_.add_delayed(0, kStart + 1s);
  EXPECT_FALSE(queue_.empty());
  queue_.release_delayed(kStart);
  EXPECT_FALSE(take());
  queue_.release_delayed(kStart + 1s);
  EXPECT_EQ(take(), 0u);
  EXPECT_EQ(queue_.size(), 1u);
  queue_.release_delayed(kStart + 9s);
  EXPECT_EQ(take(), 1u);
}

TEST_F(RunQueueTest, RoomIsNeededOnceNothingElseWaits) {
  EXPECT_FALSE(queue_.needs_room());
  queue_.add_without_room(3);
  queue_.add_without_room(2);
  queue_.add(0);
  EXPECT_FALSE(queue_.needs_room()) << "what fits goes first";
  EXPECT_EQ(queue_.size(), 1u);
  EXPECT_EQ(take(), 0u);
  EXPECT_TRUE(queue_.needs_room());
  EXPECT_FALSE(queue_.empty());
  EXPECT_EQ(queue_.without_room().front(), 3u);
  queue_.release_without_room();
  EXPECT_FALSE(queue_.needs_room());
  EXPECT_EQ(take(), 3u);
  EXPECT_EQ(take(), 2u);
}

}  // namespace
}  // namespace weir::jobs

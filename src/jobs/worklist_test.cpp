#include "jobs/worklist.hpp"

#include <gtest/gtest.h>

#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using test::made_up_estimate;

class WorklistTest : public ::testing::Test {
 protected:
  std::vector<Item> items_ = test::made_up_items(3);
  Worklist list_{items_, {}};
};

TEST_F(WorklistTest, AnItemEndsOnceAndAnInterruptedOneCountsAsRemaining) {
  EXPECT_EQ(list_.remaining(), 3u);
  EXPECT_TRUE(list_.mark_ended(0, ItemStatus::done));
  EXPECT_FALSE(list_.mark_ended(0, ItemStatus::failed));
  EXPECT_TRUE(list_.mark_ended(1, ItemStatus::interrupted));
  EXPECT_EQ(list_.remaining(), 2u);
  EXPECT_TRUE(list_[1].is_ended);
}

TEST_F(WorklistTest, VariantsAreTriedOneByOneToTheLast) {
  EXPECT_EQ(list_.variant_name(0), "") << "no worker has sent the names";
  EXPECT_FALSE(list_.use_smaller_variant(0));
  list_.set_variant_names({"large", "middle", "small"});
  list_.set_variant_names({"other"});
  EXPECT_EQ(list_.variant_name(0), "large");
  EXPECT_TRUE(list_.use_smaller_variant(0));
  EXPECT_EQ(list_.make_result(0).variant, "middle");
  EXPECT_TRUE(list_.use_smaller_variant(0));
  EXPECT_FALSE(list_.use_smaller_variant(0));
  EXPECT_EQ(list_.make_result(1).variant, "") << "the first variant is not reported";
  EXPECT_TRUE(list_.use_variant(1, 2));
  EXPECT_FALSE(list_.use_variant(1, 1)) << "a larger variant";
  EXPECT_FALSE(list_.use_variant(2, 3));
}

TEST_F(WorklistTest, ARedoneItemHasItsReason) {
  Decision again;
  again.replace = true;
  again.why = "the output is gone";
  list_.set_decision(0, again);
  EXPECT_TRUE(list_[0].replaces_output);
  EXPECT_TRUE(list_.make_result(0).redone);
  EXPECT_EQ(list_.make_result(0).why, "the output is gone");
  Decision first;
  first.why = "no result yet";
  list_.set_decision(1, first);
  EXPECT_FALSE(list_.make_result(1).redone);
  EXPECT_EQ(list_.make_result(1).why, "");
}

TEST_F(WorklistTest, AFullDiskCostsNoAttemptAndRaisesTheExpectedOutput) {
  list_.set_estimate(0, made_up_estimate(1, 100_MiB));
  list_.count_attempt(0);
  list_.cancel_attempt_for_disk(0, 10_MiB);
  EXPECT_EQ(list_[0].attempts, 0);
  EXPECT_EQ(list_[0].estimate.output, 125_MiB);
  list_.count_attempt(0);
  list_.cancel_attempt_for_disk(0, 200_MiB);
  EXPECT_EQ(list_[0].estimate.output, 201_MiB) << "more than the free space";
}

TEST_F(WorklistTest, ANeedIsLearnedForTheSameVariantSizeAndDevice) {
  list_.set_variant_names({"large", "small"});
  for (const ItemNumber number : {0U, 1U, 2U}) list_.set_estimate(number, made_up_estimate(1, {}, 100_MiB));
  EXPECT_EQ(list_.memory_need(0, "gpu"), 100_MiB);
  list_.record_memory_shortage(0, "gpu");
  EXPECT_EQ(list_.memory_need(0, "gpu"), 125_MiB);
  EXPECT_EQ(list_.memory_need(1, "gpu"), 125_MiB);
  EXPECT_EQ(list_.memory_need(1, "cpu"), 100_MiB);
  list_.use_smaller_variant(2);
  EXPECT_EQ(list_.memory_need(2, "gpu"), 100_MiB);
}

}  // namespace
}  // namespace weir::jobs

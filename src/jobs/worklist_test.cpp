#include "jobs/worklist.hpp"

#include <gtest/gtest.h>

#include "jobs/parts_test.hpp"

namespace weir::jobs {
namespace {

using test::made_up_estimate;

class WorklistTest : public ::testing::Test {
 protected:
  std::vector<Item> items_ = test::made_up_items(3);
  Worklist list_{items_, {}};
};

TEST_F(WorklistTest, AnItemEndsOnceAndAnInterruptedOneRemains) {
  EXPECT_EQ(list_.remaining(), 3u);
  EXPECT_TRUE(list_.end(0, ItemStatus::done));
  EXPECT_FALSE(list_.end(0, ItemStatus::failed));
  EXPECT_TRUE(list_.end(1, ItemStatus::interrupted));
  EXPECT_EQ(list_.remaining(), 2u);
  EXPECT_TRUE(list_[1].ended);
}

TEST_F(WorklistTest, VariantsAreTriedOneByOneToTheLast) {
  EXPECT_EQ(list_.variant_of(0), "") << "no worker has named them";
  EXPECT_FALSE(list_.lower(0));
  list_.name_variants({"large", "middle", "small"});
  list_.name_variants({"other"});
  EXPECT_EQ(list_.variant_of(0), "large");
  EXPECT_TRUE(list_.lower(0));
  EXPECT_EQ(list_.end_of(0).variant, "middle");
  EXPECT_TRUE(list_.lower(0));
  EXPECT_FALSE(list_.lower(0));
  EXPECT_EQ(list_.end_of(1).variant, "") << "the first is not named";
  EXPECT_TRUE(list_.lower_to(1, 2));
  EXPECT_FALSE(list_.lower_to(1, 1)) << "never up";
  EXPECT_FALSE(list_.lower_to(2, 3));
}

TEST_F(WorklistTest, WhatIsDoneAgainKnowsWhy) {
  Decision again;
  again.replace = true;
  again.why = "the output is gone";
  list_.set_decision(0, again);
  EXPECT_TRUE(list_[0].replace);
  EXPECT_TRUE(list_.end_of(0).redone);
  EXPECT_EQ(list_.end_of(0).why, "the output is gone");
  Decision first;
  first.why = "no result yet";
  list_.set_decision(1, first);
  EXPECT_FALSE(list_.end_of(1).redone);
  EXPECT_EQ(list_.end_of(1).why, "");
}

TEST_F(WorklistTest, AFullDiskTakesNoAttemptAndRaisesWhatIsExpected) {
  list_.set_estimate(0, made_up_estimate(1, 100_MiB));
  list_.count_attempt(0);
  list_.take_back_attempt(0, 10_MiB);
  EXPECT_EQ(list_[0].attempts, 0);
  EXPECT_EQ(list_[0].estimate.output, 125_MiB);
  list_.count_attempt(0);
  list_.take_back_attempt(0, 200_MiB);
  EXPECT_EQ(list_[0].estimate.output, 201_MiB) << "more than there was";
}

TEST_F(WorklistTest, ANeedIsLearnedForTheSameVariantSizeAndDevice) {
  list_.name_variants({"large", "small"});
  for (const ItemNumber number : {0U, 1U, 2U}) list_.set_estimate(number, made_up_estimate(1, {}, 100_MiB));
  EXPECT_EQ(list_.need(0, "gpu"), 100_MiB);
  list_.learn_need(0, "gpu");
  EXPECT_EQ(list_.need(0, "gpu"), 125_MiB);
  EXPECT_EQ(list_.need(1, "gpu"), 125_MiB);
  EXPECT_EQ(list_.need(1, "cpu"), 100_MiB);
  list_.lower(2);
  EXPECT_EQ(list_.need(2, "gpu"), 100_MiB);
}

}  // namespace
}  // namespace weir::jobs

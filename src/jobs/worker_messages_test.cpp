#include "jobs/worker_messages.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

TEST(WorkerMessages, AnEstimateIsUnchangedAfterConversionToJsonAndBack) {
  const Estimate sent{.cost = 2.5,
                      .seconds = 3,
                      .ram = 4_MiB,
                      .device = 5_MiB,
                      .output = 6_MiB,
                      .input_size = "7x8",
                      .compute_config = {"cpu", "int16", "", "avx2"}};
  const Estimate got = estimate_from_json(to_json(sent));
  EXPECT_EQ(got.cost, sent.cost);
  EXPECT_EQ(got.seconds, sent.seconds);
  EXPECT_EQ(got.ram, sent.ram);
  EXPECT_EQ(got.device, sent.device);
  EXPECT_EQ(got.output, sent.output);
  EXPECT_EQ(got.input_size, sent.input_size);
  EXPECT_EQ(got.compute_config, sent.compute_config);
}

TEST(WorkerMessages, AResultKeepsItsFieldsAndAddsThoseOfTheMessage) {
  ItemResult known;
  known.number = 4;
  known.variant = "small";
  const ItemResult good = read_item_result(
      known,
      {{"amount", 2}, {"total_s", 3}, {"notes", {"a", 1, "b"}}, {"seconds", {{"decode", 2}, {"encode", "much"}}}});
  EXPECT_EQ(good.number, 4u);
  EXPECT_EQ(good.variant, "small");
  EXPECT_EQ(good.amount, 2);
  EXPECT_EQ(good.seconds, 3);
  EXPECT_EQ(good.stage_seconds, (std::map<std::string, double>{{"decode", 2}}));
  EXPECT_EQ(good.notes, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(good.error);
  const ItemResult bad =
      read_item_result(known, {{"error", to_json(Error{Errc::corrupt, "cut"})}, {"internal_error", true}});
  ASSERT_TRUE(bad.error);
  EXPECT_EQ(bad.error->code, Errc::corrupt);
  EXPECT_TRUE(bad.internal_error);
}

TEST(WorkerMessages, InvalidFieldsReadAsEmpty) {
  const Estimate estimate = estimate_from_json({{"cost", "much"}, {"ram", -1}, {"compute_config", 3}});
  EXPECT_EQ(estimate.cost, 0);
  EXPECT_EQ(estimate.ram, Bytes{});
  EXPECT_TRUE(text_list_field({{"variants", "large"}}, "variants").empty());
}

}  // namespace
}  // namespace weir::jobs

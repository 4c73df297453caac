#include "jobs/worker_messages.hpp"

#include <gtest/gtest.h>

namespace weir::jobs {
namespace {

TEST(WorkerMessages, AnEstimateComesBackAsItWas) {
  const Estimate sent{.cost = 2.5,
                      .seconds = 3,
                      .ram = 4_MiB,
                      .device = 5_MiB,
                      .output = 6_MiB,
                      .size = "7x8",
                      .pixels = {"cpu", "int16", "", "avx2"}};
  const Estimate got = estimate_of(to_json(sent));
  EXPECT_EQ(got.cost, sent.cost);
  EXPECT_EQ(got.seconds, sent.seconds);
  EXPECT_EQ(got.ram, sent.ram);
  EXPECT_EQ(got.device, sent.device);
  EXPECT_EQ(got.output, sent.output);
  EXPECT_EQ(got.size, sent.size);
  EXPECT_EQ(got.pixels, sent.pixels);
}

TEST(WorkerMessages, AnEndKeepsWhatWasKnownAndTakesWhatTheTryTells) {
  ItemEnd known;
  known.number = 4;
  known.variant = "small";
  const ItemEnd good = read_end(known, {{"amount", 2}, {"total_s", 3}, {"notes", {"a", 1, "b"}}});
  EXPECT_EQ(good.number, 4u);
  EXPECT_EQ(good.variant, "small");
  EXPECT_EQ(good.amount, 2);
  EXPECT_EQ(good.seconds, 3);
  EXPECT_EQ(good.notes, (std::vector<std::string>{"a", "b"}));
  EXPECT_FALSE(good.error);
  const ItemEnd bad = read_end(known, {{"error", to_json(Error{Errc::corrupt, "cut"})}, {"fault", true}});
  ASSERT_TRUE(bad.error);
  EXPECT_EQ(bad.error->code, Errc::corrupt);
  EXPECT_TRUE(bad.fault);
}

TEST(WorkerMessages, NonsenseCountsAsNothing) {
  const Estimate estimate = estimate_of({{"cost", "much"}, {"ram", -1}, {"pixels", 3}});
  EXPECT_EQ(estimate.cost, 0);
  EXPECT_EQ(estimate.ram, Bytes{});
  EXPECT_TRUE(texts_of({{"variants", "large"}}, "variants").empty());
}

}  // namespace
}  // namespace weir::jobs

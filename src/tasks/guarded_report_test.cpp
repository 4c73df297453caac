#include "tasks/guarded_report.hpp"

#include <gtest/gtest.h>

namespace weir::tasks {
namespace {

TEST(GuardedReport, UnmeasuredValuesAreNull) {
  GuardedResult result;
  auto json = to_json(result);
  EXPECT_TRUE(json["device_peak_bytes"].is_null());
  EXPECT_EQ(json["samples"], 0);
  result.device_measured = true;
  json = to_json(result);
  EXPECT_EQ(json["device_peak_bytes"], 0);
}

TEST(GuardedReport, ARefusedCommandHasNoStatus) {
  GuardedResult result;
  EXPECT_EQ(to_json(result)["status"], 0);
  result.refused = true;
  EXPECT_TRUE(to_json(result)["status"].is_null()) << "0 would mean that the command succeeded";
}

}  // namespace
}  // namespace weir::tasks

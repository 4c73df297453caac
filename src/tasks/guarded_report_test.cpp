#include "tasks/guarded_report.hpp"

#include <gtest/gtest.h>

namespace weir::tasks {
namespace {

TEST(GuardedReport, WhatWasNotMeasuredIsNull) {
  GuardedEnd end;
  auto json = to_json(end);
  EXPECT_TRUE(json["device_peak_bytes"].is_null());
  EXPECT_EQ(json["samples"], 0);
  end.device_measured = true;
  json = to_json(end);
  EXPECT_EQ(json["device_peak_bytes"], 0);
}

TEST(GuardedReport, WhatWasRefusedHasNoStatus) {
  GuardedEnd end;
  EXPECT_EQ(to_json(end)["status"], 0);
  end.refused = true;
  EXPECT_TRUE(to_json(end)["status"].is_null()) << "0 would be that of a command that ended well";
}

}  // namespace
}  // namespace weir::tasks

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

}  // namespace
}  // namespace weir::tasks

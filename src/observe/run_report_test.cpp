#include "observe/run_report.hpp"

#include <gtest/gtest.h>

#include <sstream>

namespace weir::observe {
namespace {

constexpr char kEvents[] =
    R"({"time":"2026-11-21T14:00:00.000Z","level":"info","event":"run_start","pid":1,"items":9}
{"time":"2026-11-21T15:00:00.000Z","level":"info","event":"run_start","pid":2,"items":3}
{"time":"2026-11-21T15:00:01.000Z","level":"info","event":"item_start","pid":2,"item":"a<b.png","device":"cpu:0"}
{"time":"2026-11-21T15:00:02.500Z","level":"info","event":"item_done","pid":2,"item":"a<b.png","device":"cpu:0","variant":""}
{"time":"2026-11-21T15:00:02.500Z","level":"debug","event":"memory","pid":2,"device":"cpu:0","rss":1048576,"coordinator_rss":9}
{"time":"2026-11-21T15:00:03.000Z","level":"info","event":"item_start","pid":2,"item":"c.png","device":"cpu:1"}
{"time":"2026-11-21T15:00:04.000Z","level":"error","event":"item_failed","pid":2,"item":"c.png","device":"cpu:1","error":{"code":"corrupt","what":"cut \"off\""}}
{"time":"2026-11-21T15:00:05.000Z","level":"info","event":"item_start","pid":2,"item":"d.png","device":"cpu:1"}
not a line
{"time":"2026-11-21T15:00:06.000Z","level":"info","event":"item_st)";

TEST(RunReport, ContainsTheLastRun) {
  std::istringstream lines{kEvents};
  const RunReport report = read_run_report(lines);
  EXPECT_EQ(report.start_time, "2026-11-21T15:00:00.000Z");
  EXPECT_FALSE(report.completed);
  EXPECT_EQ(report.unreadable_lines, 2u);
  ASSERT_EQ(report.spans.size(), 3u);
  EXPECT_DOUBLE_EQ(report.spans[0].start_s, 1);
  EXPECT_DOUBLE_EQ(report.spans[0].end_s, 2.5);
  EXPECT_EQ(report.spans[1].error, "cut \"off\"");
  EXPECT_EQ(report.spans[2].result, "unfinished");
  EXPECT_EQ(report.memory.at("cpu:0").size(), 1u);
  EXPECT_EQ(report.messages.size(), 1u);
}

TEST(RunReport, IsASelfContainedEscapedDocument) {
  std::istringstream lines{kEvents};
  const std::string html = run_report_html(read_run_report(lines));
  EXPECT_TRUE(html.starts_with("<!doctype html>"));
  for (const char* part :
       {"a&lt;b.png", "cut &quot;off&quot;", "class=\"failed\"", "<polyline", "did not end normally"})
    EXPECT_NE(html.find(part), std::string::npos) << part;
  EXPECT_EQ(html.find("a<b"), std::string::npos);
  EXPECT_EQ(html.find("http"), std::string::npos);  // the document is self-contained
}

TEST(RunReport, AnEmptyLogGivesAnEmptyReport) {
  std::istringstream none;
  EXPECT_TRUE(read_run_report(none).start_time.empty());
  EXPECT_FALSE(run_report_html({}).empty());
}

TEST(ParseTimestamp, ReadsATimestampAndNothingElse) {
  EXPECT_DOUBLE_EQ(parse_timestamp("1970-01-02T00:00:01.250Z"), 86401.25);
  for (const char* wrong : {"", "yesterday", "2026-11-21", "2026-1x-21T00:00:00.000Z"})
    EXPECT_EQ(parse_timestamp(wrong), 0) << wrong;
}

}  // namespace
}  // namespace weir::observe

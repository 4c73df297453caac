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

constexpr char kPartEvents[] =
    R"({"time":"2026-11-21T15:00:00.000Z","event":"run_start","pid":2,"items":1,"unit":"frames"}
{"time":"2026-11-21T15:00:01.000Z","event":"item_start","item":".a.mkv/index","device":"one","attempt":1,"part_of":"a.mkv","stage":0,"position":0,"count":1}
{"time":"2026-11-21T15:00:03.000Z","event":"item_done","item":".a.mkv/index","device":"one","seconds":2,"part_of":"a.mkv","stage":0,"position":0,"count":1}
{"time":"2026-11-21T15:00:03.000Z","event":"item_skip","item":".a.mkv/0","part_of":"a.mkv","stage":1,"position":0,"count":4}
{"time":"2026-11-21T15:00:03.000Z","event":"item_start","item":".a.mkv/2","device":"one","attempt":2,"part_of":"a.mkv","stage":1,"position":2,"count":4}
{"time":"2026-11-21T15:00:03.000Z","event":"item_start","item":".a.mkv/1","device":"two","attempt":1,"part_of":"a.mkv","stage":1,"position":1,"count":4}
{"time":"2026-11-21T15:00:09.000Z","event":"item_done","item":".a.mkv/2","device":"one","seconds":6,"amount":240,"peak_rss":1048576,"stage_seconds":{"encode":3,"network":"much"},"part_of":"a.mkv","stage":1,"position":2,"count":4}
{"time":"2026-11-21T15:00:10.000Z","event":"item_start","item":"x","device":"two","part_of":"b.mkv","stage":1e99,"position":-5,"count":"many"})";

TEST(RunReport, HasThePartsOfAnItemInTheirOrder) {
  std::istringstream lines{kPartEvents};
  const RunReport report = read_run_report(lines);
  EXPECT_EQ(report.unit, "frames");
  EXPECT_EQ(report.stages.at("a.mkv").at(0).parts.at(0).seconds, 2);
  const RunReport::Stage& stage = report.stages.at("a.mkv").at(1);
  EXPECT_EQ(stage.count, 4u);
  ASSERT_EQ(stage.parts.size(), 3u);
  EXPECT_EQ(stage.parts.at(0).result, "skipped");
  EXPECT_EQ(stage.parts.at(1).result, "unfinished");
  EXPECT_EQ(stage.parts.at(2).result, "done");
  EXPECT_EQ(stage.parts.at(2).attempts, 2);
  EXPECT_EQ(stage.parts.at(2).amount, 240);
  EXPECT_EQ(stage.parts.at(2).peak_bytes, 1048576);
  EXPECT_EQ(report.devices.at("one").busy_s, 8);
  EXPECT_EQ(report.devices.at("one").stage_seconds, (std::map<std::string, double>{{"encode", 3}}));
}

TEST(RunReport, ShowsThePartsOfAnItem) {
  std::istringstream lines{kPartEvents};
  const std::string html = run_report_html(read_run_report(lines));
  for (const char* part : {"<h2>a.mkv</h2>", "4 parts: 1 done, 1 done before this run; 1 had more than one attempt.",
                           "3: 2, done on one, 6.0 s, 40.00 frames/s, 1 MiB, 2 attempts", ">not done<",
                           "<td>index</td><td>done on one</td><td>2.0 s</td>", "<td>encode</td><td>38 %</td>"})
    EXPECT_NE(html.find(part), std::string::npos) << part;
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

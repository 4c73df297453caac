#include "jobs/run_reporter.hpp"

#include <gtest/gtest.h>

#include "folder.hpp"
#include "jobs/made_up_items_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kTestStart;

/// Stores the calls of a RunReporter.
class Recorder final : public RunObserver {
 public:
  void on_decision(const Item&, const Decision&) override {}
  void on_attempt(const Item&, const std::string& report) override { reports += report; }
  void on_item_result(const Item&, const ItemResult& result) override { statuses.push_back(result.status); }
  void on_progress(const RunProgress& progress) override { progress_calls.push_back(progress); }
  void on_message(Severity, const std::string& text) override { notes += text + '\n'; }

  std::vector<RunProgress> progress_calls;
  std::vector<ItemStatus> statuses;
  std::string notes, reports;
};

class RunReporterTest : public ::testing::Test {
 protected:
  WorkerSlot& slot() { return *slots_.begin(); }
  RunView view() const { return {list_, stages_, queue_, slots_, idle_reason_}; }
  bool has_metric(const std::string& line) const { return metrics_.text().find(line) != std::string::npos; }

  std::vector<Item> items_ = test::made_up_items(3);
  std::vector<WorkerDevice> devices_{test::made_up_device("one")};
  weir::test::Folder folder_;
  RunSettings settings_;
  Worklist list_{items_, {}};
  Stages stages_;
  RunQueue queue_{list_};
  WorkerSlots slots_{devices_};
  std::string idle_reason_;
  Recorder observer_;
  observe::EventLog events_;
  observe::Metrics metrics_;
  RunReporter reporter_{settings_, observer_, events_, metrics_, 3, kTestStart};
};

TEST_F(RunReporterTest, ProgressCountsTheRunningItemsAndTheRemainingTime) {
  slot().count_success("fake", 100, 10, 1);
  list_.set_estimate(1, test::made_up_estimate(40));
  slot().assign_job(1, "fake", list_[1].estimate, kTestStart, 1_MiB);
  slot().set_progress(0.5, 2, kTestStart + 4s);
  list_.set_estimate(2, test::made_up_estimate(30));
  queue_.add(2);
  (void)list_.mark_ended(0, ItemStatus::done);
  Totals totals;
  totals.amount = 3;
  idle_reason_ = "paused";
  const RunProgress progress = make_progress(view(), totals, kTestStart - 8s, kTestStart + 4s);
  EXPECT_EQ(progress.total_items, 3u);
  EXPECT_EQ(progress.finished_items, 1u);
  EXPECT_EQ(progress.amount, 5);
  EXPECT_EQ(progress.seconds, 12);
  EXPECT_EQ(progress.remaining_s, 5);
  EXPECT_EQ(progress.idle_reason, "paused");
  ASSERT_EQ(progress.devices.size(), 1u);
  EXPECT_EQ(progress.devices[0].fraction, 0.5);
  EXPECT_EQ(progress.devices[0].amount, 2);
  EXPECT_EQ(progress.devices[0].speed, 0.5);
  EXPECT_EQ(progress.devices[0].item_remaining_s, 4);
}

TEST_F(RunReporterTest, WhileAnItemWaitsForItsIndexTheRemainingTimeIsUnknown) {
  slot().count_success("fake", 100, 10, 1);
  (void)stages_.next_stage(0);
  stages_.wait(0, 1, 1);
  RunProgress progress = make_progress(view(), {}, kTestStart, kTestStart);
  EXPECT_FALSE(progress.remaining_s);
  ASSERT_EQ(progress.waiting.size(), 1u);
  EXPECT_EQ(progress.waiting[0].name, display_name(items_[0]));
  EXPECT_EQ(progress.waiting[0].kind, "fake");
  (void)stages_.end(1, "index", {});
  (void)stages_.next_stage(0);
  stages_.wait(0, 1, 2);
  (void)stages_.end(1, "part", {});
  progress = make_progress(view(), {}, kTestStart, kTestStart);
  EXPECT_EQ(progress.remaining_s, 0) << "no item of the kind that waits was estimated";
  EXPECT_EQ(progress.waiting.at(0).finished, 1u);
  EXPECT_EQ(progress.waiting.at(0).count, 2u);
  list_.set_estimate(2, test::made_up_estimate(40));
  queue_.add(2);
  EXPECT_EQ(make_progress(view(), {}, kTestStart, kTestStart).remaining_s, 4 + 4) << "the item that waits, too";
}

TEST_F(RunReporterTest, ProgressGoesToTheObserverFourTimesASecondAndToTheFilesLessOften) {
  settings_.metrics_file = folder_ / "metrics";
  auto held = RunFolder::acquire(folder_ / "out");
  ASSERT_TRUE(held);
  reporter_.set_folder(*held);
  const auto state = [&] { return folder_.text("out/.weir/run.json"); };
  reporter_.report_progress(view(), kTestStart);
  EXPECT_EQ(observer_.progress_calls.size(), 1u);
  EXPECT_NE(state().find("\"seconds\":0.0"), std::string::npos) << state();
  EXPECT_NE(state().find("\"idle_reason\":\"\""), std::string::npos) << state();
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 0"), std::string::npos);
  queue_.add_unestimated(0);
  reporter_.report_progress(view(), kTestStart + 249ms);
  EXPECT_EQ(observer_.progress_calls.size(), 1u);
  reporter_.report_progress(view(), kTestStart + 250ms);
  EXPECT_EQ(observer_.progress_calls.size(), 2u);
  EXPECT_NE(state().find("\"seconds\":0.0"), std::string::npos) << "rewritten once a second";
  reporter_.report_progress(view(), kTestStart + 1s);
  EXPECT_NE(state().find("\"seconds\":1.0"), std::string::npos) << state();
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 0"), std::string::npos) << "every two seconds";
  reporter_.report_progress(view(), kTestStart + 2s);
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 1"), std::string::npos);
}

TEST_F(RunReporterTest, TheStateAtTheEndHasTheTotals) {
  auto held = RunFolder::acquire(folder_ / "out");
  ASSERT_TRUE(held);
  reporter_.set_folder(*held);
  ItemResult result = list_.make_result(0);
  result.status = ItemStatus::done;
  reporter_.report_item_result(items_[0], result);
  slot().count_success("fake", 1, 1, 1);
  reporter_.report_run_end(view(), kTestStart + 9s);
  EXPECT_EQ(reporter_.totals().seconds, 9);
  EXPECT_EQ(reporter_.totals().devices.at(0).items, 1u);
  const auto run = read_run_state(folder_ / "out");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->state["over"] == true && run->state["done"] == 1 && run->state["items"] == 3) << run->state;
  EXPECT_TRUE(run->state["devices"][0]["worker"].is_null());
  EXPECT_NE(folder_.text("out/.weir/events.jsonl").find("run_end"), std::string::npos);
  for (const auto& name : folder_.list_files("out/.weir")) EXPECT_EQ(name.find("tmp"), std::string::npos) << name;
}

TEST_F(RunReporterTest, AnAttemptSetsTheMetricsOfItsStagesAndOfTheWorkersPool) {
  const Json message{{"report", "{}"},
                     {"sync_s", 0.5},
                     {"seconds", {{"decode", 2.0}, {"network", "much"}}},
                     {"pool_use", {{"hits", 3}, {"peak", 4096}}}};
  reporter_.report_attempt(slot(), items_[0], message, 7);
  EXPECT_EQ(observer_.reports, "{}");
  for (const char* line : {R"(weir_stage_seconds_total{device="one",stage="decode"} 2)",
                           R"(weir_stage_seconds_total{device="one",stage="sync"} 0.5)",
                           R"(weir_device_busy_seconds_total{device="one"} 7)",
                           R"(weir_pool_requests_total{device="one",result="hits"} 3)",
                           R"(weir_pool_bytes{device="one",kind="peak"} 4096)"})
    EXPECT_TRUE(has_metric(line)) << line << '\n' << metrics_.text();
  EXPECT_FALSE(has_metric(R"(stage="network")"));
}

TEST_F(RunReporterTest, ARetryIsReportedToTheUserAndCounted) {
  ItemResult result = list_.make_result(0);
  result.error = Error{Errc::device_lost, "its worker died"};
  result.notes = {"the card was reset"};
  reporter_.report_retry(items_[0], result, "worker_died", 1, 1s);
  EXPECT_NE(observer_.notes.find("the card was reset"), std::string::npos);
  EXPECT_NE(observer_.notes.find("its worker died; it is tried again"), std::string::npos) << observer_.notes;
  EXPECT_TRUE(has_metric(R"(weir_retries_total{reason="worker_died"} 1)"));
}

}  // namespace
}  // namespace weir::jobs

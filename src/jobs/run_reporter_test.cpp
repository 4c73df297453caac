#include "jobs/run_reporter.hpp"

#include <gtest/gtest.h>

#include "folder.hpp"
#include "jobs/parts_test.hpp"

namespace weir::jobs {
namespace {

using namespace std::chrono_literals;
using test::kStart;

class Recorder final : public RunObserver {
 public:
  void decided(const Item&, const Decision&) override {}
  void tried(const Item&, const std::string& report) override { reports += report; }
  void ended(const Item&, const ItemEnd& end) override { ends.push_back(end.status); }
  void progress(const RunProgress& progress) override { all.push_back(progress); }
  void said(Loudness, const std::string& text) override { notes += text + '\n'; }

  std::vector<RunProgress> all;
  std::vector<ItemStatus> ends;
  std::string notes, reports;
};

class RunReporterTest : public ::testing::Test {
 protected:
  Seat& seat() { return *seats_.begin(); }
  RunView view() const { return {list_, queue_, seats_, halted_}; }
  bool has_metric(const std::string& line) const { return metrics_.text().find(line) != std::string::npos; }

  std::vector<Item> items_ = test::made_up_items(3);
  std::vector<WorkerDevice> devices_{test::made_up_device("one")};
  weir::test::Folder folder_;
  RunSettings settings_;
  Worklist list_{items_, {}};
  RunQueue queue_{list_};
  Seats seats_{devices_};
  std::string halted_;
  Recorder observer_;
  observe::EventLog events_;
  observe::Metrics metrics_;
  RunReporter reporter_{settings_, observer_, events_, metrics_, 3, kStart};
};

TEST_F(RunReporterTest, ProgressCountsTheRunningItemsAndKnowsTheTimeThatIsLeft) {
  seat().count_done(100, 10, 1);
  list_.set_estimate(1, test::made_up_estimate(40));
  seat().give(1, list_[1].estimate, kStart, 1_MiB);
  seat().job->fraction = 0.5;
  seat().job->amount = 2;
  list_.set_estimate(2, test::made_up_estimate(30));
  queue_.add(2);
  (void)list_.end(0, ItemStatus::done);
  Totals totals;
  totals.amount = 3;
  halted_ = "paused";
  const RunProgress progress = progress_of(view(), totals, 12s);
  EXPECT_EQ(progress.items, 3u);
  EXPECT_EQ(progress.ended, 1u);
  EXPECT_EQ(progress.amount, 5);
  EXPECT_EQ(progress.seconds, 12);
  EXPECT_EQ(progress.left_s, 5);
  EXPECT_EQ(progress.halted, "paused");
  ASSERT_EQ(progress.devices.size(), 1u);
  EXPECT_EQ(progress.devices[0].fraction, 0.5);
  queue_.add_unmeasured(0);
  EXPECT_FALSE(progress_of(view(), totals, {}).left_s);
}

TEST_F(RunReporterTest, ProgressGoesToTheObserverFourTimesASecondAndToTheFilesLessOften) {
  settings_.metrics_file = folder_ / "metrics";
  auto held = RunFolder::hold(folder_ / "out");
  ASSERT_TRUE(held);
  reporter_.use_folder(*held);
  const auto state = [&] { return folder_.text("out/.weir/run.json"); };
  reporter_.progress(view(), kStart);
  EXPECT_EQ(observer_.all.size(), 1u);
  EXPECT_NE(state().find("\"seconds\":0.0"), std::string::npos) << state();
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 0"), std::string::npos);
  queue_.add_unmeasured(0);
  reporter_.progress(view(), kStart + 249ms);
  EXPECT_EQ(observer_.all.size(), 1u);
  reporter_.progress(view(), kStart + 250ms);
  EXPECT_EQ(observer_.all.size(), 2u);
  EXPECT_NE(state().find("\"seconds\":0.0"), std::string::npos) << "rewritten once a second";
  reporter_.progress(view(), kStart + 1s);
  EXPECT_NE(state().find("\"seconds\":1.0"), std::string::npos) << state();
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 0"), std::string::npos) << "every two seconds";
  reporter_.progress(view(), kStart + 2s);
  EXPECT_NE(folder_.text("metrics").find("weir_queue_items 1"), std::string::npos);
}

TEST_F(RunReporterTest, TheStateAtTheEndHasTheTotals) {
  auto held = RunFolder::hold(folder_ / "out");
  ASSERT_TRUE(held);
  reporter_.use_folder(*held);
  ItemEnd end = list_.end_of(0);
  end.status = ItemStatus::done;
  reporter_.item_end(items_[0], end);
  seat().count_done(1, 1, 1);
  reporter_.run_end(view(), kStart + 9s);
  EXPECT_EQ(reporter_.totals().seconds, 9);
  EXPECT_EQ(reporter_.totals().devices.at(0).items, 1u);
  const auto run = read_run(folder_ / "out");
  ASSERT_TRUE(run);
  EXPECT_TRUE(run->state["over"] == true && run->state["done"] == 1 && run->state["items"] == 3) << run->state;
  EXPECT_TRUE(run->state["devices"][0]["worker"].is_null());
  EXPECT_NE(folder_.text("out/.weir/events.jsonl").find("run_end"), std::string::npos);
  for (const auto& name : folder_.all("out/.weir")) EXPECT_EQ(name.find("tmp"), std::string::npos) << name;
}

TEST_F(RunReporterTest, ATryIsCountedByItsStagesAndThePoolOfItsWorker) {
  const Json message{{"report", "{}"},
                     {"sync_s", 0.5},
                     {"seconds", {{"decode", 2.0}, {"network", "much"}}},
                     {"pool_use", {{"hits", 3}, {"peak", 4096}}}};
  reporter_.item_tried(seat(), items_[0], message, 7);
  EXPECT_EQ(observer_.reports, "{}");
  for (const char* line :
       {R"(weir_stage_seconds_total{stage="decode"} 2)", R"(weir_stage_seconds_total{stage="sync"} 0.5)",
        R"(weir_device_busy_seconds_total{device="one"} 7)",
        R"(weir_pool_requests_total{device="one",result="hits"} 3)",
        R"(weir_pool_bytes{device="one",kind="peak"} 4096)"})
    EXPECT_TRUE(has_metric(line)) << line << '\n' << metrics_.text();
  EXPECT_FALSE(has_metric(R"(stage="network")"));
}

TEST_F(RunReporterTest, ARetryIsNotedCountedAndNamed) {
  ItemEnd end = list_.end_of(0);
  end.error = Error{Errc::device_lost, "its worker died"};
  end.notes = {"the card was reset"};
  reporter_.retry(items_[0], end, "worker_died", 1, 1s);
  EXPECT_NE(observer_.notes.find("the card was reset"), std::string::npos);
  EXPECT_NE(observer_.notes.find("its worker died; it is tried again"), std::string::npos) << observer_.notes;
  EXPECT_TRUE(has_metric(R"(weir_retries_total{reason="worker_died"} 1)"));
}

}  // namespace
}  // namespace weir::jobs

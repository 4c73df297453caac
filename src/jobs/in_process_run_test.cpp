#include "jobs/in_process_run.hpp"

#include <gtest/gtest.h>

#include "jobs/fake_task_test.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;

class ProgressRecorder final : public RunObserver {
 public:
  void on_decision(const Item&, const Decision&) override {}
  void on_item_result(const Item&, const ItemResult&) override {}
  void on_progress(const RunProgress& progress) override { all.push_back(progress); }
  void on_message(Severity, const std::string&) override {}

  std::vector<RunProgress> all;
};

TEST(InProcessRun, ProgressIncludesTheItemsBefore) {
  const test::Folder folder;
  fs::create_directory(folder / "out");
  std::vector<Item> items;
  for (const std::string name : {"a", "b", "c"}) {
    folder.put("in/" + name, name);
    items.push_back({.task = "fake",
                     .inputs = {folder / ("in/" + name)},
                     .outputs = {folder / ("out/" + name)},
                     .parameters = R"({"seconds":0.02})"});
  }
  const RecordRules rules;
  test::FakeTask task{Json::object(), 1_GiB};
  ProgressRecorder recorder;
  InProcessRun run{items, task, rules, [](const Item&, const Json&) { return Json::object(); }, recorder, "cpu"};
  EXPECT_EQ(run.run({}).done, 3u);
  ASSERT_FALSE(recorder.all.empty());
  const RunProgress& last = recorder.all.back();  // in the middle of the last item: the fake task tells 0.5
  EXPECT_EQ(last.total_items, 3u);
  EXPECT_EQ(last.finished_items, 2u);
  EXPECT_EQ(last.amount, 2.5);
  ASSERT_TRUE(last.remaining_s);
  EXPECT_NEAR(*last.remaining_s, last.seconds * 0.5 / 2.5, 1e-9);
}

}  // namespace
}  // namespace weir::jobs

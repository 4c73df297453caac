#include "jobs/coordinator.hpp"

#include <gtest/gtest.h>

#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <set>

#include <fmt/format.h>

#include "base/process_memory.hpp"
#include "base/small_file.hpp"
#include "base/system_cpus.hpp"
#include "device/lease.hpp"
#include "jobs/fake_task_test.hpp"
#include "jobs/run_folder.hpp"
#include "jobs/worker.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;
using weir::test::Folder;

/// Returns the arguments with which this process was started.
std::vector<std::string> own_arguments() {
  std::vector<std::string> words(1);
  for (const char c : read_small_file("/proc/self/cmdline")) {
    if (c != '\0')
      words.back() += c;
    else
      words.emplace_back();
  }
  return words;
}

/// Not a test: the main function of the workers that the tests below start, selected with --gtest_filter.
TEST(FakeWorker, Main) {
  const auto words = own_arguments();
  const auto value_of = [&](const std::string& flag) {
    const auto found = std::find(words.begin(), words.end(), flag);
    return found == words.end() ? std::string{} : *(found + 1);
  };
  if (value_of("--channel").empty()) return;
  const auto prove = [&](const std::string& device) -> Result<std::string> {
    return value_of("--claim").empty() ? bind_cpu(device) : Result<std::string>{value_of("--claim")};
  };
  std::_Exit(run_worker(std::stoi(value_of("--channel")), value_of("--device"), test::fake_task_factories(), prove));
}

/// Stores what a run reports.
class Listener final : public RunObserver {
 public:
  void on_decision(const Item&, const Decision& decision) override {
    decisions.push_back(decision.action);
    if (decision_hook != nullptr && *decision_hook) (*decision_hook)();
  }
  void on_item_result(const Item& item, const ItemResult& result) override {
    ends[item.outputs.front().filename().native()] = result;
    ++times_ended[item.outputs.front().filename().native()];
  }
  void on_progress(const RunProgress& progress) override {
    const auto call = progress_hook == nullptr ? nullptr : *progress_hook;  // a copy, since the call may reset the hook
    if (call) call(progress);
  }
  void on_message(Severity, const std::string& text) override { words += text + '\n'; }
  bool heard(const std::string& text) const { return words.find(text) != std::string::npos; }

  std::vector<Action> decisions;
  std::map<std::string, ItemResult> ends;
  std::map<std::string, int> times_ended;
  const std::function<void(const RunProgress&)>* progress_hook = nullptr;
  const std::function<void()>* decision_hook = nullptr;
  std::string words;
};

class CoordinatorTest : public ::testing::Test {
 protected:
  /// A run with one device; tests add items, and more devices if they need them.
  void SetUp() override {
    settings_.task = "fake";
    settings_.task_settings = {{"version", "1"}};
    settings_.worker_command = {fs::read_symlink("/proc/self/exe").native(), "--gtest_filter=FakeWorker.Main"};
    settings_.ram_limit = 4_GiB;
    settings_.outputs = folder_ / "out";
    settings_.stall_timeout = std::chrono::duration<double>{60};
    add_device("one");
  }
  void add_device(const std::string& name) {
    auto device = cpu_device("cpu", {}, 1);
    ASSERT_TRUE(device);
    device->name = name;
    settings_.devices.push_back(*std::move(device));
  }
  /// Adds an item with an input file. `parameters`: JSON; see FakeTask.
  void item(const std::string& name, const std::string& parameters = "{}") {
    folder_.put("in/" + name, "text of " + name);
    items_.push_back({.task = "fake",
                      .inputs = {folder_ / ("in/" + name)},
                      .outputs = {folder_ / ("out/" + name)},
                      .parameters = parameters});
  }
  void items(int count, const std::string& parameters = "{}") {
    for (int i = 0; i < count; ++i) item("item" + std::to_string(i), parameters);
  }
  /// Runs all items; the test fails if run() returns an error.
  Totals run() {
    listener_ = {};
    listener_.progress_hook = &on_progress_;
    listener_.decision_hook = &on_decision_;
    observe::EventLog events;
    observe::Metrics metrics;
    Coordinator coordinator{settings_, items_, [](const Item&, const Json&) { return Json{{"version", "1"}}; },
                            listener_, events, metrics};
    auto totals = coordinator.run();
    metrics_ = metrics.text();
    EXPECT_TRUE(totals) << totals.error().what;
    return totals ? *totals : Totals{};
  }
  bool is_done(const std::string& name) const {
    return test::text_of(folder_ / ("out/" + name)) == test::backwards("text of " + name);
  }
  /// Returns the names of the items in the order of their starts.
  std::vector<std::string> started_items() const {
    std::vector<std::string> names;
    for (const Json& event : events("item_start")) names.push_back(fs::path{text_field(event, "item")}.filename());
    return names;
  }
  /// Returns the events of this name, of all runs in the folder.
  std::vector<Json> events(const std::string& name) const {
    std::vector<Json> found;
    std::ifstream lines{folder_ / "out/.weir/events.jsonl"};
    for (std::string line; std::getline(lines, line);) {
      const Json event = Json::parse(line);
      if (event["event"] == name) found.push_back(event);
    }
    return found;
  }
  /// Returns the names of temporary files and intent records, which no run may leave.
  std::vector<std::string> left_over() const {
    std::vector<std::string> names;
    for (const auto& name : folder_.list_files("out")) {
      if (name.ends_with(".tmp") || name.ends_with(".intent")) names.push_back(name);
    }
    return names;
  }

  Folder folder_;
  RunSettings settings_;
  std::vector<Item> items_;
  Listener listener_;
  std::function<void(const RunProgress&)> on_progress_;  // called with each progress of the run; may be empty
  std::function<void()> on_decision_;                    // called after each decision about an item; may be empty
  std::string metrics_;                                  // metrics of the last run, in the Prometheus text format
};

TEST_F(CoordinatorTest, AllItemsAreDoneOnceAndThenSkipped) {
  add_device("two");
  items(20);
  const Totals first = run();
  EXPECT_EQ(first.done, 20u);
  for (const Item& each : items_) EXPECT_TRUE(is_done(each.outputs[0].filename()));
  ASSERT_EQ(first.devices.size(), 2u);
  EXPECT_EQ(first.devices[0].items + first.devices[1].items, 20u);
  const Totals second = run();
  EXPECT_EQ(second.skipped, 20u);
  EXPECT_EQ(second.done, 0u);
  EXPECT_TRUE(left_over().empty());
}

/// Items in two stages before the last one: a list of names, the parts that it names, and their sum.
class StagesTest : public CoordinatorTest {
 protected:
  void SetUp() override {
    CoordinatorTest::SetUp();
    add_device("two");
    folder_.put("in/names", "cba");
    items_.push_back({.task = "fake-sum",
                      .inputs = {folder_ / "in/names"},
                      .outputs = {folder_ / "out/sum"},
                      .parameters = sum_parameters_});
    settings_.prerequisites.release = [this](const Item& item, const fs::path&) {
      released_.push_back(item.outputs[0].filename());
      was_recorded_ &= fs::exists(record_paths(item, {}).done);
      return ok();
    };
    settings_.prerequisites.items_of_stage = [this](const Item& item, int stage) -> Result<std::vector<Item>> {
      if (item.task != "fake-sum") return std::vector<Item>{};
      stages_asked_.push_back(stage);
      if (stage == 0)
        return std::vector<Item>{{.task = "fake-list", .inputs = item.inputs, .outputs = {folder_ / "out/list"}}};
      std::vector<Item> parts;
      if (stage == 2) return parts;
      for (const char name : folder_.text("out/list")) {  // "abc"
        parts.push_back({.task = "fake-part",
                         .inputs = {folder_ / "out/list"},
                         .outputs = {folder_ / ("out/part_" + std::string{name})},
                         .name = std::string{"part_"} + name,
                         .parameters = name == 'b' ? part_parameters_ : "{}"});
      }
      return parts;
    };
  }
  std::string sum_parameters_ = "{}", part_parameters_ = "{}";
  std::vector<int> stages_asked_;
  std::vector<std::string> released_;  // outputs of items for which Prerequisites::release was called
  bool was_recorded_ = true;           // each of them had its record then
};

TEST_F(StagesTest, AnItemIsProcessedAfterAllItemsThatItWaitsFor) {
  const Totals totals = run();
  EXPECT_EQ(stages_asked_, (std::vector{0, 1, 2}));
  EXPECT_EQ(folder_.text("out/sum"), "abc");
  for (const char* part : {"part_a", "part_b", "part_c"}) EXPECT_EQ(folder_.text(std::string{"out/"} + part), "cba");
  EXPECT_EQ(totals.items, 1u);
  EXPECT_EQ(totals.done, 1u);
  EXPECT_EQ(totals.amount, 5) << "the work of prerequisites counts";
  EXPECT_EQ(listener_.ends.size(), 5u);
  EXPECT_TRUE(listener_.ends["list"].is_prerequisite);
  EXPECT_FALSE(listener_.ends["sum"].is_prerequisite);
}

TEST_F(StagesTest, EventsOfPrerequisitesNameTheItemThatWaitsAndTheirPlaceInItsStage) {
  run();
  std::map<std::string, std::string> places;
  for (const Json& event : events("item_done"))
    places[fs::path{text_field(event, "item")}.filename()] =
        fmt::format("{} {} {} {}", fs::path{text_field(event, "part_of")}.filename().native(),
                    number_field(event, "stage"), number_field(event, "position"), number_field(event, "count"));
  EXPECT_EQ(places, (std::map<std::string, std::string>{{"list", "sum 0 0 1"},
                                                        {"part_a", "sum 1 0 3"},
                                                        {"part_b", "sum 1 1 3"},
                                                        {"part_c", "sum 1 2 3"},
                                                        {"sum", " 0 0 0"}}));
}

TEST_F(CoordinatorTest, TheStagesAndTheMemoryOfAnItemAreInItsEventAndInTheTotals) {
  items(2, R"({"stages":{"decode":1.5,"encode":2}})");
  const Totals totals = run();
  EXPECT_EQ(totals.devices.at(0).stage_seconds, (std::map<std::string, double>{{"decode", 3}, {"encode", 4}}));
  const Json event = events("item_done").at(0);
  EXPECT_EQ(event["stage_seconds"], (Json{{"decode", 1.5}, {"encode", 2}}));
  EXPECT_GT(bytes_field(event, "peak_rss"), 1_MiB);
  EXPECT_EQ(event["attempts"], 1);
}

TEST_F(StagesTest, AFinishedItemNeedsNoPrerequisites) {
  run();
  for (const char* name : {"list", "part_a", "part_b", "part_c"}) fs::remove(folder_ / "out" / name);
  stages_asked_.clear();
  const Totals totals = run();
  EXPECT_EQ(totals.skipped, 1u);
  EXPECT_TRUE(stages_asked_.empty());
  EXPECT_FALSE(fs::exists(folder_ / "out/list"));
}

TEST_F(StagesTest, PrerequisitesAreReleasedOnceTheItemIsRecordedAndAgainWhenItIsSkipped) {
  run();
  EXPECT_EQ(std::count(released_.begin(), released_.end(), "sum"), 1);
  EXPECT_EQ(released_.back(), "sum");
  EXPECT_TRUE(was_recorded_);
  released_.clear();
  EXPECT_EQ(run().skipped, 1u);
  EXPECT_EQ(released_, std::vector<std::string>{"sum"});
}

TEST_F(StagesTest, PrerequisitesOfAnItemThatFailedAreKept) {
  items_[0].parameters = R"({"do":"throw"})";
  EXPECT_EQ(run().failed, 1u);
  EXPECT_EQ(std::count(released_.begin(), released_.end(), "sum"), 0);
}

TEST_F(StagesTest, AFailedPrerequisiteIsTriedAgainAndTheNextRunDoesOnlyWhatIsMissing) {
  part_parameters_ = R"({"do":"fail twice"})";
  EXPECT_EQ(run().done, 1u);
  EXPECT_EQ(listener_.ends["part_b"].attempts, 3);
  fs::remove(folder_ / "out/sum");
  part_parameters_ = R"({"do":"throw"})";
  const Totals failed = run();
  EXPECT_EQ(failed.failure_messages.size(), 1u);
  EXPECT_TRUE(failed.failure_messages.at(0).ends_with("in/names: part_b: an internal error of weir: thrown"))
      << failed.failure_messages[0];
  part_parameters_ = "{}";
  EXPECT_EQ(run().done, 1u);
  EXPECT_EQ(listener_.ends["list"].status, ItemStatus::skipped);
  EXPECT_EQ(listener_.ends["part_a"].status, ItemStatus::skipped);
  EXPECT_EQ(listener_.ends["part_b"].status, ItemStatus::done);
  EXPECT_EQ(listener_.ends["sum"].status, ItemStatus::done);
}

TEST_F(StagesTest, FinishedPrerequisitesAreSkipped) {
  run();
  fs::remove(folder_ / "out/sum");
  fs::remove(folder_ / "out/part_b");
  EXPECT_EQ(run().done, 1u);
  EXPECT_EQ(listener_.ends["list"].status, ItemStatus::skipped);
  EXPECT_EQ(listener_.ends["part_a"].status, ItemStatus::skipped);
  EXPECT_EQ(listener_.ends["part_b"].status, ItemStatus::done);
  EXPECT_EQ(listener_.ends["sum"].status, ItemStatus::done);
}

TEST_F(StagesTest, AFailedPrerequisiteFailsTheItemOnceAndTheOthersAreDone) {
  part_parameters_ = R"({"do":"throw"})";
  const Totals totals = run();
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_EQ(totals.done, 0u);
  ASSERT_EQ(totals.failure_messages.size(), 1u);
  EXPECT_NE(totals.failure_messages[0].find("part_b"), std::string::npos) << totals.failure_messages[0];
  EXPECT_FALSE(fs::exists(folder_ / "out/sum"));
  EXPECT_TRUE(fs::exists(folder_ / "out/part_c"));
  EXPECT_EQ(stages_asked_, (std::vector{0, 1}));
}

TEST_F(StagesTest, AWorkerThatDiesInAStageDoesNotEndTheStage) {
  part_parameters_ = R"({"do":"die once"})";
  EXPECT_EQ(run().done, 1u);
  EXPECT_EQ(folder_.text("out/sum"), "abc");
}

TEST_F(StagesTest, AStageThatCannotBeMadeFailsTheItem) {
  settings_.prerequisites.items_of_stage = [](const Item&, int) -> Result<std::vector<Item>> {
    return Error{Errc::corrupt, "the list is damaged"};
  };
  const Totals totals = run();
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_NE(totals.failure_messages.at(0).find("the list is damaged"), std::string::npos);
}

TEST_F(CoordinatorTest, ItemsWithHigherCostStartFirst) {
  item("small", R"({"cost":1})");
  item("large", R"({"cost":100})");
  item("middle", R"({"cost":10})");
  run();
  EXPECT_EQ(started_items(), (std::vector<std::string>{"large", "middle", "small"}));
}

TEST_F(CoordinatorTest, ItemsOfEqualCostStartInTheOrderOfTheListOnAllDevices) {
  add_device("two");
  items(30, R"({"cost":5,"seconds":0.01})");
  EXPECT_EQ(run().done, 30u);
  std::vector<std::string> names;
  for (const Item& each : items_) names.push_back(each.outputs[0].filename());
  EXPECT_EQ(started_items(), names);
}

TEST_F(CoordinatorTest, ALongListIsEstimatedWhileItemsRun) {
  add_device("two");
  const std::string log = (folder_ / "log").native();
  items(40, dump({{"estimate_seconds", 0.02}, {"seconds", 0.02}, {"log", log}}));
  item("large at the end", dump({{"estimate_seconds", 0.02}, {"cost", 100}, {"log", log}}));
  EXPECT_EQ(run().done, 41u);
  const std::string steps = folder_.text("log");
  EXPECT_EQ(std::count(steps.begin(), steps.end(), 'e'), 41) << "each is estimated once: " << steps;
  // 100 ms of estimates by each of two workers are 10 at most, and one more each that has begun before.
  EXPECT_LE(steps.find('r'), 12u) << steps;
  EXPECT_LT(steps.rfind('e'), steps.rfind('r')) << steps;
  EXPECT_NE(started_items().back(), "large at the end") << "it is known before the others are done";
}

TEST_F(CoordinatorTest, WithEqualPixelsADeviceShowsItsConfigurationBeforeItWorks) {
  add_device("two");
  settings_.same_pixels = true;
  settings_.devices[1].environment = {{"WEIR_TEST_BACKEND", "other"}};
  items(30, R"({"seconds":0.02})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 30u);
  ASSERT_EQ(totals.devices.size(), 2u);
  EXPECT_EQ(std::min(totals.devices[0].items, totals.devices[1].items), 0u) << listener_.words;
  EXPECT_TRUE(listener_.heard("its results are of")) << listener_.words;
}

TEST_F(CoordinatorTest, AnItemThatKillsItsWorkersFailsAfterThreeAttemptsAndTheOthersAreDone) {
  items(4);
  item("deadly", R"({"do":"die"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 4u);
  EXPECT_EQ(totals.failed, 1u);
  EXPECT_TRUE(listener_.ends["deadly"].error);
  EXPECT_NE(totals.failure_messages.at(0).find("killed by signal 9"), std::string::npos) << totals.failure_messages[0];
  EXPECT_NE(totals.failure_messages.at(0).find("tried 3 times"), std::string::npos) << totals.failure_messages[0];
  EXPECT_TRUE(left_over().empty());
  EXPECT_FALSE(fs::exists(folder_ / "out/.deadly.fake.failed")) << "another run may succeed";
}

TEST_F(CoordinatorTest, AnItemWhoseWorkerDiesOnceIsTriedAgain) {
  items(3);
  item("unlucky", R"({"do":"die once"})");
  EXPECT_EQ(run().done, 4u);
  EXPECT_TRUE(is_done("unlucky"));
  EXPECT_NE(metrics_.find("weir_retries_total{reason=\"worker_died\"} 1"), std::string::npos) << metrics_;
}

TEST_F(CoordinatorTest, AnItemWhoseWorkerDiesAfterItsCheckpointIsDone) {
  items(3);
  item("unheard", R"({"do":"die unheard once"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 4u);
  EXPECT_EQ(totals.failed, 0u) << listener_.words;
  EXPECT_TRUE(is_done("unheard"));
  EXPECT_EQ(metrics_.find("weir_retries_total{"), std::string::npos) << metrics_;  // not processed twice
}

TEST_F(CoordinatorTest, AWorkerThatHangsIsKilled) {
  settings_.stall_timeout = std::chrono::duration<double>{0.5};
  items(2);
  item("hang", R"({"do":"hang"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 2u);
  EXPECT_TRUE(listener_.heard("no heartbeat")) << listener_.words;
}

TEST_F(CoordinatorTest, AnInternalErrorAndADamagedInputFailAndOnlyTheInputIsRecorded) {
  item("fault", R"({"do":"throw"})");
  item("broken");
  folder_.put("in/broken", "broken");
  item("good");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 1u);
  EXPECT_EQ(totals.internal_errors, 1u);
  EXPECT_TRUE(listener_.ends["fault"].internal_error);
  EXPECT_EQ(listener_.ends["broken"].error->code, Errc::corrupt);
  EXPECT_TRUE(fs::exists(folder_ / "out/.broken.fake.failed"));
  EXPECT_EQ(run().failed, 2u);
  EXPECT_NE(listener_.ends["broken"].why.find("--retry-failed"), std::string::npos);
}

TEST_F(CoordinatorTest, SmallerVariantsAreTriedForPlannedAndForRealMemoryShortage) {
  settings_.learned_needs_file = folder_ / "state/needs.json";
  item("planned", R"({"do":"fits below"})");
  item("real", R"({"do":"run out"})");
  item("never", R"({"do":"never fits"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 2u);
  EXPECT_EQ(totals.smaller_variant, 2u);
  EXPECT_EQ(totals.refused, 1u);
  EXPECT_EQ(listener_.ends["real"].variant, "small");
  EXPECT_EQ(test::text_of(folder_ / "out/real"), test::backwards("text of real") + " (small)");
  EXPECT_TRUE(listener_.heard("going down to small"));
  EXPECT_TRUE(fs::exists(settings_.learned_needs_file));
  settings_.rules.upgrade = true;
  run();
  EXPECT_EQ(listener_.ends["planned"].why, "made with a smaller variant: small");
}

TEST_F(CoordinatorTest, ATaskMayChooseASmallerVariantItself) {
  item("one", R"({"do":"see only a small device"})");
  EXPECT_EQ(run().smaller_variant, 1u);
  EXPECT_EQ(listener_.ends["one"].variant, "small");
  EXPECT_EQ(run().skipped, 1u);
  settings_.rules.upgrade = true;
  run();
  EXPECT_EQ(listener_.ends["one"].why, "made with a smaller variant: small");
}

TEST_F(CoordinatorTest, ATaskMayRequestAnotherAttempt) {
  item("one", R"({"do":"fail twice"})");
  EXPECT_EQ(run().done, 1u);
  EXPECT_NE(metrics_.find("weir_retries_total{reason=\"failed\"} 2"), std::string::npos) << metrics_;
  EXPECT_FALSE(fs::exists(folder_ / "out/.one.fake.failed"));
}

TEST_F(CoordinatorTest, RedoProcessesOnlyOutputsOfWeir) {
  items(2);
  run();
  folder_.put("out/item1", "somebody else's");
  settings_.rules.redo = true;
  const Totals totals = run();
  EXPECT_EQ(totals.redone, 1u);
  EXPECT_EQ(listener_.ends["item1"].error->code, Errc::exists);
  EXPECT_EQ(folder_.text("out/item1"), "somebody else's");
}

TEST_F(CoordinatorTest, ThreeDeathsMakeTheRunSequentialUntilTenAreGood) {
  add_device("two");
  for (int i = 0; i < 3; ++i) item("bad" + std::to_string(i), R"({"do":"die once","cost":100})");
  items(20);
  EXPECT_EQ(run().done, 23u);
  EXPECT_TRUE(listener_.heard("goes on with one worker")) << listener_.words;
  EXPECT_TRUE(listener_.heard("goes on in parallel")) << listener_.words;
}

TEST_F(CoordinatorTest, AWorkerThatGrowsIsReplacedBetweenItems) {
  items(12, R"({"do":"leak"})");
  EXPECT_EQ(run().done, 12u);
  EXPECT_TRUE(listener_.heard("grew by")) << listener_.words;
}

TEST_F(CoordinatorTest, AWorkerWhosePoolOrDeviceMemoryGrowsIsReplaced) {
  for (const char* parameters : {R"({"do":"grow pool"})", R"({"do":"grow device"})"}) {
    items_.clear();
    settings_.rules.overwrite = true;
    items(8, parameters);
    EXPECT_EQ(run().done, 8u);
    EXPECT_TRUE(listener_.heard("grew by")) << parameters << listener_.words;
    EXPECT_NE(metrics_.find(R"(weir_worker_restarts_total{device="one",reason="growth"})"), std::string::npos)
        << parameters;
    for (const char* kind : {"ram", "pool", "device"})
      EXPECT_NE(metrics_.find(std::string{R"(weir_memory_measured_bytes{device="one",kind=")"} + kind),
                std::string::npos);
  }
}

TEST_F(CoordinatorTest, AWorkerIsReplacedAfterItsMaximumNumberOfItems) {
  settings_.max_items_per_worker = 2;
  items(6);
  EXPECT_EQ(run().done, 6u);
  EXPECT_NE(metrics_.find("weir_worker_restarts_total{device=\"one\",reason=\"items\"} 2"), std::string::npos)
      << metrics_;
}

TEST_F(CoordinatorTest, AWorkerOnAnotherDeviceIsStoppedWithBothNames) {
  add_device("two");
  settings_.devices[1].arguments.insert(settings_.devices[1].arguments.end(), {"--claim", "GPU-wrong"});
  items(4);
  EXPECT_EQ(run().done, 4u);
  EXPECT_TRUE(listener_.heard("runs on GPU-wrong, not on " + settings_.devices[1].identity)) << listener_.words;
}

TEST_F(CoordinatorTest, ARunWhoseOnlyDeviceIsNotAvailableStops) {
  settings_.task_settings["unfit"] = true;
  items(3);
  const Totals totals = run();
  EXPECT_TRUE(totals.interrupted);
  ASSERT_TRUE(totals.fatal);
  EXPECT_EQ(totals.fatal->code, Errc::device_lost);
}

TEST_F(CoordinatorTest, TheMaskIsInTheEnvironmentBeforeTheProgramStarts) {
  settings_.devices[0].environment = {{"WEIR_TEST_MASK", "GPU-1"}, {"WEIR_TEST_GONE", ""}};
  setenv("WEIR_TEST_GONE", "set by somebody", 1);  // NOLINT(concurrency-mt-unsafe)
  settings_.worker_command = {"/bin/sh", "-c",
                              "test \"$WEIR_TEST_MASK\" = GPU-1 && test -z \"${WEIR_TEST_GONE+set}\" && exec \"$0\" "
                              "--gtest_filter=FakeWorker.Main \"$@\"",
                              fs::read_symlink("/proc/self/exe").native()};
  items(2);
  EXPECT_EQ(run().done, 2u);
}

/// A run whose device must be leased.
class LeasedDevice : public CoordinatorTest {
 protected:
  void SetUp() override {
    CoordinatorTest::SetUp();
    fs::create_directory(folder_ / "leases");
    setenv("WEIR_LEASE_DIR", (folder_ / "leases").c_str(), 1);  // NOLINT(concurrency-mt-unsafe)
    settings_.devices[0].lease_key = "pci-0000:01:00.0";
  }
  void TearDown() override { unsetenv("WEIR_LEASE_DIR"); }  // NOLINT(concurrency-mt-unsafe)
  /// Leases the device in this process, without waiting.
  Result<device::Lease> take_lease() const {
    return device::acquire_lease(folder_ / "leases", {.keys = {"pci-0000:01:00.0"}, .max_wait = {}, .job = "nightly"},
                                 [](const char*) { return std::nullopt; });
  }
};

TEST_F(LeasedDevice, IsHeldByItsWorkerUntilTheWorkerEnds) {
  items(3, R"({"seconds":0.3})");
  std::string refusal;
  on_progress_ = [&](const RunProgress& progress) {
    if (progress.devices[0].item.empty()) return;
    if (const auto lease = take_lease(); !lease) refusal = lease.error().what;
  };
  EXPECT_EQ(run().done, 3u);
  EXPECT_NE(refusal.find("is held by pid"), std::string::npos) << refusal;
  EXPECT_NE(refusal.find("job 'fake'"), std::string::npos) << refusal;
  EXPECT_TRUE(take_lease());
}

TEST_F(LeasedDevice, IsWaitedForWhileOtherDevicesWork) {
  auto lease = take_lease();
  ASSERT_TRUE(lease);
  add_device("two");
  items(6);
  const Totals totals = run();  // the waiting worker does not delay the end of the run
  EXPECT_EQ(totals.done, 6u);
  EXPECT_EQ(totals.devices.at(0).items, 0u);
  EXPECT_FALSE(totals.fatal);
}

TEST_F(LeasedDevice, IsDroppedAfterTheLongestWaitWithTheHolderNamed) {
  auto lease = take_lease();
  ASSERT_TRUE(lease);
  settings_.max_lease_wait = std::chrono::milliseconds{50};
  items(2);
  const Totals totals = run();
  ASSERT_TRUE(totals.fatal);
  EXPECT_NE(totals.fatal->what.find("is held by pid " + std::to_string(getpid())), std::string::npos)
      << totals.fatal->what;
  EXPECT_TRUE(listener_.heard("one: waiting: pci-0000:01:00.0 is held by pid")) << listener_.words;
  EXPECT_TRUE(totals.interrupted);
  lease->release();
  EXPECT_EQ(run().done, 2u);
}

TEST_F(CoordinatorTest, ASecondRunInTheSameFolderIsRefusedWithTheHolderNamed) {
  const auto held = RunFolder::acquire(settings_.outputs);
  ASSERT_TRUE(held);
  // The lock belongs to the open file, not to the process, so a second acquire() of this process conflicts too.
  const auto refused = RunFolder::acquire(settings_.outputs);
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().what.find(std::to_string(getpid())), std::string::npos) << refused.error().what;
}

TEST_F(CoordinatorTest, AFullDiskStopsAResumableRun) {
  settings_.full_disk_policy = FullDiskPolicy::stop;
  items(2);
  item("huge", R"({"do":"expects much","cost":1000})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 2u);  // items that fit are processed first
  EXPECT_TRUE(totals.interrupted);
  ASSERT_TRUE(totals.fatal);
  EXPECT_EQ(totals.fatal->code, Errc::disk_full);
}

TEST_F(CoordinatorTest, AnItemThatFillsTheDiskStopsAResumableRun) {
  settings_.full_disk_policy = FullDiskPolicy::stop;
  items(2);
  item("unforeseen", R"({"do":"fill the disk"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 2u);
  ASSERT_TRUE(totals.fatal);
  EXPECT_EQ(totals.fatal->code, Errc::disk_full);
  EXPECT_TRUE(left_over().empty());
}

TEST_F(CoordinatorTest, AnOutputLargerThanTheWholeDiskFails) {
  items(2);
  item("huge", R"({"do":"expects the impossible"})");
  const Totals totals = run();
  EXPECT_EQ(totals.done, 2u);
  EXPECT_NE(totals.failure_messages.at(0).find("more than its file system can hold"), std::string::npos)
      << totals.failure_messages[0];
}

TEST_F(CoordinatorTest, ATerminatedRunEndsSoonAndLeavesNothingHalfDone) {
  add_device("two");
  items(4, R"({"seconds":60})");
  on_progress_ = [](const RunProgress& progress) {
    if (!progress.devices[0].item.empty()) raise(SIGTERM);
  };
  const Totals totals = run();
  EXPECT_TRUE(totals.interrupted);
  EXPECT_EQ(totals.done, 0u);
  EXPECT_LT(totals.seconds, 20);
  EXPECT_TRUE(left_over().empty());
}

TEST_F(CoordinatorTest, AStoppedRunKillsAWorkerThatDoesNotEnd) {
  items(2, R"({"do":"hang"})");
  on_progress_ = [](const RunProgress& progress) {
    if (!progress.devices[0].item.empty()) raise(SIGINT);
  };
  const Totals totals = run();
  EXPECT_TRUE(totals.interrupted);
  EXPECT_LT(totals.seconds, 20);
  EXPECT_TRUE(left_over().empty());
}

TEST_F(CoordinatorTest, ASecondSignalEndsTheRunAtOnce) {
  items(2, R"({"do":"hang"})");
  on_progress_ = [](const RunProgress& progress) {
    if (progress.devices[0].item.empty()) return;
    raise(SIGINT);
    raise(SIGTERM);
  };
  EXPECT_TRUE(run().interrupted);
  EXPECT_NE(test::text_of(folder_ / "out/.weir/events.jsonl").find("was killed: a second signal came"),
            std::string::npos);
  EXPECT_TRUE(left_over().empty());
}

TEST_F(CoordinatorTest, ThePauseFilePausesUntilItIsGone) {
  settings_.pause_file = folder_ / "pause";
  folder_.put("pause", "");
  items(2);
  int seen = 0;
  on_progress_ = [&](const RunProgress& progress) {
    EXPECT_EQ(progress.finished_items, 0u);
    if (progress.idle_reason == "paused" && ++seen == 3) {
      fs::remove(folder_ / "pause");
      on_progress_ = nullptr;
    }
  };
  EXPECT_EQ(run().done, 2u);
  EXPECT_EQ(seen, 3);
}

TEST_F(CoordinatorTest, ACtrlZBeforeTheWorkersStartSuspendsTheRun) {
  items(2);
  on_decision_ = [&] {
    if (listener_.decisions.size() == 1) raise(SIGTSTP);
  };
  const pid_t child = fork();
  if (child == 0) _exit(run().done == 2 ? 0 : 1);
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, WUNTRACED), child);
  ASSERT_TRUE(WIFSTOPPED(status)) << "it ended with status " << WEXITSTATUS(status);
  kill(child, SIGCONT);
  ASSERT_EQ(waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(CoordinatorTest, ACtrlCBeforeTheWorkersStartEndsTheRun) {
  items(2);
  on_decision_ = [] { raise(SIGINT); };
  const Totals totals = run();
  EXPECT_TRUE(totals.interrupted);
  EXPECT_EQ(totals.done, 0u);
  EXPECT_EQ(listener_.decisions.size(), 1u);
}

/// Returns the processor time of this process and of its children that have ended.
double processor_seconds() {
  double sum = 0;
  for (const int who : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage use{};
    getrusage(who, &use);
    for (const timeval& part : {use.ru_utime, use.ru_stime})
      sum += static_cast<double>(part.tv_sec) + 1e-6 * static_cast<double>(part.tv_usec);
  }
  return sum;
}

/// Sums the time in fsync, and measures the resident memory of the coordinator after the first finished item and at the
/// end. Stores nothing about single items, so that it does not grow itself.
class ResourceObserver final : public RunObserver {
 public:
  void on_decision(const Item&, const Decision&) override {}
  void on_item_result(const Item&, const ItemResult& result) override { sync_s += result.sync_s; }
  void on_progress(const RunProgress& progress) override {
    if (progress.finished_items > 0 && first_rss == Bytes{}) first_rss = resident_memory();
    last_rss = resident_memory();
  }
  void on_message(Severity, const std::string&) override {}
  double sync_s = 0;
  Bytes first_rss, last_rss;
};

TEST_F(CoordinatorTest, TheCoordinatorDoesNotGrowWithTenThousandTinyItems) {
  // A file system in memory, since the test measures the coordinator and not the disk.
  const Folder fast{fs::exists("/dev/shm") ? fs::path{"/dev/shm"} : fs::temp_directory_path()};
  constexpr std::size_t kItems = 10000;
  fast.put("in", "text");
  for (std::size_t i = 0; i < kItems; ++i)
    items_.push_back({.task = "fake", .inputs = {fast / "in"}, .outputs = {fast / ("out/" + std::to_string(i))}});
  settings_.outputs = fast / "out";
  ResourceObserver resources;
  observe::EventLog events;
  observe::Metrics metrics;
  Coordinator coordinator{settings_, items_, nullptr, resources, events, metrics};
  const double before = processor_seconds();
  const auto totals = coordinator.run();
  const double spent = processor_seconds() - before;
  ASSERT_TRUE(totals) << totals.error().what;
  EXPECT_EQ(totals->done, kItems);
  std::printf(
      "%zu tiny items: %.2f s, of these %.2f s in fsync; %.3f ms of processor time per item, all processes; "
      "the coordinator held %s after the first items and %s at the end\n",
      kItems, totals->seconds, resources.sync_s, 1e3 * spent / kItems, to_text(resources.first_rss).c_str(),
      to_text(resources.last_rss).c_str());
  EXPECT_LE(resources.last_rss, resources.first_rss + 2_MiB);
}

}  // namespace
}  // namespace weir::jobs

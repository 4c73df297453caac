#include "jobs/publish.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <algorithm>

#include "jobs/decision.hpp"
#include "jobs/execute.hpp"
#include "jobs/fake_task_test.hpp"

namespace weir::jobs {
namespace {

namespace fs = std::filesystem;
using weir::test::Folder;

class PublishTest : public ::testing::Test {
 protected:
  void SetUp() override { folder_.put("in/a", "abc"); }
  Item item() const {
    return {.task = "fake", .inputs = {folder_ / "in/a"}, .outputs = {folder_ / "out/a"}, .parameters = parameters_};
  }
  IdentitySource identity() const {
    return [this](const Item&, const Json&) { return Json{{"version", version_}}; };
  }
  Decision decision() const { return decide_item(item(), rules_, identity()); }
  /// Processes the item as a run would, which must decide to do so.
  ExecutionResult work(std::size_t variant = 0) const {
    test::FakeTask task{{{"version", version_}}, {}};
    const Decision now = decision();
    EXPECT_EQ(now.action, Action::work) << now.why;
    return execute(task, item(), {variant, now.replace, rules_.write_records, rules_.folder, "here"},
                   [](const Progress&) {}, {});
  }
  std::string output() const { return test::text_of(folder_ / "out/a"); }
  /// Sets the times of the file to an old date.
  void touch(const fs::path& name) const {
    const timespec times[2]{{1000, 0}, {1000, 0}};
    ASSERT_EQ(utimensat(AT_FDCWD, (folder_ / name).c_str(), times, 0), 0);
  }

  Folder folder_;
  RecordRules rules_;
  std::string parameters_ = "{}", version_ = "1";
};

TEST_F(PublishTest, AFinishedItemIsSkippedAndLeavesOutputAndCheckpoint) {
  EXPECT_TRUE(work().is_done());
  EXPECT_EQ(output(), "cba");
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{".a.fake.done", "a"}));
  EXPECT_EQ(decision().action, Action::skip);
}

TEST_F(PublishTest, ProgressIsReportedWhileLargeFilesAreHashed) {
  folder_.put("in/a", std::string(3 << 20, 'x'));
  std::vector<double> amounts;
  test::FakeTask task{{{"version", version_}}, {}};
  ASSERT_TRUE(execute(task, item(), {0, false, true, {}, "here"},
                      [&](const Progress& progress) { amounts.push_back(progress.amount); }, {})
                  .is_done());
  EXPECT_GE(amounts.size(), 6u);  // for each MiB of the input and of the output
  EXPECT_TRUE(std::is_sorted(amounts.begin(), amounts.end())) << "the amount of work went back";
}

TEST_F(PublishTest, ItIsDoneAgainWhenInputParametersOrIdentityChange) {
  ASSERT_TRUE(work().is_done());
  folder_.put("in/a", "xyz!");
  EXPECT_EQ(decision().why, "the input has changed");
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(output(), "!zyx");
  parameters_ = R"({"cost":3})";
  EXPECT_EQ(decision().why, "other parameters: cost");
  ASSERT_TRUE(work().is_done());
  version_ = "2";
  EXPECT_EQ(decision().why, "made with another version");
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(decision().action, Action::skip);
}

TEST_F(PublishTest, AResultOfADamagedInputIsSkippedOrDoneAgainAndFails) {
  ASSERT_TRUE(work().is_done());
  const fs::path done = record_paths(item(), {}).done;
  Record record = **read_record(done);
  record.damage = "the last 2 of 3 letters";
  folder_.put(done, to_text(record));
  rules_.use_damaged = true;
  EXPECT_EQ(decision().action, Action::skip);
  EXPECT_EQ(decision().damage, "the last 2 of 3 letters");
  rules_.use_damaged = false;
  EXPECT_EQ(decision().action, Action::work);
  EXPECT_TRUE(decision().replace);
  EXPECT_EQ(decision().why, "made from a damaged input");
}

TEST_F(PublishTest, AFailureOfADamagedInputIsKeptOnlyIfItsIntactPartWasTried) {
  folder_.put("in/a", "broken");
  ASSERT_FALSE(work().is_done());
  EXPECT_EQ(decision().action, Action::fail);
  rules_.use_damaged = true;
  EXPECT_EQ(decision().action, Action::work) << "the record says that damaged inputs were not allowed";
  const fs::path failed = record_paths(item(), {}).failed;
  Record record = **read_record(failed);
  record.allows_damaged_input = true;
  folder_.put(failed, to_text(record));
  EXPECT_EQ(decision().action, Action::fail);
}

TEST_F(PublishTest, IfOnlyTheMtimeDiffersTheContentsDecide) {
  ASSERT_TRUE(work().is_done());
  touch("in/a");
  touch("out/a");
  EXPECT_EQ(decision().action, Action::skip) << decision().why;
  folder_.put("in/a", "abd");
  EXPECT_EQ(decision().action, Action::work);
}

TEST_F(PublishTest, AnInputOfAnotherPathIsComparedByContents) {
  ASSERT_TRUE(work().is_done());
  folder_.put("elsewhere", "abd");  // the same size
  fs::last_write_time(folder_ / "elsewhere", fs::last_write_time(folder_ / "in/a"));
  Item other = item();
  other.inputs = {folder_ / "elsewhere"};
  EXPECT_EQ(decide_item(other, rules_, identity()).action, Action::work);
  folder_.put("elsewhere", "abc");
  EXPECT_EQ(decide_item(other, rules_, identity()).action, Action::skip);
}

TEST_F(PublishTest, AnOutputThatWeirDidNotMakeIsKept) {
  folder_.put("out/a", "precious");
  EXPECT_EQ(decision().action, Action::keep_existing);
  rules_.overwrite = true;
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(output(), "cba");
  rules_.overwrite = false;
  folder_.put("out/a", "edited");
  EXPECT_EQ(decision().action, Action::keep_existing);
  EXPECT_EQ(output(), "edited");
}

TEST_F(PublishTest, AnOutputThatAppearsDuringTheWorkIsKept) {
  test::FakeTask task{{}, {}};
  folder_.put("out/a", "came later");
  const ExecutionResult result = execute(task, item(), {0, false, true, {}, "here"}, [](const Progress&) {}, {});
  ASSERT_FALSE(result.is_done());
  EXPECT_EQ(result.attempt.error->code, Errc::exists);
  EXPECT_EQ(output(), "came later");
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{"a"}));
}

TEST_F(PublishTest, DamageIsFoundByVerify) {
  ASSERT_TRUE(work().is_done());
  const auto time = fs::last_write_time(folder_ / "out/a");
  folder_.put("out/a", "cbX");
  fs::last_write_time(folder_ / "out/a", time);
  EXPECT_EQ(decision().action, Action::skip);
  rules_.verify = true;
  EXPECT_EQ(decision().why, "the output is damaged");
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(output(), "cba");
}

TEST_F(PublishTest, AnOutputThatIsGoneIsMadeAgain) {
  ASSERT_TRUE(work().is_done());
  fs::remove(folder_ / "out/a");
  EXPECT_EQ(decision().why, "the output is gone");
  EXPECT_TRUE(work().is_done());
}

TEST_F(PublishTest, ASmallerVariantCountsUntilAnUpgrade) {
  ASSERT_TRUE(work(1).is_done());
  EXPECT_EQ(decision().action, Action::skip);
  rules_.upgrade = true;
  EXPECT_EQ(decision().why, "made with a smaller variant: small");
  ASSERT_TRUE(work(0).is_done());
  EXPECT_EQ(decision().action, Action::skip);
}

TEST_F(PublishTest, AnotherComputeConfigIsDoneAgainOnlyWhenOneIsRequired) {
  ASSERT_TRUE(work().is_done());
  rules_.required_config = ComputeConfig{"fake", "", "", ""};
  EXPECT_EQ(decision().action, Action::skip);
  rules_.required_config = ComputeConfig{"gpu", "float16", "1.2", ""};
  EXPECT_EQ(decision().action, Action::work);
}

TEST_F(PublishTest, APersistentFailureIsRecorded) {
  folder_.put("in/a", "broken");
  EXPECT_FALSE(work().is_done());
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{".a.fake.failed"}));
  EXPECT_EQ(decision().action, Action::fail);
  EXPECT_EQ(decision().failure->what, "the input is broken");
  rules_.retry_failed = true;
  EXPECT_EQ(decision().action, Action::work);
  rules_.retry_failed = false;
  folder_.put("in/a", "mended");
  EXPECT_TRUE(work().is_done());
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{".a.fake.done", "a"}));
}

TEST_F(PublishTest, TransientFailuresLeaveNoFiles) {
  for (const char* parameters : {R"({"do":"throw"})", R"({"do":"lose device"})", R"({"do":"run out"})"}) {
    parameters_ = parameters;
    EXPECT_FALSE(work().is_done()) << parameters;
    EXPECT_TRUE(folder_.list_files("out").empty()) << parameters;
  }
  fs::remove(folder_ / "in/a");
  parameters_ = "{}";
  EXPECT_EQ(work().attempt.error->code, Errc::io);
}

TEST_F(PublishTest, WithoutWriteRecordsNoRecordIsWritten) {
  rules_.write_records = false;
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(decision().action, Action::keep_existing);
}

TEST_F(PublishTest, RecordsMayBeInASeparateFolder) {
  rules_.folder = folder_ / "records";
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(folder_.list_files("out"), (std::vector<std::string>{"a"}));
  EXPECT_EQ(folder_.list_files("records").size(), 1u);
  EXPECT_EQ(decision().action, Action::skip);
}

TEST_F(PublishTest, AnOutputThatReplacesItsInputIsMadeOnce) {
  Item item{.task = "fake", .inputs = {folder_ / "in/a"}, .outputs = {folder_ / "in/a"}};
  rules_.overwrite = true;
  test::FakeTask task{{{"version", version_}}, {}};
  ASSERT_TRUE(execute(task, item, {0, true, true, {}, "here"}, [](const Progress&) {}, {}).is_done());
  rules_.overwrite = false;
  EXPECT_EQ(decide_item(item, rules_, identity()).action, Action::skip);
  EXPECT_EQ(test::text_of(folder_ / "in/a"), "cba");
  std::string text = test::text_of(folder_ / "in/.a.fake.done");
  text.replace(text.find("\"format\":2"), 10, "\"format\":7");
  folder_.put("in/.a.fake.done", text);
  EXPECT_EQ(decide_item(item, rules_, identity()).action, Action::skip)
      << "processing it again would use the result as the input";
}

TEST_F(PublishTest, ACheckpointCutOffAnywhereIsIgnoredAndTheOutputIsKept) {
  ASSERT_TRUE(work().is_done());
  const std::string whole = test::text_of(folder_ / "out/.a.fake.done");
  for (std::size_t length = 0; length < whole.size(); length += 1) {
    folder_.put("out/.a.fake.done", whole.substr(0, length));
    ASSERT_EQ(decision().action, Action::keep_existing) << length;
    ASSERT_EQ(output(), "cba");
  }
  folder_.put("out/.a.fake.done", whole);
  EXPECT_EQ(decision().action, Action::skip);
}

/// Changes the record to the format of another version of weir.
void put_other_format(const Folder& folder, const std::string& record) {
  std::string text = folder.text(record);
  const auto at = text.find("\"format\":2");
  ASSERT_NE(at, std::string::npos) << text;
  folder.put(record, text.replace(at, 10, "\"format\":7"));
}

TEST_F(PublishTest, AnItemWithARecordOfAnotherFormatIsDoneAgainUnlessItsOutputWasChanged) {
  ASSERT_TRUE(work().is_done());
  put_other_format(folder_, "out/.a.fake.done");
  EXPECT_TRUE(decision().record_has_other_format);
  EXPECT_EQ(decision().why, "its checkpoint has format 7; this weir writes 2");
  ASSERT_TRUE(work().is_done());
  EXPECT_EQ(decision().action, Action::skip);

  put_other_format(folder_, "out/.a.fake.done");
  folder_.put("out/a", "my own");
  touch("out/a");  // older than the checkpoint
  EXPECT_EQ(decision().action, Action::keep_existing);
  folder_.put("out/.a.fake.done", "{\"format\":7,\"task\":\"fake\"}\n");
  EXPECT_EQ(decision().action, Action::keep_existing)
      << "the record lists no output, so weir may not have made this one";
  folder_.put("out/.a.fake.done", "{\"task\":\"fake\"}\n");
  EXPECT_EQ(decision().action, Action::keep_existing) << "a record without a format is of no version";
}

TEST_F(PublishTest, AFailureRecordedInAnotherFormatIsTriedAgain) {
  folder_.put("in/a", "broken");
  ASSERT_FALSE(work().is_done());
  EXPECT_EQ(decision().action, Action::fail);
  put_other_format(folder_, "out/.a.fake.failed");
  EXPECT_EQ(decision().action, Action::work);
  EXPECT_TRUE(decision().record_has_other_format);
  EXPECT_FALSE(decision().replace);
}

TEST_F(PublishTest, AnIntentRecordCutOffAnywhereIsRemovedAndPublishesNothing) {
  ASSERT_TRUE(work().is_done());
  const std::string whole = test::text_of(folder_ / "out/.a.fake.done");
  for (std::size_t length = 0; length < whole.size(); length += 7) {
    fs::remove(folder_ / "out/.a.fake.done");
    folder_.put("out/.a.fake.intent", whole.substr(0, length));
    ASSERT_EQ(decision().action, Action::keep_existing) << length;
    ASSERT_FALSE(fs::exists(folder_ / "out/.a.fake.intent"));
  }
  folder_.put("out/.a.fake.intent", whole);
  EXPECT_EQ(decision().action, Action::skip);
  folder_.put("out/.a.fake.intent", whole);
  fs::remove(folder_ / "out/.a.fake.done");
  folder_.put("out/a", "cbX");  // not the content that the intent record describes
  EXPECT_EQ(decision().action, Action::keep_existing);
}

/// Runs `work` in a child and kills it when it has entered or left a system call `calls` times. Returns false if the
/// child ended before that.
/// Source: ptrace(2): PTRACE_SYSCALL stops a process at each entry and exit of a system call.
template <class Work>
bool killed_after(int calls, Work work) {
  const pid_t child = fork();
  if (child == 0) {
    if (ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) _exit(1);  // the caller then skips its test
    raise(SIGSTOP);
    work();
    _exit(0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  for (int i = 0; i < calls && WIFSTOPPED(status); ++i) {
    ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    waitpid(child, &status, 0);
  }
  if (!WIFSTOPPED(status)) return false;
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  return true;
}

/// The parameter: false: the first result of an item; true: a result that replaces an older one.
class KilledAnywhere : public PublishTest, public ::testing::WithParamInterface<bool> {};

TEST_P(KilledAnywhere, TheNextRunFinishesTheItem) {
  const bool again = GetParam();
  int adopted = 0;
  int calls = 0;
  for (;; ++calls) {
    std::error_code ignored;
    fs::remove_all(folder_ / "out", ignored);
    folder_.put("in/a", "abc");
    parameters_ = "{}";
    if (again) {
      ASSERT_TRUE(work().is_done());
      parameters_ = R"({"cost":2})";
      folder_.put("in/a", "another");
    }
    const std::string expected = again ? "rehtona" : "cba";
    const bool killed = killed_after(calls, [&] { (void)work(); });
    if (calls == 0 && !killed) GTEST_SKIP() << "ptrace is not allowed here";
    // The output is either the complete old one or the complete new one.
    const std::string now = output();
    ASSERT_TRUE(now == expected || now == (again ? "cba" : "")) << calls << ": " << now;
    const Decision decision = this->decision();
    ASSERT_TRUE(decision.action == Action::work || decision.action == Action::skip)
        << calls << ": " << decision.why << (decision.failure ? decision.failure->what : "");
    adopted += decision.adopted ? 1 : 0;
    if (decision.action == Action::work) {
      ASSERT_TRUE(work().is_done()) << calls;
    }
    ASSERT_EQ(output(), expected) << calls;
    ASSERT_EQ(folder_.list_files("out"), (std::vector<std::string>{".a.fake.done", "a"})) << calls;
    ASSERT_EQ(this->decision().action, Action::skip) << calls;
    if (!killed) break;
  }
  EXPECT_GT(calls, 30) << "fewer system calls than the work needs, so the kills came before it";
  EXPECT_GT(adopted, 0);
}
INSTANTIATE_TEST_SUITE_P(Publish, KilledAnywhere, ::testing::Bool());

TEST(DecideItem, ManyCheckpointsTakeLittleTime) {
  Folder folder;
  constexpr int kItems = 2000;  // a fifth of the ten thousand that bench/jobs measures, for slow machines
  std::vector<Item> items;
  test::FakeTask task{{{"version", "1"}}, {}};
  folder.put("in", "abc");
  Item first{.task = "fake", .inputs = {folder / "in"}, .outputs = {folder / "out/0"}};
  ASSERT_TRUE(execute(task, first, {0, false, true, {}, "here"}, [](const Progress&) {}, {}).is_done());
  const std::string record = test::text_of(folder / "out/.0.fake.done");
  for (int i = 0; i < kItems; ++i) {
    const std::string name = std::to_string(i);
    if (i > 0) {
      folder.put("out/." + name + ".fake.done", record);
      fs::create_hard_link(folder / "out/0", folder / ("out/" + name));
    }
    items.push_back({.task = "fake", .inputs = {folder / "in"}, .outputs = {folder / ("out/" + name)}});
  }
  const auto start = std::chrono::steady_clock::now();
  for (const Item& item : items) {
    const Decision decision = decide_item(item, {}, [](const Item&, const Json&) { return Json{{"version", "1"}}; });
    ASSERT_EQ(decision.action, Action::skip) << decision.why;
  }
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(seconds, 20) << "ten thousand items take less than a second on an idle machine (bench/jobs)";
}

}  // namespace
}  // namespace weir::jobs

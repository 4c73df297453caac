// Tests of the built program on an invented machine (fake_machine.hpp): weir run with items.

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <set>

#include "fake_machine.hpp"
#include "places.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

/// An invented machine with two cards, in whose folder `weir run` runs.
class CliRunItems : public ::testing::Test {
 protected:
  ProgramResult weir_run(std::vector<std::string> arguments, const std::string& input = {}) const {
    arguments.insert(arguments.begin(), "run");
    ProgramOptions options = machine_.options({{"VK_DRIVER_FILES", "/nonexistent"}});
    options.input = input;
    options.while_running = meanwhile_;
    return run(arguments, options);
  }
  std::string text(const std::string& name) const { return machine_.folder().text(name); }
  bool exists(const std::string& name) const { return fs::exists(machine_.folder() / name); }
  void put(const std::string& name, const std::string& content) const { machine_.folder().put(name, content); }
  /// Returns how often `what` occurs in the text.
  static std::size_t count(const std::string& text, const std::string& what) {
    std::size_t found = 0;
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++found;
    return found;
  }

  FakeMachine machine_;
  std::function<void(pid_t)> meanwhile_;  // called while weir runs, with its process id; may be empty
};

TEST_F(CliRunItems, FortyItemsTenWorkersAndOneSlot) {
  std::vector<std::string> arguments{"--device",
                                     "3090",
                                     "-j",
                                     "10",
                                     "--gpu-jobs",
                                     "1",
                                     "--json",
                                     "--",
                                     "sh",
                                     "-c",
                                     "mkdir busy || echo clash; echo $CUDA_VISIBLE_DEVICES $0; rmdir busy",
                                     "{}",
                                     ":::"};
  for (int i = 0; i < 40; ++i) arguments.push_back("item " + std::to_string(i));
  const ProgramResult result = weir_run(arguments);
  ASSERT_EQ(result.status, 0) << result.error;
  for (int i = 0; i < 40; ++i) {
    const std::string item = "item " + std::to_string(i);
    EXPECT_EQ(text("weir-run/" + item + ".log"), "GPU-aaaa0000-1111-2222-3333-444455556666 " + item + "\n");
  }
  EXPECT_EQ(count(result.out, "\"status\":\"done\""), 40u);
  EXPECT_NE(result.out.find("\"sequential_seconds\":"), std::string::npos);
  EXPECT_TRUE(result.error_contains("40 of 40 commands done")) << result.error;
  EXPECT_TRUE(result.error_contains("speed-up ")) << result.error;
}

TEST_F(CliRunItems, CommandsOverlapExceptInTheirPartsUnderTheLease) {
  // The first part of a command ends when both commands run. The second part runs under a lease that the command takes
  // itself.
  put("work.sh",
      "touch here.$1; n=0; while ! { test -e here.a && test -e here.b; } && test $n -lt 6000; do sleep 0.01;"
      " n=$((n+1)); done; test $n -lt 6000 || exit 1\n"
      "exec " +
          std::string{places::program()} +
          " lease hold -q -- sh -c 'mkdir busy || echo clash; sleep 0.05; rmdir busy'\n");
  const ProgramResult result = weir_run({"--gpu", "inside", "-j", "2", "--", "sh", "work.sh", ":::", "a", "b"});
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(text("weir-run/a.log") + text("weir-run/b.log"), "") << "only one command at a time was under the lease";
  EXPECT_TRUE(result.error_contains("with their waits for the device, add up to")) << result.error;
}

TEST_F(CliRunItems, AKilledRunIsResumed) {
  put("block", "");
  put("work.sh", "echo $1 >> started; test $1 != slow || while test -e block; do sleep 0.05; done\n");
  const std::vector<std::string> arguments{"--gpu",   "inside", "-j", "2", "--resume", "--",  "sh",
                                           "work.sh", ":::",    "a",  "b", "c",        "slow"};
  meanwhile_ = [&](pid_t child) {
    EXPECT_TRUE(wait_until([&] {
      return exists("weir-run/.a.log.command.done") && exists("weir-run/.b.log.command.done") &&
             exists("weir-run/.c.log.command.done") && text("started").find("slow") != std::string::npos;
    }));
    kill(child, SIGKILL);
  };
  EXPECT_EQ(weir_run(arguments).status, 128 + SIGKILL);
  meanwhile_ = nullptr;
  fs::remove(machine_.folder() / "block");
  const ProgramResult result = weir_run(arguments);
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_TRUE(result.error_contains("1 of 4 commands done, 3 done before")) << result.error;
  EXPECT_EQ(count(text("started"), "a\n"), 1u);
  EXPECT_EQ(count(text("started"), "slow\n"), 2u);
  const ProgramResult again = weir_run({"--gpu", "inside", "--", "sh", "work.sh", ":::", "a"});  // without --resume
  EXPECT_TRUE(again.error_contains("1 of 1 commands done (1 again)")) << again.error;
  put("work.sh", "true\n");
  const ProgramResult changed =
      weir_run({"--gpu", "inside", "--resume", "--explain", "--", "sh", "work.sh", ":::", "a"});
  EXPECT_TRUE(changed.error_contains("a: done again: the input has changed")) << changed.error;
}

TEST_F(CliRunItems, ATimeoutIsAFailureAndAFailureIsRetried) {
  const ProgramResult slow = weir_run({"--gpu", "inside", "--timeout", "0.2", "--", "sleep", "1000", ":::", "--"});
  EXPECT_EQ(slow.status, 1);
  EXPECT_TRUE(slow.error_contains("not done within 0.2 s")) << slow.error;
  const ProgramResult twice = weir_run({"--gpu", "inside", "--retries", "1", "--", "sh", "-c",
                                        "test -e seen.$0 || { touch seen.$0; exit 9; }", ":::", "a"});
  EXPECT_EQ(twice.status, 0) << twice.error;
  EXPECT_TRUE(twice.error_contains("a: exit status 9; it is tried again")) << twice.error;
}

TEST_F(CliRunItems, AFailureIsNamedAndRecordedAndItsOutputIsKept) {
  const std::vector<std::string> arguments{
      "--gpu", "inside", "--resume", "--junit", "report.xml", "--", "sh", "-c", "echo \"about <$0>\"; test $0 != bad",
      ":::",   "good",   "bad"};
  const ProgramResult result = weir_run(arguments);
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("bad: exit status 1; its output is in ")) << result.error;
  EXPECT_EQ(text("weir-run/bad.failed.log"), "about <bad>\n");
  EXPECT_FALSE(exists("weir-run/bad.log"));
  EXPECT_TRUE(exists("weir-run/.bad.log.command.failed"));
  const std::string junit = text("report.xml");
  EXPECT_NE(junit.find("tests=\"2\" failures=\"1\""), std::string::npos) << junit;
  EXPECT_NE(junit.find("<failure message=\"exit status 1\">about &lt;bad&gt;\n</failure>"), std::string::npos) << junit;
  const ProgramResult resumed = weir_run(arguments);
  EXPECT_EQ(resumed.status, 1);
  EXPECT_TRUE(resumed.error_contains("0 of 2 commands done, 1 done before, 1 failed")) << resumed.error;
}

TEST_F(CliRunItems, ItemsComeFromAFileAndFromStandardInput) {
  put("list", "one\n\ntwo three\r\n");
  const ProgramResult result = weir_run({"--gpu", "inside", "--", "echo", "{}", "::::", "list", "-"}, "four");
  EXPECT_EQ(result.status, 0) << result.error;
  EXPECT_EQ(text("weir-run/one.log") + text("weir-run/two three.log") + text("weir-run/four.log"),
            "one\ntwo three\nfour\n");
  EXPECT_EQ(weir_run({"--", "echo", "::::", "no-such-list"}).status, 2);
}

TEST_F(CliRunItems, PlaceholdersAreReplacedWithoutAShell) {
  const std::vector<std::string> arguments{
      "--gpu", "inside", "--device",     "3090", "-o",          "out", "--",         "printf",     "%s|",
      "{}",    "{.}",    "{/} {device}", "{x}",  "$(touch no)", ":::", "sub/a;b.py", "../up/{}.py"};
  ASSERT_EQ(weir_run(arguments).status, 0);
  EXPECT_EQ(text("out/sub/a;b.py.log"),
            "sub/a;b.py|sub/a;b|a;b.py NVIDIA GeForce RTX 3090 at 0000:02:00.0|{x}|$(touch no)|");
  EXPECT_TRUE(text("out/_up_/up/{}.py.log").starts_with("../up/{}.py|../up/{}|{}.py "))
      << "placeholders in an item are not replaced";
  EXPECT_FALSE(exists("no"));
}

TEST_F(CliRunItems, OutputsAppearWholeOrNotAtAll) {
  put("in/a.txt", "text a");
  put("in/b.txt", "text b");
  const std::vector<std::string> arguments{
      "--gpu",    "inside",  "-o",         "out",
      "--",       "sh",      "-c",         "cp $0 $1; test -e ok || test $0 != in/b.txt; echo side > $2",
      "{}",       "{out}",   "{out}.side", ":::",
      "in/a.txt", "in/b.txt"};
  const ProgramResult first = weir_run(arguments);
  EXPECT_EQ(first.status, 0) << first.error;
  EXPECT_EQ(text("out/in/a.txt"), "text a");
  EXPECT_EQ(text("out/in/a.side"), "side\n");
  const ProgramResult missing =
      weir_run({"--gpu", "inside", "-o", "other", "--", "test", "{}", "!=", "{out}", ":::", "x"});
  EXPECT_EQ(missing.status, 1);
  EXPECT_TRUE(missing.error_contains("did not write")) << missing.error;
  const ProgramResult half =
      weir_run({"--gpu", "inside", "-o", "third", "--", "sh", "-c", "echo half > $0; exit 1", "{out}", ":::", "{}x"});
  EXPECT_EQ(half.status, 1);
  EXPECT_FALSE(exists("third/{}x")) << half.error;
  for (const std::string& name : machine_.folder().list_files()) EXPECT_FALSE(name.ends_with(".tmp")) << name;
}

TEST_F(CliRunItems, AnExistingFileIsKept) {
  put("weir-run/a.log", "mine");
  const ProgramResult result = weir_run({"--gpu", "inside", "--", "echo", ":::", "a"});
  EXPECT_EQ(result.status, 1);
  EXPECT_EQ(text("weir-run/a.log"), "mine");
  EXPECT_EQ(weir_run({"--gpu", "inside", "--overwrite", "--", "echo", ":::", "a"}).status, 0);
}

TEST_F(CliRunItems, WrongTemplatesAndListsAreWrongUsage) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--", ":::", "a"}, "no command"},
      {{"--", "echo", ":::"}, "no items"},
      {{"--", "echo", ":::", "a", ":::", "b"}, "and only once"},
      {{"--", "echo", ":::", ""}, "an item is empty"},
      {{"--", "echo", ":::", "a", "a"}, "the item 'a' is in the list twice"},
      {{"--", "echo", ":::", "a", "./a"}, "'a' and './a'"},
      {{"--", "echo", "{variant}", ":::", "a"}, "no --variants"},
      {{"--", "echo", "{out}/x", ":::", "a"}, "one file and no folder"},
      {{"--", "echo", "{out}.log", ":::", "a"}, "twice"},
      {{"-j", "0", "--", "echo", ":::", "a"}, "'0'"},
  };
  for (const auto& [arguments, problem] : cases) {
    const ProgramResult result = weir_run(arguments);
    EXPECT_EQ(result.status, 2) << problem;
    EXPECT_TRUE(result.error_contains(problem)) << result.error;
  }
  EXPECT_FALSE(exists("weir-run"));
  const ProgramResult single = weir_run({"--junit", "x", "--", "true"});
  EXPECT_EQ(single.status, 125);
  EXPECT_TRUE(single.error_contains("--junit is for items")) << single.error;
}

TEST_F(CliRunItems, IfTheCommandDoesNotExistEachItemFailsAndIsNotRecorded) {
  const std::vector<std::string> arguments{"--gpu",           "inside", "--retries", "2", "--",
                                           "no-such-program", ":::",    "a",         "b"};
  const ProgramResult result = weir_run(arguments);
  EXPECT_EQ(result.status, 1);
  EXPECT_TRUE(result.error_contains("a: no-such-program: cannot be run: No such file")) << result.error;
  EXPECT_FALSE(exists("weir-run/.a.log.command.failed")) << "it may be installed before the next run";
}

}  // namespace
}  // namespace weir::test

// Tests of the built program: `weir audit`, its exit status, output and files.
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include "audit/audit.hpp"
#include "audit/rules/rule.hpp"
#include "audit/run_program.hpp"
#include "places.hpp"
#include "program.hpp"

namespace weir::test {
namespace {

using Json = nlohmann::json;

// A program that selects its GPU after it has imported torch (rule G01), and the same program after the fix.
const std::string kLate = "import torch\nimport os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', 'GPU-1')\n";
const std::string kRight = "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', 'GPU-1')\nimport torch\n";

/// Returns the options to run weir in the folder, without the user's settings of git.
ProgramOptions in(const Folder& folder) {
  return {.folder = folder.path(), .variables = {{"PATH", "/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}}};
}

TEST(CliAudit, TheExitStatusDistinguishesCleanFindingsAndWrongUsage) {
  const Folder folder;
  folder.put("a/good.py", kRight);
  folder.put("b/bad.py", kLate);
  EXPECT_EQ(run({"audit", "a"}, in(folder)).status, 0);
  const ProgramResult bad = run({"audit", "b"}, in(folder));
  EXPECT_EQ(bad.status, 1);
  EXPECT_TRUE(bad.out.starts_with("b/bad.py:3:1: fragile G01 ")) << bad.out;
  for (const std::vector<std::string>& arguments : {std::vector<std::string>{"audit"},
                                                    {"audit", "none"},
                                                    {"audit", "a", "--select", "G99"},
                                                    {"audit", "a", "--format", "x"},
                                                    {"audit", "--explain", "G99"},
                                                    {"audit", "a", "--policy", "none.toml"}}) {
    const ProgramResult result = run(arguments, in(folder));
    EXPECT_EQ(result.status, 2) << arguments.back();
    EXPECT_EQ(result.error_lines(), 1u) << result.error;
  }
}

TEST(CliAudit, ACommentThatNamesNoRuleIsAWarningAndChangesNoStatus) {
  const Folder folder;
  folder.put("good.py", kRight + "x = 1  # weir: ignore[G3]\n");
  const ProgramResult result = run({"audit", "."}, in(folder));
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(result.error_lines(), 1u) << result.error;
  EXPECT_TRUE(
      result.error_contains("good.py:4: this comment allows nothing: there is no rule 'G3' (did you mean 'G03'?)"))
      << result.error;
  EXPECT_EQ(Json::parse(run({"audit", ".", "--format", "json"}, in(folder)).out)["notes"].size(), 1u);
}

TEST(CliAudit, SelectIgnoreAndPolicyChooseTheRules) {
  const Folder folder;
  folder.put("bad.py", kLate + "torch.zeros(1).cuda()\nif __name__ == '__main__':\n    pass\n");
  EXPECT_EQ(run({"audit", ".", "--ignore", "G01"}, in(folder)).status, 0);
  EXPECT_EQ(run({"audit", ".", "--select", "G08,G20"}, in(folder)).status, 0);
  EXPECT_EQ(run({"audit", ".", "--select", "G13"}, in(folder)).status, 1);
  folder.put("weir.toml", "[audit]\ndevice = \"GPU-1\"\nexclude = [\"old\"]\n");
  folder.put("old/bad.py", kLate);
  const ProgramResult result = run({"audit", "."}, in(folder));
  EXPECT_NE(result.out.find("G13"), std::string::npos);
  EXPECT_EQ(result.out.find("old/"), std::string::npos);
  folder.put("weir.toml", "[audit]\ncolour = 1\n");
  const ProgramResult wrong = run({"audit", "."}, in(folder));
  EXPECT_EQ(wrong.status, 2);
  EXPECT_TRUE(wrong.error_contains("weir.toml:2: unknown setting 'colour'")) << wrong.error;
}

TEST(CliAudit, EveryFormatHasItsStructure) {
  const Folder folder;
  folder.put("b%d,<&.py", kLate + "# weir: ignore[G10] one card\nos.environ['CUDA_VISIBLE_DEVICES'] = 'GPU-1'\n");
  const Json json = Json::parse(run({"audit", ".", "--format", "json"}, in(folder)).out);
  EXPECT_EQ(json["findings"][0]["rule"], "G01");
  EXPECT_EQ(json["findings"][0]["line"], 3);
  const Json sarif = Json::parse(run({"audit", ".", "--format", "sarif"}, in(folder)).out);
  EXPECT_EQ(sarif["version"], "2.1.0");
  const Json& first = sarif["runs"][0]["results"][0];
  EXPECT_EQ(first["ruleId"], sarif["runs"][0]["tool"]["driver"]["rules"][first["ruleIndex"].get<int>()]["id"]);
  EXPECT_EQ(first["partialFingerprints"]["weir/v1"].get<std::string>().size(), 16u);
  EXPECT_FALSE(first["fixes"][0]["artifactChanges"][0]["replacements"].empty());
  EXPECT_EQ(first["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], "b%25d%2C%3C%26.py");
  bool suppressed = false;
  for (const Json& each : sarif["runs"][0]["results"]) suppressed = suppressed || each.contains("suppressions");
  EXPECT_TRUE(suppressed);
  EXPECT_TRUE(
      run({"audit", ".", "--format", "github"}, in(folder)).out.starts_with("::warning file=b%25d%2C<&.py,line=3"));
  EXPECT_NE(run({"audit", ".", "--format", "junit"}, in(folder)).out.find("name=\"b%d,&lt;&amp;.py\""),
            std::string::npos);
  EXPECT_NE(run({"audit", ".", "--format", "md"}, in(folder)).out.find("| G01 | fragile |"), std::string::npos);
  EXPECT_NE(run({"audit", ".", "--stats"}, in(folder)).out.find(" G01 mask set after"), std::string::npos);
}

TEST(CliAudit, ABaselineSuppressesOldFindingsOnly) {
  const Folder folder;
  folder.put("a.py", kLate);
  EXPECT_EQ(run({"audit", ".", "--baseline", "base", "--write-baseline"}, in(folder)).status, 0);
  EXPECT_EQ(run({"audit", ".", "--baseline", "base"}, in(folder)).status, 0);
  folder.put("a.py", "# one line more\n" + kLate);
  EXPECT_EQ(run({"audit", ".", "--baseline", "base"}, in(folder)).status, 0);
  folder.put("b.py", kLate);
  EXPECT_EQ(run({"audit", ".", "--baseline", "base"}, in(folder)).status, 1);
  EXPECT_EQ(run({"audit", ".", "--baseline", "a.py"}, in(folder)).status, 2);
  EXPECT_EQ(run({"audit", "a.py", "--baseline", "base"}, in(folder)).status, 0) << "the same file by another path";
}

TEST(CliAudit, FindingsInTheBaselineAreNotFixed) {
  const Folder folder;
  folder.put("old.py", kLate);
  EXPECT_EQ(run({"audit", ".", "--baseline", "base", "--write-baseline"}, in(folder)).status, 0);
  folder.put("new.py", kLate);
  const ProgramResult diff = run({"audit", ".", "--baseline", "base", "--diff"}, in(folder));
  EXPECT_NE(diff.out.find("new.py"), std::string::npos);
  EXPECT_EQ(diff.out.find("old.py"), std::string::npos);
  const ProgramResult fixed = run({"audit", ".", "--baseline", "base", "--fix"}, in(folder));
  EXPECT_EQ(fixed.status, 0) << fixed.out;
  EXPECT_EQ(folder.text("new.py"), kRight);
  EXPECT_EQ(folder.text("old.py"), kLate);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"audit", ".", "--fix", "--baseline", "base", "--write-baseline"},
        {"audit", ".", "--write-baseline"},
        {"audit", "plan", ".", "--baseline", "base"}}) {
    const ProgramResult result = run(arguments, in(folder));
    EXPECT_EQ(result.status, 2) << arguments.back();
    EXPECT_EQ(result.error_lines(), 1u) << result.error;
  }
}

TEST(CliAudit, BadInputIsReportedInOneLineAndTheRestIsChecked) {
  const Folder folder;
  folder.put("good.py", kRight);
  folder.put("binary.py", std::string("x\0y", 3));
  folder.put("utf16.py", "\xFF\xFEi\0m\0");
  folder.put("latin.py", "# \xE9t\xE9\n" + kRight);
  folder.put("python2.py", "print 'gpu'\nexec 'x'\n" + kRight);
  folder.put("broken.py", "import torch\ndef f(:\n  gpu = (((\n");
  folder.put("large.py", std::string(5 << 20, '#'));
  folder.put("new\nline.py", kLate);
  fs::create_directory_symlink(folder.path(), folder / "loop");
  fs::create_symlink("nowhere", folder / "dangling.py");
  fs::create_symlink("itself.py", folder / "itself.py");
  ::mkfifo((folder / "pipe.py").c_str(), 0600);
  const ProgramResult result = run({"audit", "."}, in(folder));
  EXPECT_EQ(result.status, 1);
  for (const char* expected : {"binary.py: is binary", "utf16.py: is UTF-16", "broken.py:", "large.py: is 5",
                               "pipe.py: is not a regular", "dangling.py: cannot be read", "itself.py: cannot be read"})
    EXPECT_TRUE(result.error_contains(expected)) << expected << "\n" << result.error;
  EXPECT_EQ(result.error.find("latin.py"), std::string::npos) << result.error;
  EXPECT_EQ(result.error.find("python2.py"), std::string::npos) << result.error;
  EXPECT_NE(result.out.find("new\\nline.py:3:1"), std::string::npos) << result.out;
}

/// Root can read every file, so the process becomes the user `nobody` for the lifetime of this object.
class AsNobody {
 public:
  AsNobody() : works_{::geteuid() != 0 || ::seteuid(65534) == 0} {}
  ~AsNobody() { (void)!::seteuid(::getuid()); }
  AsNobody(const AsNobody&) = delete;
  AsNobody& operator=(const AsNobody&) = delete;
  bool works() const { return works_; }

 private:
  bool works_;
};

TEST(CliAudit, UnreadableFilesAreNamed) {
  const Folder folder;
  for (const char* name : {"good.py", "closed.py", "closed/a.py"}) folder.put(name, kRight);
  fs::permissions(folder.path(), fs::perms{0755});
  for (const char* name : {"closed.py", "closed"}) fs::permissions(folder / name, fs::perms::none);
  std::vector<std::string> problems;
  {
    const AsNobody nobody;
    if (!nobody.works()) GTEST_SKIP() << "root cannot become another user here";
    const auto audit = audit::run_audit({.operands = {folder.path().native()}});
    ASSERT_TRUE(audit);
    EXPECT_EQ(audit->project->modules().size(), 1u);
    problems = audit->problems;
  }
  fs::permissions(folder / "closed", fs::perms::owner_all);
  ASSERT_EQ(problems.size(), 2u);
  for (const std::string& problem : problems)
    EXPECT_NE(problem.find("cannot be read: Permission denied"), std::string::npos) << problem;
}

TEST(CliAudit, SubmodulesAreLeftOutUnlessTheyAreOperands) {
  const Folder folder;
  folder.put("lib/.git", "gitdir: ../.git/modules/lib\n");
  folder.put("lib/bad.py", kLate);
  folder.put("good.py", kRight);
  EXPECT_EQ(run({"audit", "."}, in(folder)).status, 0);
  EXPECT_EQ(run({"audit", "lib"}, in(folder)).status, 1);
}

TEST(CliAudit, FilesThatGitIgnoresAreLeftOut) {
  const Folder folder;
  folder.put(".git/HEAD", "");
  folder.put(".gitignore", "build/\n*.gen.py\n!keep.gen.py\n/top.py\n");
  for (const char* name :
       {"build/a.py", "x.gen.py", "keep.gen.py", "top.py", "sub/top.py", "sub/build/a.py", "node_modules/a.py"})
    folder.put(name, kLate);
  folder.put("sub/.gitignore", "local.py\n");
  folder.put("sub/local.py", kLate);
  const Json json = Json::parse(run({"audit", "sub", "keep.gen.py", ".", "--format", "json"}, in(folder)).out);
  std::vector<std::string> files;
  for (const Json& finding : json["findings"]) files.push_back(finding["file"]);
  EXPECT_EQ(json["files"], 2) << json.dump(1);
}

TEST(CliAudit, TrackedFilesAreReadEvenIfGitIgnoresThem) {
  const Folder folder;
  folder.put(".gitignore", "*\n!*.py\n");
  folder.put("sub/tracked.py", kLate);
  folder.put("sub/other.py", kLate);
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"git", "init", "-q"}, {"git", "add", "-f", "sub/tracked.py"}}) {
    const auto result = audit::run_program({.arguments = arguments, .folder = folder.path()});
    ASSERT_TRUE(result && result->exit_status == 0);
  }
  const Json json = Json::parse(run({"audit", ".", "--format", "json"}, in(folder)).out);
  EXPECT_EQ(json["files"], 1) << json.dump(1);
}

TEST(CliAudit, FixChangesFilesAndDiffOnlyPrints) {
  const Folder folder;
  folder.put("a.py", kLate);
  const ProgramResult diff = run({"audit", ".", "--diff"}, in(folder));
  EXPECT_EQ(diff.status, 1);
  EXPECT_TRUE(diff.out.starts_with("--- a/a.py\n+++ b/a.py\n@@ ")) << diff.out;
  EXPECT_EQ(folder.text("a.py"), kLate);
  const ProgramResult fixed = run({"audit", ".", "--fix"}, in(folder));
  EXPECT_EQ(fixed.status, 0) << fixed.out;
  EXPECT_TRUE(fixed.error_contains("a.py: fixed G01"));
  EXPECT_EQ(folder.text("a.py"), kRight);
  EXPECT_EQ(run({"audit", ".", "--diff"}, in(folder)).out, "");
}

TEST(CliAudit, FindingsOfOneLineAreReportedTogether) {
  const Folder folder;
  folder.put("weir.toml", "[audit]\ndevice = \"RTX 3090\"\nindex = \"1\"\nmask = \"index\"\n");
  folder.put("a.py",
             "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'\nimport torch\nprint(torch.ones(1).cuda())\n");
  const ProgramResult text = run({"audit", "a.py"}, in(folder));
  EXPECT_TRUE(text.out.starts_with("a.py:2:1: wrong G33 ")) << text.out;
  EXPECT_NE(text.out.find("; also G04, G10\n"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find("a.py:2", 1), std::string::npos) << text.out;
  const Json json = Json::parse(run({"audit", "a.py", "--format", "json"}, in(folder)).out);
  EXPECT_EQ(json["findings"][0]["rule"], "G33");
  EXPECT_EQ(json["findings"][0]["other_rules"][0]["rule"], "G04");
  const Json sarif = Json::parse(run({"audit", "a.py", "--format", "sarif"}, in(folder)).out);
  EXPECT_EQ(sarif["runs"][0]["results"].size(), json["findings"].size());
  EXPECT_EQ(sarif["runs"][0]["results"][0]["properties"]["also"][1]["rule"], "G10");
  // A comment suppresses one finding; those of the other rules stay.
  folder.put("a.py",
             "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '0'  # weir: ignore[G33] on purpose\nimport torch\n");
  EXPECT_TRUE(run({"audit", "a.py"}, in(folder)).out.starts_with("a.py:2:1: fragile G04 "));
}

TEST(CliAudit, TheRulePagesMatchTheTable) {
  for (const audit::Rule& rule : audit::all_rules()) {
    std::ifstream file{std::string{places::source()} + "/docs/rules/" + std::string{rule.id} + ".md"};
    const std::string page{std::istreambuf_iterator<char>{file}, {}};
    EXPECT_EQ(page, audit::rule_page(rule)) << "run packaging/update";
    EXPECT_EQ(run({"audit", "--explain", std::string{rule.id}}).out, audit::explain_rule(rule));
  }
}

/// A temporary git repository with some programs. It does not use the user's settings of git.
class Repository {
 public:
  Repository() {
    git({"init", "-q", "-b", "main"});
    git({"config", "user.name", "tester"});
    git({"config", "user.email", "tester@example.org"});
    for (int i = 1; i <= 5; ++i) folder.put("p " + std::to_string(i) + ".py", program(i));
    folder.put("self.py",
               "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\nprint(len(open('self.py').read()))\n");
    git({"add", "-A"});
    git({"commit", "-q", "-m", "start"});
  }
  /// Returns a program with a fixable mistake (rule G04), which prints the number.
  static std::string program(int i) {
    return "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\nprint(" + std::to_string(i) + ")\n";
  }
  /// Runs git with these arguments and returns its output; empty if git cannot be started.
  std::string git(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), "git");
    const auto result = audit::run_program({.arguments = std::move(arguments), .folder = folder.path()});
    return result ? result->output : "";
  }
  Folder folder;
};

TEST(CliAuditCampaign, EachFileIsCommittedOrPutBack) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  EXPECT_EQ(run({"audit", "run"}, options).status, 2);
  const ProgramResult plan = run(
      {"audit", "plan", ".", "--jobs", "3", "--check", "test -x /usr/bin/python3 || exit 0; /usr/bin/python3 {file}"},
      options);
  ASSERT_EQ(plan.status, 0) << plan.error;
  EXPECT_NE(plan.out.find("6 files in 3 shards"), std::string::npos) << plan.out;
  const ProgramResult done = run({"audit", "run", "--jobs", "3"}, options);
  EXPECT_EQ(done.status, 1) << done.error;
  EXPECT_EQ(done.out, "incomplete: 5 of 6 files fixed, 1 put back, 0 not done\n") << done.error;
  // One commit per file, and the user's own branch is unchanged.
  EXPECT_EQ(repository.git({"diff", "--name-only", "main", "weir/all"}), "p 1.py\np 2.py\np 3.py\np 4.py\np 5.py\n");
  EXPECT_NE(repository.git({"log", "--oneline", "--no-merges", "main..weir/all"}).find("G04 in p 3.py"),
            std::string::npos);
  EXPECT_EQ(repository.git({"status", "--porcelain"}), "");
  EXPECT_EQ(repository.git({"branch", "--show-current"}), "main\n");
  EXPECT_EQ(repository.git({"show", "weir/all:self.py"}), repository.folder.text("self.py"));
  const ProgramResult report = run({"audit", "report", "--format", "junit", "-o", "pages"}, options);
  EXPECT_EQ(report.status, 1);
  EXPECT_NE(report.out.find("tests=\"6\" failures=\"1\" skipped=\"0\""), std::string::npos) << report.out;
  EXPECT_NE(repository.folder.text("pages/gpu-selection.md").find("cuda:0"), std::string::npos);
  EXPECT_NE(run({"audit", "report", "--format", "html"}, options).out.find("<td>self.py</td>"), std::string::npos);
  // A page that cannot be written is an error, also if something of its name exists.
  fs::remove(repository.folder / "pages/template.py");
  fs::create_directory(repository.folder / "pages/template.py");
  const ProgramResult unwritten = run({"audit", "report", "-o", "pages"}, options);
  EXPECT_EQ(unwritten.status, 1);
  EXPECT_EQ(unwritten.out, "");
  EXPECT_TRUE(unwritten.error_contains("pages/template.py: is not a regular file")) << unwritten.error;
  EXPECT_TRUE(run({"audit", "report", "-o", "self.py"}, options).error_contains("self.py/gpu-selection.md: "));
  // A second run has nothing left to do.
  const std::string all = repository.git({"rev-parse", "weir/all"});
  EXPECT_EQ(run({"audit", "run"}, options).out, done.out);
  EXPECT_EQ(repository.git({"rev-parse", "weir/all"}), all);
}

TEST(CliAuditCampaign, OldFailuresAndVaryingOutputDoNotRejectTheEdit) {
  Repository repository;
  const std::string mask = "import os\nos.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\n";
  repository.folder.put("repaired.py", mask + "from __future__ import annotations\nprint(1)\n");
  repository.folder.put("clock.py", mask + "import time\nprint(time.time_ns())\n");
  repository.git({"add", "-A"});
  repository.git({"commit", "-q", "-m", "more"});
  ProgramOptions options = in(repository.folder);
  ASSERT_EQ(run({"audit", "plan", "repaired.py", "clock.py", "self.py", "--jobs", "2", "--check",
                 "test -x /usr/bin/python3 || exit 0; /usr/bin/python3 {file}"},
                options)
                .status,
            0);
  // The first start of git fails, as can happen on a loaded machine.
  const Folder tools;
  tools.put("git", "#!/bin/sh\nif mkdir '" + (tools / "failed").native() +
                       "' 2>/dev/null; then exit 127; fi\nexec /usr/bin/git \"$@\"\n");
  fs::permissions(tools / "git", fs::perms::owner_all);
  options.variables = {{"PATH", tools.path().native() + ":/usr/bin:/bin"}, {"GIT_CONFIG_GLOBAL", "/dev/null"}};
  const ProgramResult done = run({"audit", "run", "--jobs", "2"}, options);
  EXPECT_EQ(done.out, "incomplete: 2 of 3 files fixed, 1 put back, 0 not done\n") << done.error;
  EXPECT_TRUE(fs::exists(tools / "failed"));
  EXPECT_EQ(repository.git({"diff", "--name-only", "main", "weir/all"}), "clock.py\nrepaired.py\n");
}

TEST(CliAuditCampaign, AnInterruptedRunContinues) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  ASSERT_EQ(run({"audit", "plan", ".", "--jobs", "1", "--check",
                 "while test ! -e \"$PWD/../../../../go\"; do sleep 0.05; done"},
                options)
                .status,
            0);
  ProgramOptions killed = options;
  killed.while_running = [&](pid_t child) {
    // The kill happens within the first check, after its worktree was created.
    wait_until([&] { return fs::exists(repository.folder / ".git/weir-audit/worktrees/shard-1/.git"); });
    kill(child, SIGKILL);
    repository.folder.put("go", "");
  };
  EXPECT_EQ(run({"audit", "run"}, killed).status, 128 + SIGKILL);
  fs::remove(repository.folder / "go");
  repository.folder.put("go", "");
  const ProgramResult done = run({"audit", "run"}, options);
  EXPECT_EQ(done.out, "complete: 6 of 6 files fixed\n") << done.error;
  EXPECT_EQ(repository.git({"rev-list", "--count", "--no-merges", "main..weir/all"}), "6\n");
}

TEST(CliAuditCampaign, ARunThatEndedBeforeTheMergeIsContinuedThere) {
  const Repository repository;
  const ProgramOptions how = in(repository.folder);
  ASSERT_EQ(run({"audit", "plan", ".", "--jobs", "2"}, how).status, 0);
  // All files are committed, and then the merge fails.
  repository.git({"branch", "weir/all"});
  const ProgramResult refused = run({"audit", "run"}, how);
  EXPECT_EQ(refused.status, 2) << refused.error;
  EXPECT_TRUE(refused.error_contains("'git branch -m weir/all NAME'")) << refused.error;
  EXPECT_EQ(run({"audit", "report"}, how).status, 0);
  repository.git({"branch", "-m", "weir/all", "mine"});
  const std::string complete = "complete: 6 of 6 files fixed\n";
  EXPECT_EQ(run({"audit", "run"}, how).out, complete);
  EXPECT_EQ(repository.git({"rev-list", "--count", "--no-merges", "main..weir/all"}), "6\n");
  EXPECT_EQ(repository.folder.list_files(".git/weir-audit/worktrees"), std::vector<std::string>{});
  // A run that ended before it removed all worktrees.
  repository.git({"worktree", "add", "-q", ".git/weir-audit/worktrees/shard-1", "weir/shard-1"});
  ASSERT_NE(repository.folder.list_files(".git/weir-audit/worktrees"), std::vector<std::string>{});
  EXPECT_EQ(run({"audit", "run"}, how).out, complete);
  EXPECT_EQ(repository.folder.list_files(".git/weir-audit/worktrees"), std::vector<std::string>{});
  // Branches that the user deletes after the campaign are not needed again, nor created again.
  repository.git({"branch", "-D", "weir/all", "weir/shard-1", "weir/shard-2"});
  EXPECT_EQ(run({"audit", "run"}, how).out, complete);
  EXPECT_EQ(repository.git({"branch", "--list", "weir/*"}), "");
}

TEST(CliAuditCampaign, StateFilesOfEarlierVersionsAreRead) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  ASSERT_EQ(run({"audit", "plan", ".", "--jobs", "1"}, options).status, 0);
  ASSERT_EQ(run({"audit", "run"}, options).out, "complete: 6 of 6 files fixed\n");
  // Earlier versions wrote another word for the state "fixed".
  const std::string state_file = ".git/weir-audit/shard-1.json";
  const std::string current = "\"fixed\"";
  std::string text = repository.folder.text(state_file);
  std::size_t count = 0;
  for (std::size_t at = 0; (at = text.find(current, at)) != std::string::npos; ++count)
    text.replace(at, current.size(), "\"mended\"");
  EXPECT_EQ(count, 6u) << text;
  repository.folder.put(state_file, text);
  const ProgramResult report = run({"audit", "report"}, options);
  EXPECT_EQ(report.status, 0) << report.error;
  EXPECT_NE(report.out.find("complete: 6 of 6 files fixed"), std::string::npos) << report.out;
  EXPECT_EQ(report.out.find("mended"), std::string::npos) << report.out;
}

TEST(CliAuditCampaign, FilesLeftOutAreReportedWithTheReason) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  ::chmod((repository.folder / "self.py").c_str(), 0444);
  repository.folder.put("new.py", Repository::program(7));
  const ProgramResult plan = run({"audit", "plan", "."}, options);
  EXPECT_EQ(plan.status, 0) << plan.error;
  EXPECT_NE(plan.out.find("5 files in "), std::string::npos) << plan.out;
  EXPECT_TRUE(plan.error_contains("self.py: left out of the plan: is read-only")) << plan.error;
  EXPECT_TRUE(plan.error_contains("new.py: left out of the plan: git does not track it")) << plan.error;
  EXPECT_EQ(plan.error_lines(), 2u) << plan.error;
  for (const std::string format : {"md", "html"})
    EXPECT_NE(run({"audit", "report", "--format", format}, options).out.find("Left out of the plan: self.py"),
              std::string::npos);
}

TEST(CliAuditCampaign, ExistingBranchesAreNeverUsedAndNeverDeleted) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  const auto plan = [&] { return run({"audit", "plan", ".", "--jobs", "1"}, options); };
  ASSERT_EQ(plan().status, 0);
  ASSERT_EQ(plan().status, 0);  // a second plan is allowed, because nothing was done yet
  ASSERT_EQ(run({"audit", "run"}, options).status, 0);
  const std::string shard = repository.git({"rev-parse", "weir/shard-1"});
  // After a merge and further changes, the next campaign must not continue the branches of the first one.
  repository.git({"merge", "-q", "weir/all"});
  repository.folder.put("late.py", Repository::program(8));
  repository.git({"add", "-A"});
  repository.git({"commit", "-q", "-m", "late"});
  const ProgramResult refused = plan();
  EXPECT_EQ(refused.status, 2);
  EXPECT_EQ(refused.error_lines(), 1u) << refused.error;
  EXPECT_TRUE(refused.error_contains("'git branch -D weir/all weir/shard-1'")) << refused.error;
  EXPECT_EQ(repository.git({"rev-parse", "weir/shard-1"}), shard);
  repository.git({"branch", "-D", "weir/all", "weir/shard-1"});
  ASSERT_EQ(plan().status, 0);
  // A branch that is created between plan and run does not belong to this campaign either.
  repository.git({"branch", "weir/shard-1", "HEAD~1"});
  const std::string foreign_commit = repository.git({"rev-parse", "weir/shard-1"});
  const ProgramResult run_refused = run({"audit", "run"}, options);
  EXPECT_EQ(run_refused.status, 2) << run_refused.error;
  EXPECT_TRUE(run_refused.error_contains("'git branch -m weir/shard-1 NAME'")) << run_refused.error;
  EXPECT_EQ(repository.git({"rev-parse", "weir/shard-1"}), foreign_commit);
  repository.git({"branch", "-m", "weir/shard-1", "mine"});
  EXPECT_EQ(run({"audit", "run"}, options).out, "complete: 1 of 1 files fixed\n");
}

TEST(CliAuditCampaign, ABranchCalledWeirIsRefusedWithTheRemedy) {
  const Repository repository;
  repository.git({"branch", "weir"});
  const ProgramResult refused = run({"audit", "plan", "."}, in(repository.folder));
  EXPECT_EQ(refused.status, 2);
  EXPECT_TRUE(refused.error_contains("'git branch -m weir NAME'")) << refused.error;
}

TEST(CliAuditCampaign, ATreeWithChangesOrNoBranchIsRefused) {
  const Repository repository;
  const ProgramOptions options = in(repository.folder);
  repository.folder.put("self.py", "changed\n");
  const ProgramResult dirty = run({"audit", "plan", "."}, options);
  EXPECT_EQ(dirty.status, 2);
  EXPECT_TRUE(dirty.error_contains("self.py")) << dirty.error;
  repository.git({"checkout", "-q", "--", "."});
  // A submodule with changes counts as a change; a clean submodule does not, and its files are left out.
  const Repository library;
  repository.git({"-c", "protocol.file.allow=always", "submodule", "add", "-q", library.folder.path().native(), "lib"});
  repository.git({"commit", "-q", "-m", "lib"});
  repository.folder.put("lib/self.py", "changed\n");
  EXPECT_TRUE(run({"audit", "plan", "."}, options).error_contains("stash them first: lib"));
  repository.git({"-C", "lib", "checkout", "-q", "--", "."});
  EXPECT_NE(run({"audit", "plan", "."}, options).out.find("6 files in "), std::string::npos);
  repository.git({"checkout", "-q", "--detach"});
  EXPECT_TRUE(run({"audit", "plan", "."}, options).error_contains("HEAD is detached"));
  const Folder plain;
  plain.put("a.py", kLate);
  EXPECT_TRUE(run({"audit", "plan", "."}, in(plain)).error_contains("no git repository"));
}

}  // namespace
}  // namespace weir::test

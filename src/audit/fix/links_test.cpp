// --fix and --diff with symbolic links, read-only files, and names that a patch has to quote.

#include <sys/stat.h>

#include <filesystem>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "audit/fix/diff.hpp"
#include "audit/fix/fixer.hpp"
#include "audit/run_program.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

const std::string kText = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\nimport torch\ntorch.zeros(1).cuda()\n";

TEST(AuditLinks, ALinkStaysALinkAndItsTargetIsFixedOnce) {
  const test::Folder folder;
  folder.put("project/real/target.py", kText);
  folder.put("outside/far.py", kText);
  fs::create_symlink("real/target.py", folder / "project/link.py");
  fs::create_symlink("../outside/far.py", folder / "project/far.py");
  const AuditRequest request{.operands = {(folder / "project").native()}};
  const auto outcome = fix_files(request, {.unsafe = false, .write = true});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(fs::is_symlink(folder / "project/link.py"));
  EXPECT_TRUE(fs::is_symlink(folder / "project/far.py"));
  EXPECT_NE(folder.text("project/real/target.py"), kText);
  EXPECT_EQ(folder.text("outside/far.py"), kText);
  ASSERT_EQ(outcome->files.size(), 2U);
  for (const FixedFile& file : outcome->files) {
    const bool far = file.path.filename() == "far.py";
    EXPECT_EQ(file.problem.find("is a link to ") != std::string::npos, far) << file.name << ": " << file.problem;
  }
  const auto again = fix_files(request, {.unsafe = false, .write = false});
  ASSERT_TRUE(again);
  for (const FixedFile& file : again->files) EXPECT_EQ(file.text_before, file.text_after) << file.name;
}

TEST(AuditLinks, ALinkAsOperandMeansItsTarget) {
  const test::Folder folder;
  folder.put("outside/far.py", kText);
  fs::create_directory(folder / "project");
  fs::create_symlink("../outside/far.py", folder / "project/link.py");
  const auto outcome =
      fix_files({.operands = {(folder / "project/link.py").native()}}, {.unsafe = false, .write = true});
  ASSERT_TRUE(outcome);
  EXPECT_TRUE(fs::is_symlink(folder / "project/link.py"));
  EXPECT_NE(folder.text("outside/far.py"), kText);
}

TEST(AuditLinks, AFileWithSeveralNamesIsReportedOnce) {
  const test::Folder folder;
  folder.put("project/real.py", kText);
  folder.put("outside/far.py", kText);
  for (const std::string name : {"a.py", "b.py", "zz.py"}) fs::create_symlink("real.py", folder / ("project/" + name));
  for (const std::string name : {"far1.py", "far2.py"})
    fs::create_symlink("../outside/far.py", folder / ("project/" + name));
  const auto audit = run_audit({.operands = {(folder / "project").native()}});
  ASSERT_TRUE(audit);
  EXPECT_TRUE(audit->problems.empty());
  std::multiset<std::string> reported;
  for (const Finding& finding : audit->findings)
    reported.insert(fs::path{finding.module->source.name()}.filename().native() + std::string{finding.rule});
  EXPECT_FALSE(reported.empty());
  for (const std::string& one : reported) {
    EXPECT_EQ(reported.count(one), 1U) << one;
    EXPECT_TRUE(one.starts_with("real.py") || one.starts_with("far1.py")) << one;
  }
  for (const Finding& finding : audit->findings) {
    const bool own = finding.rule == "G04" && finding.module->source.path().filename() == "real.py";
    if (own) {
      EXPECT_FALSE(finding.edits.empty());
    }
  }
  // A link that is itself an operand means its target.
  const auto link = run_audit({.operands = {(folder / "project/a.py").native()}});
  ASSERT_TRUE(link);
  EXPECT_EQ(link->findings.size(), reported.size() / 2);
}

TEST(AuditLinks, AModuleThatIsImportedByTheNameOfALinkIsFollowed) {
  const test::Folder folder;
  folder.put("shared/card.py",
             "import os\nos.environ.setdefault('CUDA_DEVICE_ORDER', 'PCI_BUS_ID')\n"
             "os.environ.setdefault('CUDA_VISIBLE_DEVICES', '1')\n");
  folder.put("tool/main.py",
             "import card\nimport torch\nif __name__ == '__main__':\n    torch.zeros(1).to('cuda:1')\n");
  fs::create_symlink("../shared/card.py", folder / "tool/card.py");
  Policy policy;
  policy.is_defined = true;
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = policy, .select = {"G05", "G08"}});
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->findings.size(), 1U);  // the mask is known; 1 is no index under it
  EXPECT_EQ(audit->findings.front().rule, "G08");
}

TEST(AuditLinks, CopiesAreSeparateFiles) {
  const test::Folder folder;
  const std::string header =
      "import os, sys\nsys.path.insert(0, '/home/me/lib')\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\nimport torch\n";
  folder.put("a.py", header);
  for (const std::string name : {"b.py", "c.py", "d.py"}) fs::create_symlink("a.py", folder / name);
  const AuditRequest request{.operands = {folder.path().native()}, .policy = {}, .select = {"G19"}};
  EXPECT_TRUE(run_audit(request)->findings.empty());
  folder.put("e.py", header);
  folder.put("f.py", header);
  EXPECT_EQ(run_audit(request)->findings.size(), 3U);
}

TEST(AuditLinks, BrokenAndOutsideLinksAreReported) {
  const test::Folder folder;
  folder.put("project/lib/a.py", kText);
  folder.put("outside/b.py", kText);
  fs::create_symlink("loop2.py", folder / "project/loop1.py");
  fs::create_symlink("loop1.py", folder / "project/loop2.py");
  fs::create_symlink("gone.py", folder / "project/dangling.py");
  fs::create_symlink("..", folder / "project/lib/up");           // its folder is read at its own place
  fs::create_symlink("../outside", folder / "project/outside");  // not read
  const auto audit = run_audit({.operands = {(folder / "project").native()}});
  ASSERT_TRUE(audit);
  EXPECT_EQ(audit->file_count, 4U);
  EXPECT_EQ(audit->problems.size(), 3U);  // each is reported
  ASSERT_EQ(audit->notes.size(), 1U);
  EXPECT_NE(audit->notes.front().find("project/outside: a link to the folder "), std::string::npos)
      << audit->notes.front();
  for (const Finding& finding : audit->findings) EXPECT_EQ(finding.module->source.path().filename(), "a.py");
}

TEST(AuditLinks, ReadOnlyFilesAreNotInThePatch) {
  const test::Folder folder;
  folder.put("a.py", kText);
  ::chmod((folder / "a.py").c_str(), 0444);
  const auto outcome = fix_files({.operands = {folder.path().native()}}, {.unsafe = false, .write = false});
  ASSERT_TRUE(outcome);
  ASSERT_EQ(outcome->files.size(), 1U);
  EXPECT_EQ(outcome->files.front().problem, "is read-only");
  EXPECT_EQ(outcome->files.front().text_after, kText);
}

TEST(AuditLinks, GitAppliesPatchesWithAnyFileName) {
  for (const std::string name : {"new\nline.py", "two words.py", "qu\"ote\\.py", "\xC3\xA4.py", "tab\t.py"}) {
    const test::Folder folder;
    folder.put(name, "old\n");
    const std::string diff = unified_diff(name, "old\n", "new\n");
    const auto ended = run_program({.arguments = {"git", "apply", "-"}, .input = diff, .folder = folder.path()});
    ASSERT_TRUE(ended);
    EXPECT_EQ(ended->exit_status, 0) << ended->output << diff;
    EXPECT_EQ(folder.text(name), "new\n");
  }
}

TEST(AuditLinks, AnOutsidePathIsRelativeToTheCurrentFolderOrTheRoot) {
  const fs::path here = fs::current_path();
  EXPECT_TRUE(unified_diff((here / "x/a.py").native(), "1\n", "2\n").starts_with("--- a/x/a.py\n+++ b/x/a.py\n"));
  EXPECT_TRUE(unified_diff("./x/../a.py", "1\n", "2\n").starts_with("--- a/a.py\n+++ b/a.py\n"));
  EXPECT_TRUE(unified_diff("/none/a.py", "1\n", "2\n").starts_with("--- a/none/a.py\n+++ b/none/a.py\n"));
  EXPECT_EQ(unified_diff("../a.py", "1\n", "2\n").find(".."), std::string::npos);
}

}  // namespace
}  // namespace weir::audit

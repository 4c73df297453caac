// Comments that suppress findings, and comments that only resemble them.

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "audit/suppression.hpp"
#include "audit_findings.hpp"

namespace weir::audit {
namespace {

std::vector<std::string> notes_of(FileKind kind, const std::string& text) {
  const auto module = read_module(kind, SourceFile{"a.py", "a.py", text});
  EXPECT_TRUE(module);
  return module ? unknown_rule_warnings(*module) : std::vector<std::string>{};
}

TEST(AuditSuppression, AnUnknownIdIsReportedWithTheNearestOne) {
  const auto mistyped = notes_of(FileKind::python, "x = 1\ny = 2  # weir: ignore[G3] one card\n");
  ASSERT_EQ(mistyped.size(), 1U);
  EXPECT_TRUE(
      mistyped.front().starts_with("a.py:2: this comment allows nothing: there is no rule 'G3' (did you mean 'G03'?)"))
      << mistyped.front();
  EXPECT_EQ(notes_of(FileKind::python, "x = 1  # weir: ignore[G10, G99,g04] why\n").size(), 2U);
  EXPECT_EQ(notes_of(FileKind::shell, "# weir: ignore[G003]\nexport A=1\n").size(), 1U);
  EXPECT_EQ(notes_of(FileKind::yaml, "a: 1  # weir: ignore[G99]\n").size(), 1U);
  EXPECT_EQ(notes_of(FileKind::cpp, "int a;  // weir: ignore[G99]\n").size(), 1U);
  EXPECT_EQ(notes_of(FileKind::dotenv, "# weir: ignore[G99]\nA=1\n").size(), 1U);
}

TEST(AuditSuppression, TextsThatMentionSuppressionsAreIgnored) {
  for (const std::string text :
       {"x = 1  # weir: ignore[G10]\n", "x = 1  # weir: ignore[G10,G04] why\n", "x = 1  # weir: ignore\n",
        "x = 1  # weir: ignore the rest\n", "x = 1  # weir: ignore[] why\n", "x = 1  # weir: ignore[G99\n",
        "x = '# weir: ignore[G99]'\n", "\"\"\"Put\n# weir: ignore[RULE] reason\non the line.\n\"\"\"\n"})
    EXPECT_TRUE(notes_of(FileKind::python, text).empty()) << text;
  EXPECT_TRUE(notes_of(FileKind::dotenv, "A=weir: ignore[G99]\n").empty());
}

TEST(AuditSuppression, PartialIdsAreNoIds) {
  auto module = read_module(FileKind::python, SourceFile{"a.py", "a.py", "x = 1  # weir: ignore[G331,xG10]\n"});
  ASSERT_TRUE(module);
  std::vector<Finding> findings(
      2,
      {.rule = "G33", .severity = Severity::wrong, .module = &*module, .range = {0, 5}, .message = {}, .advice = {}});
  findings.back().rule = "G10";
  apply_suppression_comments(findings);
  for (const Finding& finding : findings) EXPECT_FALSE(finding.suppressed) << finding.rule;
}

TEST(AuditSuppression, ALongerWordIsNoSuppression) {
  for (const std::string word : {"weir: ignores", "weir: ignored_here", "our_weir: ignore"}) {
    auto module = read_module(FileKind::python, SourceFile{"a.py", "a.py", "x = 1  # " + word + "\n"});
    ASSERT_TRUE(module);
    std::vector<Finding> findings{
        {.rule = "G33", .severity = Severity::wrong, .module = &*module, .range = {0, 5}, .message = {}, .advice = {}}};
    apply_suppression_comments(findings);
    EXPECT_FALSE(findings.front().suppressed) << word;
  }
}

TEST(AuditSuppression, ManyUnknownIdsAreReportedQuickly) {
  std::string text;
  for (int i = 0; i < 100'000; ++i) text += "x = 1  # weir: ignore[G3]\n";
  EXPECT_EQ(notes_of(FileKind::python, text).size(), 100'000U);
}

TEST(AuditSuppression, InsertedLinesDoNotSeparateAStatementFromItsComment) {
  const auto fix_code = [](const std::string& name, const std::string& text) {
    return test_kit::apply_fixes({{name, text}}, Policy{}, false).at(name);
  };
  const std::string comment = "# weir: ignore[G10] ours\n";
  const std::string order = "export CUDA_DEVICE_ORDER=\"${CUDA_DEVICE_ORDER:-PCI_BUS_ID}\"\n";
  const std::string head = "#!/bin/bash\n#SBATCH -n 1\n";
  const std::string mask = "export CUDA_VISIBLE_DEVICES=1\n";
  EXPECT_EQ(fix_code("run.sh", head + comment + mask), head + order + comment + mask);
  EXPECT_EQ(fix_code("run.sh", head + mask), head + order + mask);
  EXPECT_EQ(fix_code("run.sh", head + comment + comment + mask), head + order + comment + comment + mask);
  EXPECT_EQ(fix_code("run.sh", head + "# One card.\n" + mask), head + "# One card.\n" + order + mask);
  EXPECT_EQ(
      fix_code("a.py", "import os\nif True:\n    " + comment + "    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n"),
      "import os\nif True:\n    os.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n    " + comment +
          "    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n");
}

TEST(AuditSuppression, ACommentMovesWithItsStatement) {
  const std::string comment = "# weir: ignore[G10] ours\n";
  const auto fix_code = [](const std::string& name, const std::string& text) {
    return test_kit::apply_fixes({{name, text}}, Policy{}, false).at(name);
  };
  EXPECT_EQ(
      fix_code("a.py", "import torch\nimport os\n" + comment + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"GPU-1\"\n"),
      "import os\n" + comment + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"GPU-1\"\nimport torch\n");
  // The copy is deleted with its comment, which would otherwise suppress findings of the next line.
  const std::string uuid = "export CUDA_VISIBLE_DEVICES=GPU-1\n";
  EXPECT_EQ(fix_code("run.sh", "#!/bin/bash\n" + uuid + comment + uuid + "python a.py\n"),
            "#!/bin/bash\n" + uuid + "python a.py\n");
}

}  // namespace
}  // namespace weir::audit

// Applies the rules to the fixtures of tests/audit/fixtures. Each rule has a folder; in it each file is a program, and
// each folder a project of several files. A line with "# expect: G01 G10" must be reported by exactly these rules; no
// other line may be reported.

#include <filesystem>
#include <functional>
#include <set>
#include <sstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "audit/rules/checks.hpp"
#include "audit/rules/rule.hpp"
#include "audit/run_program.hpp"
#include "places.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;

const fs::path kFixtures = std::string{places::source()} + "/tests/audit/fixtures";

/// Returns "file:line rule" for every finding that is not suppressed.
std::set<std::string> found_in(const fs::path& path) {
  AuditRequest request;
  request.operands = {path.native()};
  request.policy.is_defined = path.native().find("policy") != std::string::npos;
  const auto audit = run_audit(request);
  EXPECT_TRUE(audit) << path;
  std::set<std::string> found;
  if (!audit) return found;
  EXPECT_TRUE(audit->problems.empty()) << audit->problems.front();
  for (const Finding& finding : audit->findings) {
    if (finding.suppressed) continue;
    const auto& source = finding.module->source;
    found.insert(fs::relative(source.path(), kFixtures).native() + ":" +
                 std::to_string(source.position(finding.range.begin).line) + " " + std::string{finding.rule});
  }
  return found;
}

/// Returns "file:line rule" for every rule in an "expect:" comment.
std::set<std::string> expected_in(const fs::path& path) {
  constexpr std::string_view kMark = "expect: ";
  std::set<std::string> expected;
  const auto read = [&](const fs::path& file) {
    const auto source = SourceFile::read(file, file.native());
    if (!source) return;
    for (std::uint32_t line = 1; line <= source->line_count(); ++line) {
      const std::string text{source->line(line)};
      const std::size_t mark = text.find(kMark);
      if (mark == std::string::npos) continue;
      std::istringstream rules{text.substr(mark + kMark.size())};
      for (std::string rule; rules >> rule && find_rule(rule.substr(0, 3)) != nullptr;)
        expected.insert(fs::relative(file, kFixtures).native() + ":" + std::to_string(line) + " " + rule.substr(0, 3));
    }
  };
  if (!fs::is_directory(path)) {
    read(path);
  } else {
    for (const auto& entry : fs::recursive_directory_iterator{path}) {
      if (entry.is_regular_file()) read(entry.path());
    }
  }
  return expected;
}

TEST(AuditFixtures, EveryExpectedLineIsNamedAndNoOther) {
  int programs = 0;
  for (const auto& rule : fs::directory_iterator{kFixtures}) {
    const std::string name = rule.path().filename().native();
    if (name.starts_with("policy") || name == "G19" || name == "G18") {
      EXPECT_EQ(found_in(rule.path()), expected_in(rule.path()));
      ++programs;
      continue;
    }
    for (const auto& program : fs::directory_iterator{rule.path()}) {
      EXPECT_EQ(found_in(program.path()), expected_in(program.path())) << program.path();
      ++programs;
    }
  }
  EXPECT_GT(programs, 50);
}

Module python(const std::string& text) {
  auto module = read_module(FileKind::python, SourceFile{"example.py", "example.py", text});
  EXPECT_TRUE(module);
  return *std::move(module);
}

/// Returns the ids of the rules that report the text of a Python program.
std::set<std::string> rules_in(const std::string& text) {
  std::vector<Module> modules;
  modules.push_back(python(text));
  const Project project{std::move(modules)};
  Policy policy;
  policy.is_defined = true;
  std::set<std::string> rules;
  for (const Finding& finding : apply_rules(project, policy)) rules.emplace(finding.rule);
  return rules;
}

/// Modules that an example uses without importing them; they do not change the findings.
const std::string kPrelude = "import os, sys, subprocess, threading\n";

std::string program_of(std::string_view example) {
  const bool future = example.find("__future__") != std::string_view::npos;
  return (future ? "" : kPrelude) + std::string{example};
}

bool needs_more_than_one_file(std::string_view id) { return id == "G06" || id == "G18" || id == "G19"; }

TEST(AuditRules, TheBadExampleIsFoundAndTheGoodOneIsNot) {
  for (const Rule& rule : all_rules()) {
    if (rule.language != "python" || needs_more_than_one_file(rule.id)) continue;
    const std::string id{rule.id};
    const bool needs_program = id == "G05" || id == "G13";  // these rules apply to programs only
    const std::string guard = needs_program ? "if __name__ == '__main__':\n    pass\n" : "";
    const std::string torch = rule.bad_example.find("torch.") != std::string_view::npos &&
                                      rule.bad_example.find("import") == std::string_view::npos
                                  ? "import torch, pynvml\n"
                                  : "";
    const auto whole = [&](std::string_view part) { return fmt::format("{}{}{}", torch, program_of(part), guard); };
    EXPECT_TRUE(rules_in(whole(rule.bad_example)).contains(id)) << id << "\n" << program_of(rule.bad_example);
    EXPECT_FALSE(rules_in(whole(rule.good_example)).contains(id)) << id << "\n" << program_of(rule.good_example);
  }
}

// --- The findings depend on what the code does, not on its formatting.

std::string replaced(std::string text, const std::string& what, const std::string& with) {
  for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + with.size()))
    text.replace(at, what.size(), with);
  return text;
}

std::string each_line(const std::string& text, const std::function<std::string(const std::string&)>& change) {
  std::istringstream lines{text};
  std::string out;
  for (std::string line; std::getline(lines, line);) out += change(line) + '\n';
  return out;
}

const char* const kProgram =
    "import os\nimport torch\nimport pynvml\nvalue = '1'\nos.environ['CUDA_VISIBLE_DEVICES'] = value\n"
    "device = 'cuda:1'\nmodel = torch.nn.Linear(1, 1)\nmodel.to(device)\n"
    "handle = pynvml.nvmlDeviceGetHandleByIndex(torch.cuda.current_device())\n"
    "number = int(os.environ['CUDA_VISIBLE_DEVICES'])\n"
    "free = torch.cuda.memory_reserved(0) - torch.cuda.memory_allocated(0)\n";

TEST(AuditProperties, NamesCommentsAndLayoutDoNotChangeTheFindings) {
  const std::string program = kProgram;
  const auto found_rules = rules_in(program);
  EXPECT_TRUE(found_rules.contains("G01") && found_rules.contains("G04") && found_rules.contains("G08") &&
              found_rules.contains("G10") && found_rules.contains("G20") && found_rules.contains("G29") &&
              found_rules.contains("G31"));
  EXPECT_EQ(rules_in(replaced(program, "value", "renamed")), found_rules);
  EXPECT_EQ(rules_in(replaced(replaced(program, "(device)", "(place)"), "device = ", "place = ")), found_rules);
  const std::string aliased = replaced(replaced(program, "torch", "t"), "import t\n", "import torch as t\n");
  EXPECT_EQ(rules_in(aliased), found_rules);
  EXPECT_EQ(rules_in(replaced(program, "'", "\"")), found_rules);  // the quotes that black uses
  EXPECT_EQ(rules_in(replaced(program, " = ", "   =   ")), found_rules);
  // the line breaks that black uses
  EXPECT_EQ(rules_in(replaced(program, "(1, 1)", "(\n    1,\n    1,\n)")), found_rules);
  EXPECT_EQ(rules_in(each_line(program, [](const auto& line) { return line + "  # a comment, and cuda:3"; })),
            found_rules);
  EXPECT_EQ(rules_in(each_line(program, [](const auto& line) { return "\n# a comment\n\n" + line; })), found_rules);
  EXPECT_EQ(rules_in(replaced(program, "\n", "\r\n")), found_rules);
}

/// Returns the number of findings of each rule in each file below a folder; positions change when code is reformatted.
std::multiset<std::string> rules_by_file(const fs::path& folder) {
  std::multiset<std::string> rules;
  for (const auto& rule : fs::directory_iterator{folder}) {
    for (const auto& program : fs::directory_iterator{rule.path()}) {
      const auto audit = run_audit({.operands = {program.path().native()}});
      for (const Finding& finding : audit ? audit->findings : std::vector<Finding>{})
        rules.insert(fs::relative(finding.module->source.path(), fs::canonical(folder)).native() + " " +
                     std::string{finding.rule});
    }
  }
  return rules;
}

TEST(AuditProperties, BlackDoesNotChangeTheFindings) {
  if (!fs::exists("/usr/bin/black")) GTEST_SKIP() << "black is not installed (Debian: black)";
  const test::Folder folder;
  fs::copy(kFixtures, folder / "plain", fs::copy_options::recursive);
  fs::copy(kFixtures, folder / "black", fs::copy_options::recursive);
  // Lines of 40 columns, so that most are broken; code that Python cannot compile stays unchanged (status 123).
  const auto ended = run_program({.arguments = {"/usr/bin/black", "-q", "-l", "40", (folder / "black").native()}});
  ASSERT_TRUE(ended);
  EXPECT_TRUE(ended->exit_status == 0 || ended->exit_status == 123) << ended->output;
  EXPECT_NE(folder.text("plain/G20/handle.py"), folder.text("black/G20/handle.py"));
  const auto plain = rules_by_file(folder / "plain");
  EXPECT_GT(plain.size(), 50u);
  EXPECT_EQ(rules_by_file(folder / "black"), plain);
}

TEST(AuditProperties, CodeInACalledFunctionHasTheSameFindings) {
  const std::string program = kProgram;
  const auto found_rules = rules_in(program);
  const auto indented = each_line(program, [](const auto& line) { return "    " + line; });
  EXPECT_EQ(rules_in("def main():\n" + indented + "main()\n"), found_rules);
  EXPECT_EQ(rules_in("class Program:\n    def run(self):\n" +
                     each_line(indented, [](const auto& l) { return "    " + l; }) + "Program().run()\n"),
            found_rules);
  EXPECT_EQ(rules_in("if __name__ == '__main__':\n" + indented), found_rules);
  EXPECT_EQ(rules_in("def inner():\n" + indented + "def outer():\n    inner()\nouter()\n"), found_rules);
}

}  // namespace
}  // namespace weir::audit

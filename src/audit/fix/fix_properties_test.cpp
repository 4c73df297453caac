// Properties of every fix, checked for all fixtures and for many forms of mask writes: a second run changes nothing,
// and --unsafe includes all that --fix does.

#include <algorithm>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "audit/fix/fixer.hpp"
#include "places.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

namespace fs = std::filesystem;
using test::Folder;

/// Number of remaining findings by file and rule.
using RemainingFindings = std::map<std::pair<std::string, std::string>, int>;

/// The result of one run of the fixer.
struct FixRun {
  std::set<std::pair<std::string, std::string>> rules;  ///< pairs of a file and a rule that was fixed in it
  RemainingFindings left;
};

FixRun fix_folder(const fs::path& folder, bool unsafe) {
  FixRun run;
  const auto outcome = fix_files({.operands = {folder.native()}}, {.unsafe = unsafe, .write = true});
  EXPECT_TRUE(outcome);
  if (!outcome) return run;
  const auto name_of = [&](const fs::path& path) { return fs::relative(path, fs::canonical(folder)).native(); };
  for (const FixedFile& file : outcome->files) {
    EXPECT_EQ(file.problem, "") << file.name;
    for (const std::string& rule : file.rules) run.rules.emplace(name_of(file.path), rule);
  }
  for (const Finding& finding : outcome->audit_after.findings)
    ++run.left[{name_of(finding.module->source.path()), std::string{finding.rule}}];
  return run;
}

/// Runs the fixer on a folder again and expects no change.
void expect_no_change(const fs::path& folder, bool unsafe) {
  const auto again = fix_files({.operands = {folder.native()}}, {.unsafe = unsafe, .write = true});
  ASSERT_TRUE(again);
  for (const FixedFile& file : again->files)
    EXPECT_EQ(file.text_before, file.text_after) << file.name << (unsafe ? " unsafe" : "");
}

/// Checks both properties for the files that `fill(folder, name)` writes into the subfolder `name`.
template <class Fill>
void check_properties(Fill fill) {
  const Folder folder;
  for (const char* const how : {"safe", "unsafe"}) fill(folder, std::string{how});
  const FixRun safe = fix_folder(folder / "safe", false);
  const FixRun unsafe = fix_folder(folder / "unsafe", true);
  expect_no_change(folder / "safe", false);
  expect_no_change(folder / "unsafe", true);
  expect_no_change(folder / "unsafe", false);
  for (const auto& rule : safe.rules) {
    const auto count = [&](const RemainingFindings& left) { return left.contains(rule) ? left.at(rule) : 0; };
    EXPECT_TRUE(unsafe.rules.contains(rule)) << rule.first << ' ' << rule.second << " is fixed by --fix only";
    EXPECT_LE(count(unsafe.left), count(safe.left)) << rule.first << ' ' << rule.second;
  }
}

void check_file(const std::string& name, const std::string& text) {
  check_properties([&](const Folder& folder, const std::string& how) { folder.put(fs::path{how} / name, text); });
}

TEST(AuditFixProperties, HoldOfAllFixtures) {
  check_properties([](const Folder& folder, const std::string& how) {
    fs::copy(std::string{places::source()} + "/tests/audit/fixtures", folder / how, fs::copy_options::recursive);
  });
}

const std::string kSet = "os.environ['CUDA_VISIBLE_DEVICES'] = ";

/// Programs that set a mask in many forms; each is tested alone, and as a cell of a notebook.
const std::vector<std::string> kPrograms{
    "import os\nG = 1\n" + kSet + "str(G)\nimport torch\ntorch.ones(1).cuda()\n",
    "import os\nG = 1\n" + kSet + "str(G)\nimport torch\ntorch.ones(1).cuda(G)\n",
    "import os\nG=1; " + kSet + "str(G)\n",
    "import os\nKEY = 'CUDA_VISIBLE_DEVICES'\nos.environ[KEY] = '1'\nimport torch\ntorch.ones(1).cuda()\n",
    "import os\nKEY='CUDA_VISIBLE_DEVICES'; os.environ[KEY]='1'\n",
    "import os\nimport torch\nKEY = 'CUDA_VISIBLE_DEVICES'\nos.environ[KEY] = '1'\n",
    "import os\nimport torch\nG = 1\n" + kSet + "str(G)\n",
    "import os\n" + kSet + "(\n    '0'\n    ',1'\n)\nimport torch\n",
    "import os\n" + kSet + "(  # which\n    '1'  # this\n\n)  # one\n",
    "import os\n" + kSet + "\\\n    '1'\n",
    "import os\nos.environ.setdefault(\n    'CUDA_VISIBLE_DEVICES',\n    '1',\n)\n",
    "import torch\nimport os\n" + kSet + "'1'\ntorch.ones(1).cuda()\n",
    "import torch, os\n" + kSet + "'1'\n",
    "import os, torch\n" + kSet + "'1'\n" + kSet + "'1'\n",
    "import torch\nimport sys, os\n" + kSet + "'1'\n",
    "import torch\nimport os.path\n" + kSet + "'1'\n",
    "import torch\nimport os; import sys\n" + kSet + "'1'\n",
    "from os import environ\nenviron['CUDA_VISIBLE_DEVICES'] = '1'\nimport torch\n",
    "import os as o\no.environ['CUDA_VISIBLE_DEVICES'] = '1'\nimport torch\n",
    "import os\nimport sys\nif len(sys.argv) > 1:\n    " + kSet + "'0'\nelse:\n    " + kSet + "'1'\nimport torch\n",
    "import os\n" + kSet + "'0'\n" + kSet + "'1'\nimport torch\n",
    "import os\n\ndef f():\n    " + kSet + "'0'\n    " + kSet + "'0'\n\nf()\n",
    "import os\na = " + kSet + "'1'\n",
    "import os\nif True: " + kSet + "'1'\n",
    "import os\nwith open('x') as f:\n\t" + kSet + "'1'\n",
    "import os\nenv = dict(os.environ)\nenv['CUDA_VISIBLE_DEVICES'] = '1'\n",
    "import os\nos.environ |= {'CUDA_VISIBLE_DEVICES': '1'}\n",
    "import os\nos.environ.update(CUDA_VISIBLE_DEVICES='1')\n",
    "import os\nos.putenv('CUDA_VISIBLE_DEVICES', '1')\n",
    "import os\n" + kSet + "'1'\ndel os.environ['CUDA_VISIBLE_DEVICES']\n",
    "import os\n(x := 1)\n" + kSet + "'1'  # type: ignore\n",
    "import os\nclass A:\n    " + kSet + "'1'\n",
    "import os\ntry:\n    " + kSet + "'1'\nfinally:\n    pass\n",
    "import os\nfor g in range(2):\n    " + kSet + "str(g)\n",
    "import os\n# weir: ignore[G10] one card\n" + kSet + "'1'\n",
};

TEST(AuditFixProperties, HoldOfEveryFormOfMaskWrite) {
  for (const std::string& program : kPrograms) {
    SCOPED_TRACE(program);
    check_file("program.py", program);
    std::string crlf;
    for (const char c : program) crlf += c == '\n' ? "\r\n" : std::string{c};
    check_file("program.py", "\xEF\xBB\xBF" + crlf);
  }
}

std::string notebook_of(const nlohmann::json& source) {
  const nlohmann::json cell{{"cell_type", "code"},
                            {"metadata", nlohmann::json::object()},
                            {"outputs", nlohmann::json::array()},
                            {"execution_count", nullptr},
                            {"source", source}};
  return nlohmann::json{
      {"cells", {cell}}, {"metadata", nlohmann::json::object()}, {"nbformat", 4}, {"nbformat_minor", 5}}
      .dump(1);
}

/// Returns the lines of a text with their line breaks.
std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size() - 1) + 1;
    lines.push_back(text.substr(at, end - at));
    at = end;
  }
  return lines;
}

TEST(AuditFixProperties, HoldOfEveryFormInANotebook) {
  for (const std::string& program : kPrograms) {
    SCOPED_TRACE(program);
    const std::string open = program.substr(0, program.size() - 1);  // Jupyter ends a cell without a line break
    for (const std::string& text : {program, open}) {
      for (const nlohmann::json& source : {nlohmann::json(text), nlohmann::json(lines_of(text))})
        check_file("a.ipynb", notebook_of(source));
    }
  }
}

}  // namespace
}  // namespace weir::audit

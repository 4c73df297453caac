// The effect of a notebook's IPython commands on the environment of its kernel, and commands without effect.

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "audit/rules/checks.hpp"
#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

std::string notebook_of(const std::vector<std::string>& cells) {
  nlohmann::ordered_json json{{"cells", nlohmann::ordered_json::array()},
                              {"metadata", nlohmann::ordered_json::object()},
                              {"nbformat", 4},
                              {"nbformat_minor", 5}};
  for (const std::string& cell : cells)
    json["cells"].push_back({{"cell_type", "code"},
                             {"metadata", nlohmann::ordered_json::object()},
                             {"outputs", nlohmann::ordered_json::array()},
                             {"execution_count", nullptr},
                             {"source", cell}});
  return json.dump(1) + "\n";
}

/// Returns the rules reported for a notebook with other files beside it.
std::multiset<std::string> rules_of(const std::vector<std::string>& cells, Files others = {},
                                    const std::vector<std::string>& select = {}) {
  others["a.ipynb"] = notebook_of(cells);
  const Folder folder;
  put_files(folder, others);
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = one_device_policy(), .select = select});
  EXPECT_TRUE(audit && audit->problems.empty());
  std::multiset<std::string> rules;
  for (const Finding& finding : audit->findings)
    if (finding.module->source.name().ends_with(".ipynb")) rules.emplace(finding.rule);
  return rules;
}

using Rules = std::multiset<std::string>;

TEST(AuditNotebookMagics, AMaskSetByAMagicCountsAtItsPosition) {
  for (const std::string set :
       {"%env CUDA_VISIBLE_DEVICES=1", "%env CUDA_VISIBLE_DEVICES 1", "%set_env CUDA_VISIBLE_DEVICES=1",
        "%env CUDA_VISIBLE_DEVICES = 1", "%set_env  CUDA_VISIBLE_DEVICES  1"}) {
    EXPECT_EQ(rules_of({set, "import torch\nx = torch.zeros(1, device='cuda:1')"}, {}, {"G01", "G08", "G09"}),
              Rules{"G08"})
        << set;
    EXPECT_EQ(rules_of({"import torch\n" + set, "x = torch.zeros(1, device='cuda:0')"}, {}, {"G01", "G03"}),
              Rules{"G01"})
        << set;
    EXPECT_EQ(rules_of({"import torch\nx = torch.zeros(1).cuda()", set}, {}, {"G01", "G03"}), Rules{"G03"}) << set;
  }
  EXPECT_EQ(rules_of({"%env CUDA_VISIBLE_DEVICES=0\nimport torch\ntorch.zeros(1).cuda()"}, {}, {"G33"}), Rules{"G33"});
  // Within one cell and across cells: the second write sets another value in the same run.
  EXPECT_EQ(rules_of({"%env CUDA_VISIBLE_DEVICES=0", "%env CUDA_VISIBLE_DEVICES=1", "import torch"}, {}, {"G06"}),
            Rules{"G06"});
}

TEST(AuditNotebookMagics, AMagicIsQuotedAsInTheNotebook) {
  const auto module = read_module(
      FileKind::notebook, SourceFile{"a.ipynb", "a.ipynb", notebook_of({"x = 1  # one\n%env CUDA_VISIBLE_DEVICES=1"})});
  ASSERT_TRUE(module);
  ASSERT_EQ(module->body().events.size(), 1U);
  EXPECT_EQ(code_text(*module, module->body().events.front().range), "%env CUDA_VISIBLE_DEVICES=1");
  EXPECT_EQ(code_text(*module, {7, 12}), "# one");
}

TEST(AuditNotebookMagics, CommandsOutsideTheKernelSetNoMask) {
  for (const std::string none :
       {"!export CUDA_VISIBLE_DEVICES=1", "%%bash\nexport CUDA_VISIBLE_DEVICES=1\npython a.py",
        "%%sh\n%env CUDA_VISIBLE_DEVICES=1", "!CUDA_VISIBLE_DEVICES=1 python a.py", "%env", "%env CUDA_VISIBLE_DEVICES",
        "# %env CUDA_VISIBLE_DEVICES=1", "%env OTHER=1", "%%writefile b.py\n%env CUDA_VISIBLE_DEVICES=1",
        "text = '''\n%env CUDA_VISIBLE_DEVICES=1\n'''", "%envy CUDA_VISIBLE_DEVICES=1"})
    EXPECT_EQ(
        rules_of({none, "import torch\nx = torch.zeros(1, device='cuda:1')"}, {}, {"G01", "G03", "G08", "G10", "G33"}),
        Rules{})
        << none;
}

TEST(AuditNotebookMagics, ANameAssignedByAMagicIsUnknownAndParses) {
  const std::string use = "import torch\nx = torch.zeros(1, device='cuda:1')";
  for (const std::string given : {"files = !ls | \\\n  wc\n", "a, b = !nvidia-smi -L",
                                  "mask = %env CUDA_VISIBLE_DEVICES", "log = %timeit -o f()", "if x:\n    files = !ls"})
    EXPECT_EQ(rules_of({"%env CUDA_VISIBLE_DEVICES=1\n" + given, use}, {}, {"G08", "G06"}), Rules{"G08"}) << given;
  EXPECT_EQ(
      rules_of(
          {"n = 5\nn %= 2\nok = n != 3\ntext = f'{n=!r}'\nimport os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'", use},
          {}, {"G08"}),
      Rules{"G08"});
}

TEST(AuditNotebookMagics, UnknownValuesAreNotReported) {
  const std::string use = "import torch\nx = torch.zeros(1, device='cuda:1')";
  const std::string set = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'";
  for (const std::string unknown :
       {"%env CUDA_VISIBLE_DEVICES=$gpu", "%env CUDA_VISIBLE_DEVICES={gpu}", "%env CUDA_VISIBLE_DEVICES=\"1\"",
        "%env CUDA_VISIBLE_DEVICES=1 # card", "%dotenv", "%run gone.py", "%run $script", "%run other.ipynb",
        "if x:\n    pass\n    %env CUDA_VISIBLE_DEVICES=0"}) {
    EXPECT_EQ(rules_of({unknown, use}, {}, {"G05", "G08", "G33"}), Rules{}) << unknown;
    EXPECT_EQ(rules_of({set, unknown, set}, {}, {"G06", "G07"}), Rules{}) << unknown;
  }
}

TEST(AuditNotebookMagics, AFileStartedWithRunIsFollowed) {
  const std::string use = "import torch\nx = torch.zeros(1, device='cuda:1')";
  const std::string mask = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
  const std::string main = "import os\nif __name__ == '__main__':\n    os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
  for (const std::string run :
       {"%run other.py", "%run other", "%run ./other.py", "%run -i other.py --flag 1", "%run tools/other.py"}) {
    const std::string name = run.find("tools") == std::string::npos ? "other.py" : "tools/other.py";
    EXPECT_EQ(rules_of({run, use}, {{name, mask}}, {"G08"}), Rules{"G08"}) << run;
    EXPECT_EQ(rules_of({run, use}, {{name, main}}, {"G08"}), Rules{"G08"}) << run;
  }
  EXPECT_EQ(rules_of({"%run -n other.py", use}, {{"other.py", main}}, {"G08"}), Rules{});
  EXPECT_EQ(rules_of({"import other", use}, {{"other.py", main}}, {"G08"}), Rules{});
  // A file started with %run is a program, although no other file imports it.
  const std::string program = "import torch\nx = torch.zeros(1).to('cuda')\n";
  EXPECT_TRUE(has_rule(
      findings_of({{"a.ipynb", notebook_of({"%run other.py"})}, {"other.py", program}}, one_device_policy(), {"G05"}),
      "G05"));
}

TEST(AuditNotebookMagics, FixesMoveNoStatementAcrossAMagic) {
  const std::vector<std::string> cells{
      "import os\nimport torch\n%env CUDA_VISIBLE_DEVICES=0\nos.environ['CUDA_VISIBLE_DEVICES'] = "
      "'1'\ntorch.zeros(1).cuda()\n",
      "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n"};
  const std::string text = notebook_of(cells);
  for (const bool unsafe : {false, true}) {
    const auto after =
        nlohmann::json::parse(apply_fixes({{"a.ipynb", text}}, one_device_policy(), unsafe).at("a.ipynb"));
    const auto code = after["cells"][0]["source"].get<std::string>();
    const auto magic = code.find("%env CUDA_VISIBLE_DEVICES=0\n");
    ASSERT_NE(magic, std::string::npos) << code;
    EXPECT_GT(code.find("'1'"), magic) << code;
  }
}

}  // namespace
}  // namespace weir::audit

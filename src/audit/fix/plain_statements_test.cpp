// Assumptions of a safe fix: a repeated write is deleted only if the earlier one is certainly in force, a write passes
// only statements that cannot notice it, and no edit overrides the choice of an entry point.

#include "audit/fix/plain_statements.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

const std::string kScript = "#!/bin/bash\nexport CUDA_DEVICE_ORDER=PCI_BUS_ID\n";
const std::string kExport = "export CUDA_VISIBLE_DEVICES=1\n";
const std::string kProgram = "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n";
const std::string kWrite = "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
const std::string kInFunction = "def f():\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";

Policy first_card() {
  Policy policy;
  policy.is_defined = true;
  policy.device = "GPU-5b1f3b1e-0000-0000-0000-000000000001";
  policy.index = "1";
  policy.mask_by_uuid = false;
  return policy;
}

/// Fixes a folder of one file and returns the file.
std::string fix_alone(const std::string& name, const std::string& text, bool unsafe) {
  const test::Folder folder;
  folder.put(name, text);
  folder.put("env", "export CUDA_VISIBLE_DEVICES=0\n");
  folder.put("helper.py", "import os\ndef no(*a):\n    return lambda *b: None\ndef f():\n    pass\n");
  const auto outcome =
      fix_files({.operands = {folder.path().native()}, .policy = first_card()}, {.unsafe = unsafe, .write = true});
  EXPECT_TRUE(outcome);
  return folder.text(name);
}

TEST(AuditPlainStatements, AScriptKeepsARepeatedMaskWhoseFirstWriteMayNotCount) {
  for (const std::string first :
       {"( export CUDA_VISIBLE_DEVICES=1 )\n",
        "echo a | { read x; export CUDA_VISIBLE_DEVICES=1; }\n",
        "[ -n \"$1\" ] && export CUDA_VISIBLE_DEVICES=1\n",
        "export CUDA_VISIBLE_DEVICES=1 &\n",
        "true || export CUDA_VISIBLE_DEVICES=1\n",
        "CUDA_VISIBLE_DEVICES=1\n",
        "f() { return 0; export CUDA_VISIBLE_DEVICES=1; }\nf\n",
        "f() ( export CUDA_VISIBLE_DEVICES=1 )\nf\n",
        "{ export CUDA_VISIBLE_DEVICES=1; } | cat\n",
        "declare -n v=CUDA_VISIBLE_DEVICES\nv=1\n",
        "export CUDA_VISIBLE_DEVICES=1 | cat\n",
        "while false; do export CUDA_VISIBLE_DEVICES=1; done\n",
        "export CUDA_VISIBLE_DEVICES=1\neval \"export CUDA_VISIBLE_DEVICES=0\"\n",
        "export CUDA_VISIBLE_DEVICES=1\n. ./env\n",
        "export CUDA_VISIBLE_DEVICES=1\nsource env\n",
        "export CUDA_VISIBLE_DEVICES=1\nfor CUDA_VISIBLE_DEVICES in 0 3; do python3 t.py; done\n",
        "export CUDA_VISIBLE_DEVICES=1\nv=CUDA_VISIBLE_DEVICES; unset $v\n",
        "export CUDA_VISIBLE_DEVICES=1\nread -r CUDA_VISIBLE_DEVICES < n\n",
        "export CUDA_VISIBLE_DEVICES=1\nprintf -v CUDA_VISIBLE_DEVICES 0\n",
        "trap 'CUDA_VISIBLE_DEVICES=0' DEBUG\nexport CUDA_VISIBLE_DEVICES=1\n",
        R"(export CUDA_VISIBLE_DEVICES=1
while read -r k v; do export "$k=$v"; done <<< "CUDA_VISIBLE_DEVICES 0"
)"}) {
    const std::string text = fmt::format("{}{}{}python3 t.py\n", kScript, first, kExport);
    EXPECT_EQ(fix_alone("run.sh", text, false), text);
    // Not even --unsafe lets the first value win, which may be another card's.
    EXPECT_TRUE(fix_alone("run.sh", text, true).ends_with(fmt::format("\n{}python3 t.py\n", kExport)))
        << fix_alone("run.sh", text, true);
  }
}

TEST(AuditPlainStatements, AProgramKeepsARepeatedMaskWhoseFirstWriteMayNotCount) {
  for (const std::string first :
       {"def f():\n    try:\n        return\n    finally:\n        pass\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = "
        "\"1\"\nf()\n",
        "def f():\n    while True:\n        if True: return\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nf()\n",
        "def f():\n    with open(os.devnull) as g:\n        if not g.read(): return\n"
        "    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nf()\n",
        "def f():\n    for _ in range(3):\n        pass\n    else:\n        return\n"
        "    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nf()\n",
        "def no(g): return lambda: None\n@no\ndef f():\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nf()\n",
        "import helper\n@helper.no\ndef f():\n    os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\nf()\n",
        "os.putenv(\"CUDA_VISIBLE_DEVICES\", \"1\")\n"}) {
    const std::string text = fmt::format("{}{}{}import torch\ntorch.zeros(1).cuda()\n", kProgram, first, kWrite);
    EXPECT_EQ(fix_alone("main.py", text, false), text);
    EXPECT_NE(fix_alone("main.py", text, true).rfind("CUDA_VISIBLE_DEVICES\""),
              // the second write is still there
              fix_alone("main.py", text, true).find("CUDA_VISIBLE_DEVICES\""));
  }
  for (const std::string call :
       {"g = lambda: f()\n", "1 > 2 > f()\n", "for i in [1]:\n    break\nelse:\n    f()\n",
        "try:\n    int('x')\nexcept ValueError:\n    pass\nelse:\n    f()\n", "f = lambda: None\nf()\n",
        "from helper import *\nf()\n", "False and f()\n", "[f() for _ in []]\n", "f() if not os else None\n",
        "from unittest import mock\nwith mock.patch('__main__.f'):\n    f()\n", "async def g(): f()\ng()\n"}) {
    const std::string text =
        fmt::format("{}{}{}{}import torch\ntorch.zeros(1).cuda()\n", kProgram, kInFunction, call, kWrite);
    EXPECT_EQ(fix_alone("main.py", text, false), text);
  }
  for (const std::string between :
       {R"(import logging
class H(logging.Handler):
    def emit(self, r): os.environ["CUDA_VISIBLE_DEVICES"] = "0"
logging.getLogger().addHandler(H()); logging.warning('x')
)",
        "import importlib.util\nm = importlib.util.find_spec('helper').loader.load_module()\n", "import helper\n",
        "import some_library\n", "os = helper\n", "x = f\"{helper}\"\n", "print(len(os.environ))\n"}) {
    const std::string text =
        fmt::format("{0}{1}{2}{1}import torch\ntorch.zeros(1).cuda()\n", kProgram, kWrite, between);
    EXPECT_EQ(fix_alone("main.py", text, false), text);
  }
}

TEST(AuditPlainStatements, CertainRepetitionsAreDeletedAndOthersExplained) {
  EXPECT_EQ(fix_alone("run.sh", kScript + kExport + "# again\nNAME=x\n" + kExport + "python3 t.py\n", false),
            kScript + kExport + "# again\nNAME=x\npython3 t.py\n");
  const std::string use = "import torch\nimport numpy as np\nSIZE = 3\ndef f(a, b=2):\n    return a\n";
  EXPECT_EQ(fix_alone("main.py", kProgram + kWrite + use + kWrite + "torch.zeros(1).cuda()\n", false),
            kProgram + kWrite + use + "torch.zeros(1).cuda()\n");
  const test::Folder folder;
  folder.put("run.sh", kScript + "( " + kExport + ")\n" + kExport + kExport.substr(0, 6) + " X=$(date)\n" + kExport);
  const auto outcome = fix_files({.operands = {folder.path().native()}}, {.unsafe = false, .write = false});
  ASSERT_TRUE(outcome);
  const auto& all = outcome->audit_after.findings;
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Finding& finding) {
    return finding.rule == "G07" && finding.advice.find("may not be in force") != std::string::npos;
  }));
}

TEST(AuditPlainStatements, AWriteMovesOnlyAbovePlainStatements) {
  const std::string query =
      "import torch\nimport os\nprint(os.environ.get('CUDA_VISIBLE_DEVICES'))\n" + kProgram.substr(10) + kWrite;
  EXPECT_EQ(fix_alone("main.py", query, false), query);
  const std::string plain = "import torch\nimport os\nSIZE = 3\n" + kProgram.substr(10) + kWrite;
  EXPECT_TRUE(fix_alone("main.py", plain, false).ends_with(kWrite + "import torch\nSIZE = 3\n"))
      << fix_alone("main.py", plain, false);
}

TEST(AuditPlainStatements, AWriteMovesAboveALineOnlyWithTheNamesThatItBinds) {
  const std::string order = "os.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n";
  const std::string use = "torch.zeros(1).cuda()\n";
  for (const auto& [line, left] : {std::pair<std::string, std::string>{"import os; import torch\n", "import torch\n"},
                                   {"import sys, os; import torch\n", "import sys; import torch\n"},
                                   {"import os, torch\n", "import torch\n"}})
    EXPECT_EQ(fix_alone("main.py", fmt::format("{}{}{}", line, kWrite, use), false),
              fmt::format("import os\n{}{}{}{}", kWrite, order, left, use));
  const std::string alloc = "os.environ[\"PYTORCH_CUDA_ALLOC_CONF\"] = \"max_split_size_mb:64\"\n";
  EXPECT_EQ(fix_alone("main.py", "import os; import torch\n" + alloc + use, false),
            "import os\n" + alloc + "import torch\n" + use);
  const std::string late = "os.environ.setdefault(\"CUDA_VISIBLE_DEVICES\", \"1\")\n";
  EXPECT_TRUE(fix_alone("main.py", "import os; import jax\n" + order + late + "jax.devices()\n", true)
                  .starts_with("import os\n" + order + late + "import jax\n"));
  // Statements on the same line are passed, too; a statement that begins above it would be split.
  for (const std::string line : {"import os; print(os.environ.get('PYTORCH_CUDA_ALLOC_CONF')); import torch\n",
                                 "import os; from helper import os; import torch\n",
                                 "import os\nX = (1,\n     2); import torch\n", "import os\nX = 1; \\\nimport torch\n"})
    for (const bool unsafe : {false, true})
      EXPECT_NE(fix_alone("main.py", fmt::format("{}{}{}", line, alloc, use), unsafe).find(line + alloc),
                std::string::npos)
          << line;
}

TEST(AuditPlainStatements, AnEntryPointKeepsItsOwnOrder) {
  const test::Folder folder;
  const std::string shared = "import os\n" + kWrite;
  const std::string own =
      "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"FASTEST_FIRST\"\nimport shared\nimport torch\n"
      "torch.zeros(1).cuda()\n";
  folder.put("shared.py", shared);
  folder.put("own.py", own);
  folder.put("plain.py", "import shared\nimport torch\ntorch.zeros(1).cuda()\n");
  const auto left = fix_files({.operands = {folder.path().native()}}, {.unsafe = true, .write = true});
  ASSERT_TRUE(left);
  EXPECT_EQ(folder.text("shared.py").find("CUDA_DEVICE_ORDER"), std::string::npos) << folder.text("shared.py");
  const auto& all = left->audit_after.findings;
  EXPECT_TRUE(std::any_of(all.begin(), all.end(), [](const Finding& finding) {
    return finding.rule == "G04" && finding.advice.find("own.py may set a device order") != std::string::npos;
  }));
  folder.put("shared.py", shared);
  folder.put("own.py", "import torch\n");
  ASSERT_TRUE(fix_files({.operands = {folder.path().native()}}, {.unsafe = false, .write = true}));
  EXPECT_EQ(folder.text("shared.py"),
            "import os\nos.environ.setdefault(\"CUDA_DEVICE_ORDER\", \"PCI_BUS_ID\")\n" + kWrite);
}

TEST(AuditPlainStatements, AnOrderIsNotInsertedIntoAChainOfCommands) {
  const std::string chain = "#!/bin/bash\ntrue &&\n  export CUDA_VISIBLE_DEVICES=1\npython3 t.py\n";
  EXPECT_EQ(fix_alone("run.sh", chain, false),
            "#!/bin/bash\ntrue &&\n  export CUDA_DEVICE_ORDER=\"${CUDA_DEVICE_ORDER:-PCI_BUS_ID}\" "
            "CUDA_VISIBLE_DEVICES=1\npython3 t.py\n");
  EXPECT_EQ(fix_alone("run.sh", "#!/bin/bash\n" + kExport, false),
            "#!/bin/bash\nexport CUDA_DEVICE_ORDER=\"${CUDA_DEVICE_ORDER:-PCI_BUS_ID}\"\n" + kExport);
}

TEST(AuditPlainStatements, OneOfTwoAmdMasksIsDeleted) {
  const std::string both =
      "import os\nos.environ[\"ROCR_VISIBLE_DEVICES\"] = \"1\"\nos.environ[\"HIP_VISIBLE_DEVICES\"] = \"1\"\n"
      "import torch\ntorch.zeros(1).cuda()\n";
  const test::Folder folder;
  folder.put("main.py", both);
  ASSERT_TRUE(fix_files({.operands = {folder.path().native()}}, {.unsafe = true, .write = true}));
  EXPECT_EQ(folder.text("main.py").find("HIP_VISIBLE_DEVICES"), std::string::npos) << folder.text("main.py");
  EXPECT_NE(folder.text("main.py").find("ROCR_VISIBLE_DEVICES"), std::string::npos);
}

}  // namespace
}  // namespace weir::audit

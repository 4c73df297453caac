// G04: the fixer adds a device order only where no program can set an order itself.

#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "folder.hpp"

namespace weir::audit {
namespace {

using Files = std::vector<std::pair<std::string, std::string>>;

/// Returns the first file of a folder after `--fix`.
std::string fix_first(const Files& files, bool unsafe = false) {
  const test::Folder folder;
  for (const auto& [name, text] : files) folder.put(name, text);
  EXPECT_TRUE(fix_files({.operands = {folder.path().native()}}, {.unsafe = unsafe, .write = true}));
  return folder.text(files.front().first);
}

/// Returns whether --fix leaves the first file unchanged.
bool is_unchanged(const Files& files) { return fix_first(files) == files.front().second; }

const std::string kMaskWrite = "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
const std::string kFirstUse = "import torch\ntorch.zeros(1).cuda()\n";
const std::string kMaskExport = "export CUDA_VISIBLE_DEVICES=1\n";

TEST(AuditOrders, AProgramThatSetsVariablesByNamesThatAreNotKnownKeepsItsOrder) {
  for (const std::string sets :
       {"for k, v in json.load(open('v')).items():\n    os.environ.setdefault(k, v)\n",
        "def put(k, v):\n    os.environ.setdefault(k, v)\nput(*input().split())\n",
        "[os.environ.setdefault(k, v) for k, v in json.load(open('v')).items()]\n",
        "import helper\nhelper.put(json.load(open('v')))\n",
        "import helper\ntable = {'put': helper.put}\ntable[input()]({})\n",
        "os.environ.setdefault(*input().split('='))\n", "list(map(os.environ.setdefault, json.load(open('v')), '1'))\n",
        "os.environ.__delitem__(input())\n", "put = os.environ.setdefault\nput(input(), '1')\n",
        "os.environ.setdefault(f'{input()}_ORDER', '1')\n", "os.putenv(f'{input()}_ORDER', '1')\n"})
    EXPECT_TRUE(is_unchanged({{"a.py", fmt::format("import json, os\n{}{}{}", kMaskWrite, sets, kFirstUse)},
                              {"helper.py",
                               "import os\ndef put(all):\n    for k, v in all.items():\n"
                               "        os.environ.setdefault(k, v)\n"}}))
        << sets;
  // Known code that selects no order.
  for (const std::string sets :
       {"os.environ.setdefault('OMP_NUM_THREADS', '1')\n", "for k in ('A', 'B'):\n    os.environ.setdefault(k, '1')\n"})
    EXPECT_FALSE(is_unchanged({{"a.py", fmt::format("import json, os\n{}{}{}", kMaskWrite, sets, kFirstUse)}})) << sets;
}

TEST(AuditOrders, AScriptThatSetsVariablesByNamesThatAreNotKnownKeepsItsOrder) {
  for (const std::string sets :
       {"set -a; . ./vars.env\n", "source \"$HOME/vars\"\n", "export \"$k=$v\"\n", "declare -x \"${k}=1\"\n",
        "export $(grep -v '^#' .env | xargs)\n", "eval \"$settings\"\n", "eval `cat vars`\n",
        "while read -r k v; do export \"$k=$v\"; done < vars\n"}) {
    EXPECT_TRUE(is_unchanged({{"run.sh", fmt::format("#!/bin/bash\n{}{}python3 t.py\n", sets, kMaskExport)}})) << sets;
    EXPECT_TRUE(is_unchanged({{"run.sh", fmt::format("#!/bin/bash\n{}{}python3 t.py\n", kMaskExport, sets)}})) << sets;
  }
  EXPECT_TRUE(is_unchanged({{"run.sh", "#!/bin/bash\nenv $(cat vars) CUDA_VISIBLE_DEVICES=1 python3 t.py\n"}}));
  for (const std::string sets :
       {"source venv/bin/activate\n", "eval \"$(conda shell.bash hook)\"\n", "export A=\"$b\"\n", "eval 'A=1'\n"})
    EXPECT_FALSE(is_unchanged({{"run.sh", fmt::format("#!/bin/bash\n{}{}python3 t.py\n", sets, kMaskExport)}})) << sets;
}

TEST(AuditOrders, AFileThatRunsInTheSameEnvironmentKeepsItsOrder) {
  const std::string order = ": \"${CUDA_DEVICE_ORDER:=FASTEST_FIRST}\"\nexport CUDA_DEVICE_ORDER\n";
  EXPECT_TRUE(
      is_unchanged({{"env.sh", kMaskExport}, {"run.sh", "#!/bin/bash\n. ./env.sh\n" + order + "python3 t.py\n"}}));
  EXPECT_TRUE(is_unchanged({{"env.sh", kMaskExport},
                            {"order.sh", order},
                            {"run.sh", "#!/bin/bash\n. ./env.sh\n. ./order.sh\npython3 t.py\n"}}));
  EXPECT_TRUE(is_unchanged({{"run.sh", "#!/bin/bash\nCUDA_VISIBLE_DEVICES=1 bash inner.sh\n"},
                            {"inner.sh", "#!/bin/bash\n" + order + "python3 t.py\n"}}));
  const std::string program = "import os\nos.environ.setdefault('CUDA_DEVICE_ORDER', 'FASTEST_FIRST')\n" + kFirstUse;
  for (const std::string started : {"tools/train.py", "-m tools.train"})
    EXPECT_TRUE(is_unchanged(
        {{"run.sh", fmt::format("#!/bin/bash\n{}python3 {}\n", kMaskExport, started)}, {"tools/train.py", program}}))
        << started;
  EXPECT_TRUE(
      is_unchanged({{"a.py", "import os, subprocess\n" + kMaskWrite + "subprocess.run(['python3', 'train.py'])\n"},
                    {"train.py", program}}));
  EXPECT_TRUE(is_unchanged({{"run.sh", "#!/bin/bash\n" + kMaskExport + "./middle.sh\n"},
                            {"middle.sh", "python3 -m tools.train\n"},
                            {"tools/train.py", program}}));
  EXPECT_FALSE(is_unchanged({{"run.sh", "#!/bin/bash\n" + kMaskExport + "python3 other.py\n"}, {"train.py", program}}));
}

TEST(AuditOrders, OneOrderServesAllLaterWritesOfAScript) {
  const std::string line = "export CUDA_DEVICE_ORDER=\"${CUDA_DEVICE_ORDER:-PCI_BUS_ID}\"\n";
  const std::string other = "export CUDA_VISIBLE_DEVICES=2\n";
  EXPECT_EQ(fix_first({{"run.sh", "#!/bin/bash\n" + kMaskExport + kMaskExport + "python3 t.py\n"}}),
            "#!/bin/bash\n" + line + kMaskExport + "python3 t.py\n");
  EXPECT_EQ(fix_first({{"run.sh", "#!/bin/bash\n" + kMaskExport + "python3 t.py\n" + other + "python3 t.py\n"}}),
            "#!/bin/bash\n" + line + kMaskExport + "python3 t.py\n" + other + "python3 t.py\n");
  // A write in a subshell, or a conditional one, does not help later writes.
  for (const std::string first : {"( export CUDA_VISIBLE_DEVICES=1; python3 t.py )\n",
                                  "if [ \"$1\" ]; then\n  export CUDA_VISIBLE_DEVICES=1\n  python3 t.py\nfi\n"})
    EXPECT_NE(fix_first({{"run.sh", fmt::format("#!/bin/bash\n{}{}python3 t.py\n", first, other)}}).find(line + other),
              std::string::npos)
        << first;
  const std::string late = "CUDA_VISIBLE_DEVICES=1\n";
  EXPECT_EQ(fix_first({{"run.sh", "#!/bin/bash\n" + late +
                                      "export HIP_VISIBLE_DEVICES=0\npython3 t.py\n"
                                      "export CUDA_VISIBLE_DEVICES\npython3 t.py\n"}}),
            "#!/bin/bash\n" + late + "export HIP_VISIBLE_DEVICES=0\npython3 t.py\n" + line +
                "export CUDA_VISIBLE_DEVICES\npython3 t.py\n");
}

TEST(AuditOrders, ADeletedMaskGetsNoOrder) {
  const std::string rocr = "import os\nos.environ['ROCR_VISIBLE_DEVICES'] = '1'\n";
  EXPECT_EQ(fix_first({{"a.py", rocr + kMaskWrite + kFirstUse}}), rocr + kMaskWrite + kFirstUse);
  EXPECT_EQ(fix_first({{"a.py", rocr + kMaskWrite + kFirstUse}}, true).find("CUDA"), std::string::npos);
}

}  // namespace
}  // namespace weir::audit

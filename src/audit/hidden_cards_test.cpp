// G08 for masks that hide all cards while the code still uses devices.

#include <string>

#include <gtest/gtest.h>

#include "audit/run_program.hpp"
#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

Lines indices(const std::string& value, const std::string& code) {
  return findings_of(
      {{"a.py", "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '" + value + "'\nimport torch\n" + code}}, Policy{},
      {"G08"});
}

TEST(AuditHiddenCards, NoDeviceExistsUnderThem) {
  for (const std::string value : {"", "-1"}) {
    for (const std::string device : {"cuda:0", "cuda:1"})
      EXPECT_EQ(indices(value, "torch.zeros(1).to('" + device + "')\n"), Lines{"a.py:4 G08"}) << value << device;
  }
  EXPECT_EQ(indices("-1", "torch.cuda.set_device(0)\n"), Lines{"a.py:4 G08"});
  EXPECT_EQ(findings_of({{"run.sh", "CUDA_VISIBLE_DEVICES= python t.py --device cuda:0\n"}}, Policy{}, {"G08"}),
            Lines{"run.sh:1 G08"});
  EXPECT_EQ(
      findings_of({{"run.sh", "export CUDA_VISIBLE_DEVICES=\"\"\npython t.py --device cuda:0\n"}}, Policy{}, {"G08"}),
      Lines{"run.sh:2 G08"});
}

TEST(AuditHiddenCards, ProgramsThatTestFirstOrRestoreTheMaskAreCorrect) {
  for (const std::string code :
       {"if torch.cuda.is_available():\n    torch.zeros(1).to('cuda:0')\n",
        "device = 'cuda:0' if torch.cuda.is_available() else 'cpu'\ntorch.zeros(1).to(device)\n",
        "try:\n    torch.zeros(1).to('cuda:0')\nexcept RuntimeError:\n    pass\n",
        "try:\n    torch.zeros(1).to('cuda:0')\nexcept* RuntimeError:\n    pass\n",
        "del os.environ['CUDA_VISIBLE_DEVICES']\ntorch.zeros(1).to('cuda:0')\n",
        "os.environ.pop('CUDA_VISIBLE_DEVICES')\ntorch.zeros(1).to('cuda:0')\n",
        "os.environ['CUDA_VISIBLE_DEVICES'] = '0'\ntorch.zeros(1).to('cuda:0')\n",
        "if not torch.cuda.is_available():\n    raise SystemExit\ntorch.zeros(1).to('cuda:0')\n",
        "torch.zeros(1).to('cpu')\n"})
    EXPECT_EQ(indices("", code), Lines{}) << code;
}

TEST(AuditHiddenCards, AnEmptyMaskIsShown) {
  const Folder folder;
  folder.put("a.py",
             "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '-1'\nos.environ['CUDA_VISIBLE_DEVICES'] = ''\n"
             "import torch\ntorch.zeros(1).to('cuda:0')\n");
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = {}, .select = {"G06", "G08"}});
  ASSERT_TRUE(audit);
  ASSERT_EQ(audit->findings.size(), 2U);
  EXPECT_NE(audit->findings[0].message.find("is set to \"\" here and to -1 at"), std::string::npos);
  EXPECT_NE(audit->findings[1].message.find("under CUDA_VISIBLE_DEVICES=\"\" (line 3), which hides all cards"),
            std::string::npos);
}

}  // namespace
}  // namespace weir::audit

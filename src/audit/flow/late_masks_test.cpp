// Rule G03: a mask (CUDA_VISIBLE_DEVICES) is set too late. After a query that starts the driver the mask has no effect
// (severity dead); after other queries it may have an effect (fragile).

#include <string>

#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "flow.hpp"

namespace weir::audit {
namespace {

using test_kit::Files;

/// Returns the severity and message of the G03 finding, "dead: ..." or "fragile: ..."; empty if there is none.
std::string g03_text(const Files& files) {
  const test::Folder folder;
  test_kit::put_files(folder, files);
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = {}, .select = {"G03"}});
  EXPECT_TRUE(audit);
  if (!audit || audit->findings.empty()) return {};
  const Finding& finding = audit->findings.front();
  return (finding.severity == Severity::dead ? "dead: " : "fragile: ") + finding.message;
}

TEST(AuditStrangeFlow, AQueryThatStartsTheDriverMakesALaterMaskDead) {
  const std::string mask = "os.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
  const std::string start = "import os, torch\n";
  EXPECT_TRUE(g03_text({{"a.py", start + "torch.cuda.is_available()\n" + mask}}).starts_with("dead"));
  EXPECT_TRUE(g03_text({{"a.py", start + "n = torch.cuda.device_count()\n" + mask}}).starts_with("fragile"));
  // The call that certainly starts the driver decides, independent of the order.
  const std::string both = start + "n = torch.cuda.device_count()\nok = torch.cuda.is_available()\n" + mask;
  EXPECT_TRUE(g03_text({{"a.py", both}}).starts_with("dead"));
  EXPECT_NE(g03_text({{"a.py", both}}).find("is_available"), std::string::npos);
  const std::string query = "import torch\nOK = torch.cuda.is_available()\n";
  EXPECT_TRUE(g03_text({{"cards.py", query}, {"a.py", "import os\nimport cards\n" + mask}}).starts_with("dead"));
  EXPECT_TRUE(g03_text({{"cards.py", query}, {"a.py", "import os\nfrom cards import *\n" + mask}}).starts_with("dead"));
  const std::string counts = "import torch\nN = torch.cuda.device_count()\n";
  EXPECT_TRUE(g03_text({{"cards.py", counts}, {"a.py", "import os\nimport cards\n" + mask}}).starts_with("fragile"));
  const std::string text = g03_text({{"a.py", start + "n = torch.cuda.device_count()\n" + mask}});
  EXPECT_NE(text.find("before 1.13"), std::string::npos) << text;
  EXPECT_EQ(g03_text({{"a.py", start + mask + "n = torch.cuda.device_count()\n"}}), "");
  EXPECT_TRUE(g03_text({{"a.py", start +
                                     "os.environ['PYTORCH_NVML_BASED_CUDA_CHECK'] = '1'\n"
                                     "torch.cuda.is_available()\n" +
                                     mask}})
                  .starts_with("fragile"));
}

TEST(AuditStrangeFlow, AMaskSetInALoopOverVariablesCounts) {
  const std::string start = "import os, torch\nx = torch.ones(1).cuda()\n";
  const std::string variables = "{'CUDA_VISIBLE_DEVICES': '1', 'OMP_NUM_THREADS': '4'}";
  const auto is_late = [&](const std::string& code) { return !g03_text({{"a.py", start + code}}).empty(); };
  EXPECT_TRUE(is_late("env = " + variables + "\nfor k in env:\n    os.environ[k] = env[k]\n"));
  EXPECT_TRUE(is_late("for k, v in " + variables + ".items():\n    os.environ[k] = v\n"));
  EXPECT_TRUE(is_late("for k in ('CUDA_VISIBLE_DEVICES', 'A'):\n    os.environ[k] = '1'\n"));
  EXPECT_FALSE(is_late("for k in ('B', 'A'):\n    os.environ[k] = '1'\n"));
}

}  // namespace
}  // namespace weir::audit

// Findings in PowerShell scripts, and their edits.

#include <string>

#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

TEST(AuditPowershellScripts, AnExistingOrderStays) {
  const std::string mask = "$env:CUDA_VISIBLE_DEVICES = \"1\"\npython a.py\n";
  const std::string expected = "if (-not $env:CUDA_DEVICE_ORDER) { $env:CUDA_DEVICE_ORDER = \"PCI_BUS_ID\" }\n" + mask;
  EXPECT_EQ(apply_fixes({{"a.ps1", mask}}, Policy{}, false).at("a.ps1"), expected);
  EXPECT_EQ(findings_of({{"a.ps1", expected}}, Policy{}, {"G01", "G02", "G04", "G06"}), Lines{});
  EXPECT_EQ(apply_fixes({{"a.ps1", expected}}, Policy{}, false).at("a.ps1"), expected);
}

TEST(AuditPowershellScripts, NamesAndSchedulerRequestsAreNoDevices) {
  const std::string mask = "$env:CUDA_VISIBLE_DEVICES = \"1\"\n";
  for (const std::string command : {"python a.py --tag gpu:1", "srun --gres=gpu:1 a", "docker run cuda:11"})
    EXPECT_EQ(findings_of({{"a.ps1", mask + command + "\n"}}, Policy{}, {"G08"}), Lines{}) << command;
  EXPECT_EQ(findings_of({{"a.ps1", mask + "python a.py --device cuda:1\n"}}, Policy{}, {"G08"}), Lines{"a.ps1:2 G08"});
}

}  // namespace
}  // namespace weir::audit

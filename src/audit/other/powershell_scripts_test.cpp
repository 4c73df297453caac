// What PowerShell's scripts are told and given.

#include <string>

#include <gtest/gtest.h>

#include "told.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

TEST(AuditPowershellScripts, AnOrderThatIsThereStays) {
  const std::string mask = "$env:CUDA_VISIBLE_DEVICES = \"1\"\npython a.py\n";
  const std::string mended = "if (-not $env:CUDA_DEVICE_ORDER) { $env:CUDA_DEVICE_ORDER = \"PCI_BUS_ID\" }\n" + mask;
  EXPECT_EQ(fixed({{"a.ps1", mask}}, Policy{}, false).at("a.ps1"), mended);
  EXPECT_EQ(told({{"a.ps1", mended}}, Policy{}, {"G01", "G02", "G04", "G06"}), Lines{});
  EXPECT_EQ(fixed({{"a.ps1", mended}}, Policy{}, false).at("a.ps1"), mended);
}

TEST(AuditPowershellScripts, NamesAndWhatASchedulerIsAskedForAreNoDevices) {
  const std::string mask = "$env:CUDA_VISIBLE_DEVICES = \"1\"\n";
  for (const std::string command : {"python a.py --tag gpu:1", "srun --gres=gpu:1 a", "docker run cuda:11"})
    EXPECT_EQ(told({{"a.ps1", mask + command + "\n"}}, Policy{}, {"G08"}), Lines{}) << command;
  EXPECT_EQ(told({{"a.ps1", mask + "python a.py --device cuda:1\n"}}, Policy{}, {"G08"}), Lines{"a.ps1:2 G08"});
}

}  // namespace
}  // namespace weir::audit

// G21: a fallback to the CPU because there is no GPU, compared with a CPU that the user requests.

#include <string>

#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

std::string conditional(const std::string& test) {
  return "import torch\nfrom settings import args\ndevice = torch.device('cuda' if " + test + " else 'cpu')\n";
}

std::string branches(const std::string& test) {
  return "import torch\nfrom settings import args\nif " + test + ":\n    device = 'cuda'\nelse:\n    device = 'cpu'\n";
}

TEST(AuditSilentFallback, ACpuThatTheUserRequestsIsNotSilent) {
  for (const std::string test :
       {"torch.cuda.is_available() and not args.no_cuda", "not args.no_cuda and torch.cuda.is_available()",
        "(torch.cuda.is_available() and args.cuda)", "args.cuda and torch.cuda.device_count() > 0",
        "torch.cuda.is_available() or args.force", "torch.cuda.is_available() & args.cuda",
        "torch.cuda.device_count() > args.gpu", "args.gpu < torch.cuda.device_count()", "not torch.cuda.is_available()",
        "torch.backends.mps.is_available()", "torch.backends.mps.is_available() and torch.cuda.is_available()"}) {
    for (const std::string& text : {conditional(test), branches(test)}) {
      EXPECT_EQ(findings_of({{"a.py", text}}, one_device_policy(), {"G21"}), Lines{}) << text;
      EXPECT_EQ(apply_fixes({{"a.py", text}}, one_device_policy(), true).at("a.py").find("device = 'cuda'\n") ==
                    std::string::npos,
                text.find("    device") == std::string::npos)
          << text;
    }
  }
  const std::string apple =
      "import torch\ndevice = torch.device('mps') if torch.backends.mps.is_available() else torch.device('cpu')\n";
  EXPECT_EQ(apply_fixes({{"a.py", apple}}, one_device_policy(), true).at("a.py"), apple);
}

TEST(AuditSilentFallback, ATestForAGpuOnlyIsSilent) {
  for (const std::string test :
       {"torch.cuda.is_available()", "(torch.cuda.is_available())", "torch.cuda.device_count() > 0",
        "torch.cuda.is_available() and torch.cuda.device_count() >= 1", "cuda.is_available() is True",
        "torch.cuda.is_available() == True", "torch.xpu.is_available()"}) {
    EXPECT_EQ(findings_of({{"a.py", conditional(test)}}, one_device_policy(), {"G21"}), Lines{"a.py:3 G21"}) << test;
    EXPECT_EQ(findings_of({{"a.py", branches(test)}}, one_device_policy(), {"G21"}), Lines{"a.py:6 G21"}) << test;
  }
}

}  // namespace
}  // namespace weir::audit

// GPU work that a constant disables, and device numbers stored in an object.

#include <string>

#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

/// Returns whether G05 reports that the program uses a GPU and selects none.
bool reports_no_selection(const std::string& code) {
  return has_rule(findings_of({{"a.py", "import torch\n\n\n" + code}}, one_device_policy()), "G05");
}

TEST(AuditSwitchedOff, WorkDisabledByAConstantIsNoUse) {
  const std::string main = "if __name__ == '__main__':\n    ";
  const std::string parameter = "def run(net, use_gpu=False):\n    if use_gpu:\n        net.cuda()\n\n\n" + main;
  EXPECT_FALSE(reports_no_selection(parameter + "run(make())\n"));
  EXPECT_FALSE(reports_no_selection(parameter + "run(make(), use_gpu=0)\n"));
  EXPECT_TRUE(reports_no_selection(parameter + "run(make(), True)\n"));
  EXPECT_TRUE(reports_no_selection(parameter + "run(make(), use_gpu=wanted())\n"));
  const std::string constant =
      "USE_GPU = False\n\n\ndef run(net):\n    if USE_GPU and torch.cuda.is_available():\n"
      "        net.cuda()\n\n\n" +
      main + "run(make())\n";
  EXPECT_FALSE(reports_no_selection(constant));
  EXPECT_TRUE(reports_no_selection("USE_GPU = True" + constant.substr(constant.find('\n'))));
  EXPECT_FALSE(reports_no_selection(
      "USE_GPU = False\ndevice = 'cuda' if USE_GPU else 'cpu'\nx = torch.ones(1, device=device)\n"));
  EXPECT_TRUE(reports_no_selection(
      "USE_GPU = False\ndevice = 'cpu' if USE_GPU else 'cuda'\nx = torch.ones(1, device=device)\n"));
}

TEST(AuditSwitchedOff, TheOtherBranchIsTaken) {
  const std::string otherwise = "CPU = {}\nnet = make()\nif CPU:\n    net.cpu()\nelse:\n    net.cuda()\n";
  const auto with = [&](const std::string& value) {
    std::string code = otherwise;
    return reports_no_selection(code.replace(code.find("{}"), 2, value));
  };
  EXPECT_FALSE(with("True"));
  EXPECT_TRUE(with("False"));
  EXPECT_TRUE(with("asked()"));
  EXPECT_FALSE(reports_no_selection("CPU = True\nnet = make()\nif not CPU:\n    net.cuda()\n"));
  EXPECT_FALSE(
      reports_no_selection("def run(net, cpu=True):\n    if cpu:\n        return\n    net.cuda()\n\n\n"
                           "if __name__ == '__main__':\n    run(make())\n"));
  // One part of "and" does not decide the opposite branch.
  EXPECT_TRUE(reports_no_selection("CPU = True\nnet = make()\nif not (CPU and asked()):\n    net.cuda()\n"));
}

TEST(AuditSwitchedOff, ChangingValuesAreNoConstants) {
  EXPECT_TRUE(
      reports_no_selection("first = True\nnet = make()\nwhile more():\n    if first:\n        first = False\n"
                           "    else:\n        net.cuda()\n"));
  EXPECT_TRUE(
      reports_no_selection("ready = False\n\n\ndef prepare():\n    global ready\n    ready = True\n\n\n"
                           "def work(net):\n    if ready:\n        net.cuda()\n\n\n"
                           "if __name__ == '__main__':\n    prepare()\n    work(make())\n"));
}

TEST(AuditSwitchedOff, DeviceNumbersCountAsInTheRuntime) {
  const auto counted_twice = [](const std::string& code) {
    return has_rule(findings_of({{"a.py", "import torch\nfrom pynvml import nvmlDeviceGetHandleByIndex\n\n\n" + code}},
                                one_device_policy()),
                    "G20");
  };
  EXPECT_TRUE(
      counted_twice("def free(device=torch.device('cuda:0')):\n"
                    "    return nvmlDeviceGetHandleByIndex(device.index)\n\n\nprint(free())\n"));
  EXPECT_TRUE(counted_twice("device = torch.device('cuda', 1)\nprint(nvmlDeviceGetHandleByIndex(device.index))\n"));
}

}  // namespace
}  // namespace weir::audit

// Work on a GPU that a constant switches off, and numbers of devices that an object has.

#include <string>

#include <gtest/gtest.h>

#include "told.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

bool selects_none(const std::string& code) {
  return has_rule(told({{"a.py", "import torch\n\n\n" + code}}, one_card()), "G05");
}

TEST(AuditSwitchedOff, WhatAConstantSwitchesOffIsNoUse) {
  const std::string main = "if __name__ == '__main__':\n    ";
  const std::string parameter = "def run(net, use_gpu=False):\n    if use_gpu:\n        net.cuda()\n\n\n" + main;
  EXPECT_FALSE(selects_none(parameter + "run(make())\n"));
  EXPECT_FALSE(selects_none(parameter + "run(make(), use_gpu=0)\n"));
  EXPECT_TRUE(selects_none(parameter + "run(make(), True)\n"));
  EXPECT_TRUE(selects_none(parameter + "run(make(), use_gpu=wanted())\n"));
  const std::string constant =
      "USE_GPU = False\n\n\ndef run(net):\n    if USE_GPU and torch.cuda.is_available():\n"
      "        net.cuda()\n\n\n" +
      main + "run(make())\n";
  EXPECT_FALSE(selects_none(constant));
  EXPECT_TRUE(selects_none("USE_GPU = True" + constant.substr(constant.find('\n'))));
  EXPECT_FALSE(
      selects_none("USE_GPU = False\ndevice = 'cuda' if USE_GPU else 'cpu'\nx = torch.ones(1, device=device)\n"));
  EXPECT_TRUE(
      selects_none("USE_GPU = False\ndevice = 'cpu' if USE_GPU else 'cuda'\nx = torch.ones(1, device=device)\n"));
}

TEST(AuditSwitchedOff, TheOtherWayIsTaken) {
  const std::string otherwise = "CPU = {}\nnet = make()\nif CPU:\n    net.cpu()\nelse:\n    net.cuda()\n";
  const auto with = [&](const std::string& value) {
    std::string code = otherwise;
    return selects_none(code.replace(code.find("{}"), 2, value));
  };
  EXPECT_FALSE(with("True"));
  EXPECT_TRUE(with("False"));
  EXPECT_TRUE(with("asked()"));
  EXPECT_FALSE(selects_none("CPU = True\nnet = make()\nif not CPU:\n    net.cuda()\n"));
  EXPECT_FALSE(
      selects_none("def run(net, cpu=True):\n    if cpu:\n        return\n    net.cuda()\n\n\n"
                   "if __name__ == '__main__':\n    run(make())\n"));
  // One part of "and" does not decide what its opposite is.
  EXPECT_TRUE(selects_none("CPU = True\nnet = make()\nif not (CPU and asked()):\n    net.cuda()\n"));
}

TEST(AuditSwitchedOff, WhatChangesIsNoConstant) {
  EXPECT_TRUE(
      selects_none("first = True\nnet = make()\nwhile more():\n    if first:\n        first = False\n"
                   "    else:\n        net.cuda()\n"));
  EXPECT_TRUE(
      selects_none("ready = False\n\n\ndef prepare():\n    global ready\n    ready = True\n\n\n"
                   "def work(net):\n    if ready:\n        net.cuda()\n\n\n"
                   "if __name__ == '__main__':\n    prepare()\n    work(make())\n"));
}

TEST(AuditSwitchedOff, TheNumberOfADeviceCountsAsTheRuntimeDoes) {
  const auto counted_twice = [](const std::string& code) {
    return has_rule(
        told({{"a.py", "import torch\nfrom pynvml import nvmlDeviceGetHandleByIndex\n\n\n" + code}}, one_card()),
        "G20");
  };
  EXPECT_TRUE(
      counted_twice("def free(device=torch.device('cuda:0')):\n"
                    "    return nvmlDeviceGetHandleByIndex(device.index)\n\n\nprint(free())\n"));
  EXPECT_TRUE(counted_twice("device = torch.device('cuda', 1)\nprint(nvmlDeviceGetHandleByIndex(device.index))\n"));
}

}  // namespace
}  // namespace weir::audit

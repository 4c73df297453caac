// Containers that receive selected cards, which are numbered from 0 there; and writes in functions that Python calls by
// itself.

#include <set>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/audit.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

/// Returns the severities of a rule's findings for one file, under a policy that allows only card 1.
std::multiset<Severity> reported_for(std::string_view rule, const std::string& name, const std::string& text) {
  const test::Folder folder;
  folder.put(name, text);
  Policy policy;
  policy.is_defined = true;
  policy.device = "GPU-5b1f3b1e-0000-0000-0000-000000000001";
  policy.index = "1";
  policy.mask_by_uuid = false;
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = policy});
  EXPECT_TRUE(audit);
  std::multiset<Severity> severities;
  for (const Finding& finding : audit ? audit->findings : std::vector<Finding>{})
    if (finding.rule == rule) severities.insert(finding.severity);
  return severities;
}

TEST(AuditRenumbered, InAContainerWithSelectedCardsZeroIsTheFirst) {
  const std::string ids =
      "services:\n  a:\n    image: x\n    environment:\n      - CUDA_VISIBLE_DEVICES=0\n    deploy:\n      resources:\n"
      "        reservations:\n          devices:\n            - driver: nvidia\n              device_ids: [\"1\"]\n";
  const std::string runtime =
      "services:\n  b:\n    image: x\n    environment:\n      NVIDIA_VISIBLE_DEVICES: \"1\"\n"
      "      CUDA_VISIBLE_DEVICES: \"0\"\n";
  const std::string pod =
      "kind: Pod\nspec:\n  containers:\n    - name: a\n      resources:\n        limits:\n          nvidia.com/gpu: 1\n"
      "      env:\n        - name: CUDA_VISIBLE_DEVICES\n          value: \"0\"\n";
  for (const std::string& text : {ids, runtime, pod}) EXPECT_TRUE(reported_for("G33", "a.yaml", text).empty()) << text;
  EXPECT_TRUE(
      reported_for("G33", "Dockerfile", "FROM x\nENV NVIDIA_VISIBLE_DEVICES=1\nENV CUDA_VISIBLE_DEVICES=0\n").empty());
  // Without cards of its own, the container uses the machine's numbers.
  EXPECT_EQ(
      reported_for("G33", "a.yaml", "services:\n  a:\n    image: x\n    environment:\n      - CUDA_VISIBLE_DEVICES=0\n")
          .size(),
      1U);
  EXPECT_EQ(
      reported_for(
          "G33", "a.yaml",
          "services:\n  a:\n    environment:\n      NVIDIA_VISIBLE_DEVICES: all\n      CUDA_VISIBLE_DEVICES: '0'\n")
          .size(),
      1U);
  EXPECT_EQ(reported_for("G33", "a.yaml", ids + "  c:\n    environment:\n      - CUDA_VISIBLE_DEVICES=2\n").size(), 1U);
}

TEST(AuditRenumbered, AMaskOutsideTheContainersCardsIsReported) {
  const auto pod = [](const std::string& given, const std::string& mask) {
    return "kind: Pod\nspec:\n  containers:\n    - name: a\n      resources:\n        limits:\n          " + given +
           "\n      env:\n        - name: CUDA_VISIBLE_DEVICES\n          value: \"" + mask +
           "\"\n        - name: A\n          value: b\n    - name: b\n      env:\n        - name: "
           "CUDA_VISIBLE_DEVICES\n" +
           "          value: \"3\"\n";
  };
  for (const std::string mask : {"1", "3", "0,1"})
    EXPECT_EQ(reported_for("G28", "a.yaml", pod("nvidia.com/gpu: 1", mask)).size(), 1U) << mask;
  EXPECT_EQ(reported_for("G28", "a.yaml", pod("nvidia.com/gpu: \"2\"", "2")).size(), 1U);
  for (const std::string mask : {"0", "", "GPU-5b1f3b1e-0000-0000-0000-000000000001", "$(CARD)"})
    EXPECT_TRUE(reported_for("G28", "a.yaml", pod("nvidia.com/gpu: 1", mask)).empty()) << mask;
  EXPECT_TRUE(reported_for("G28", "a.yaml", pod("nvidia.com/gpu: 2", "0,1")).empty());
  EXPECT_TRUE(reported_for("G28", "a.yaml", pod("nvidia.com/gpu.shared: 1", "1")).empty());
  EXPECT_TRUE(reported_for("G28", "a.yaml", pod("cpu: 1", "1")).empty());
  const std::string environment =
      "env:\n  - name: NVIDIA_VISIBLE_DEVICES\n    value: \"1\"\n  - name: CUDA_VISIBLE_DEVICES\n    value: \"1\"\n";
  EXPECT_EQ(reported_for("G28", "a.yaml", environment).size(), 1U);
}

TEST(AuditRenumbered, AServiceWithANumberOfCardsCountsFromZero) {
  const auto service = [](const std::string& count, const std::string& mask, const std::string& kind) {
    return "services:\n  a:\n    image: x\n    environment:\n      - A=b\n      - CUDA_VISIBLE_DEVICES=" + mask +
           "\n    deploy:\n      resources:\n        reservations:\n          devices:\n            - driver: "
           "nvidia\n" +
           "              count: " + count + "\n              capabilities: [" + kind + "]\n";
  };
  EXPECT_EQ(reported_for("G28", "compose.yaml", service("1", "2", "gpu")).size(), 1U);
  EXPECT_EQ(reported_for("G28", "compose.yaml", service("2", "2", "gpu")).size(), 1U);
  EXPECT_TRUE(reported_for("G28", "compose.yaml", service("1", "0", "gpu")).empty());
  EXPECT_TRUE(reported_for("G33", "compose.yaml", service("1", "0", "gpu")).empty());
  EXPECT_TRUE(reported_for("G28", "compose.yaml", service("3", "2", "gpu")).empty());
  EXPECT_TRUE(reported_for("G28", "compose.yaml", service("all", "2", "gpu")).empty());
  EXPECT_TRUE(reported_for("G28", "compose.yaml", service("1", "2", "tpu")).empty());
}

TEST(AuditRenumbered, AWriteThatPythonMayRunBeforeTheFirstUseIsNotDead) {
  const std::string start = "import os\nos.environ['CUDA_VISIBLE_DEVICES'] = '1'\n";
  const std::string end = "import torch\ntorch.zeros(1).cuda()\n";
  const std::string write = "os.environ['CUDA_VISIBLE_DEVICES'] = '0'\n";
  for (const std::string& code :
       {"class M(type):\n    def __new__(m, n, b, d):\n        " + write +
            "        return super().__new__(m, n, b, d)\nclass Q(metaclass=M): pass\n",
        "class B:\n    def __init_subclass__(cls):\n        " + write + "class Q(B): pass\n",
        "class X:\n    def __del__(self):\n        " + write + "x = X(); del x\n",
        "class X:\n    def __add__(self, o):\n        " + write + "X() + 1\n",
        "class X:\n    def __str__(self):\n        " + write + "        return ''\nprint(X())\n",
        "def hook(x):\n    " + write + "    return x\nlist(map(hook, [1]))\n",
        fmt::format("import logging\nclass H(logging.Handler):\n    def emit(self, r):\n        {}"
                    "logging.getLogger().addHandler(H())\n",
                    write)})
    EXPECT_FALSE(reported_for("G03", "a.py", fmt::format("{}{}{}", start, code, end)).contains(Severity::dead)) << code;
  EXPECT_TRUE(
      reported_for("G03", "a.py", fmt::format("{}{}def late():\n    {}", start, end, write)).contains(Severity::dead));
}

}  // namespace
}  // namespace weir::audit

// Settings files with references (anchors, aliases and merge keys of YAML), and containers that receive cards.

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit_findings.hpp"

namespace weir::audit {
namespace {

using namespace test_kit;  // NOLINT(google-build-using-namespace)

Lines reported_in(const std::string& text, const std::vector<std::string>& rules = {"G28", "G33"}) {
  return findings_of({{"a.yaml", text}}, one_device_policy(), rules);
}

const std::string kDevices =
    "    deploy:\n      resources:\n        reservations:\n          devices:\n            - device_ids: [\"1\"]\n";
const std::string kShared =
    "x-gpu: &gpu\n  deploy:\n    resources:\n      reservations:\n        devices:\n          - device_ids: [\"1\"]\n";

TEST(AuditSettings, AMaskThroughAnAliasIsReported) {
  EXPECT_EQ(reported_in("x-card: &card \"0\"\nservices:\n  a:\n    environment:\n      CUDA_VISIBLE_DEVICES: *card\n"),
            Lines{"a.yaml:5 G33"});
  EXPECT_EQ(reported_in("services:\n  a:\n    environment:\n      CUDA_VISIBLE_DEVICES: &card \"0\"\n"),
            Lines{"a.yaml:4 G33"});
  // The last anchor of that name above the alias counts.
  EXPECT_EQ(reported_in("a: &c \"0\"\nb: &c \"1\"\nenv:\n  CUDA_VISIBLE_DEVICES: *c\n"), Lines{});
  EXPECT_EQ(
      reported_in("kind: Pod\nx: &card \"0\"\nspec:\n  containers:\n    - env:\n        - name: CUDA_VISIBLE_DEVICES\n"
                  "          value: *card\n"),
      Lines{"a.yaml:6 G33"});
  // GitLab CI: reported once, at its own position, however often it is used.
  EXPECT_EQ(
      reported_in(
          ".gpu: &gpu\n  CUDA_VISIBLE_DEVICES: \"0\"\none:\n  variables: *gpu\ntwo:\n  variables:\n    <<: *gpu\n"),
      Lines{"a.yaml:2 G33"});
}

TEST(AuditSettings, AServicesListOfCardsMayHaveOneCardPerLine) {
  const auto with_mask = [](const std::string& mask) {
    return reported_in(
        "services:\n  a:\n    environment:\n      - CUDA_VISIBLE_DEVICES=" + mask +
            "\n    deploy:\n      resources:\n        reservations:\n          devices:\n"
            "            - device_ids:\n                - \"2\"  # two, three\n                - \"3\"\n",
        {"G28"});
  };
  EXPECT_EQ(with_mask("0,1"), Lines{});
  EXPECT_EQ(with_mask("1"), Lines{});
  EXPECT_EQ(with_mask("2"), Lines{"a.yaml:4 G28"});
}

TEST(AuditSettings, AnInstructionOfADockerfileMayHaveSeveralLines) {
  const auto in_dockerfile = [](const std::string& instructions) {
    return findings_of({{"Dockerfile", "FROM x\n" + instructions}}, one_device_policy(), {"G33"});
  };
  EXPECT_EQ(in_dockerfile("ENV CUDA_VISIBLE_DEVICES=0\n"), Lines{"Dockerfile:2 G33"});
  EXPECT_EQ(in_dockerfile("ENV A=1 \\\n    # a comment, and an empty line\n\n    CUDA_VISIBLE_DEVICES=0 \\\n    B=2\n"),
            Lines{"Dockerfile:5 G33"});
  // Other instructions set no variables.
  EXPECT_EQ(in_dockerfile("ENV A=1\nRUN x && \\\n    CUDA_VISIBLE_DEVICES=0 y\n"), Lines{});
}

TEST(AuditSettings, CardsThroughAMergeKeyCount) {
  // The mask does not match the service's cards, set directly or through an alias.
  EXPECT_EQ(reported_in(kShared + "services:\n  a:\n    <<: *gpu\n    environment:\n      - CUDA_VISIBLE_DEVICES=1\n"),
            Lines{"a.yaml:11 G28"});
  EXPECT_EQ(
      reported_in("x-env: &env\n  CUDA_VISIBLE_DEVICES: \"1\"\nservices:\n  a:\n    environment: *env\n" + kDevices),
      Lines{"a.yaml:5 G28"});
  EXPECT_EQ(
      reported_in("x-env: &env\n  CUDA_VISIBLE_DEVICES: \"1\"\nservices:\n  a:\n    environment:\n      <<: *env\n   "
                  "   A: b\n" +
                  kDevices),
      Lines{"a.yaml:6 G28"});
  EXPECT_EQ(
      reported_in(
          "x-ids: &ids [\"0\", \"1\"]\nservices:\n  a:\n    environment:\n      CUDA_VISIBLE_DEVICES: \"2\"\n"
          "    deploy:\n      resources:\n        reservations:\n          devices:\n            - device_ids: *ids\n"),
      Lines{"a.yaml:5 G28"});
}

TEST(AuditSettings, CorrectMasksThroughAliasesAreNotReported) {
  const std::string zero = "    environment:\n      CUDA_VISIBLE_DEVICES: \"0\"\n";
  // Inside a container that receives card 1 the first of its cards is 0.
  EXPECT_EQ(reported_in(kShared + "services:\n  a:\n    <<: *gpu\n" + zero), Lines{});
  EXPECT_EQ(
      reported_in("x-env: &env\n  CUDA_VISIBLE_DEVICES: \"0\"\nservices:\n  a:\n    environment: *env\n" + kDevices),
      Lines{});
  EXPECT_EQ(
      reported_in(
          "x-ids: &ids [\"0\", \"1\"]\nservices:\n  a:\n    environment:\n      CUDA_VISIBLE_DEVICES: \"1\"\n"
          "    deploy:\n      resources:\n        reservations:\n          devices:\n            - device_ids: *ids\n"),
      Lines{});
  // An own key takes precedence over a merged one, and the first merged one over the next.
  EXPECT_EQ(
      reported_in("x-env: &env\n  CUDA_VISIBLE_DEVICES: \"1\"\nservices:\n  a:\n    environment:\n      <<: *env\n"
                  "      CUDA_VISIBLE_DEVICES: \"0\"\n" +
                  kDevices),
      Lines{});
  EXPECT_EQ(reported_in("x-a: &a\n  CUDA_VISIBLE_DEVICES: \"1\"\nx-b: &b\n  CUDA_VISIBLE_DEVICES: \"1\"\nx-c: &c\n  "
                        "CUDA_VISIBLE_DEVICES: \"0\"\nservices:\n  a:\n    environment:\n      <<: [*c, *b, *a]\n" +
                        kDevices),
            Lines{});
  // The cards of one service do not count for another.
  EXPECT_EQ(reported_in("services:\n  <<: *gone\n  a:\n    environment:\n      CUDA_VISIBLE_DEVICES: \"1\"\n  b:\n" +
                        kDevices),
            Lines{});
  // Aliases of an anchor in another document, of nothing, and of themselves.
  EXPECT_EQ(reported_in("a: &c \"0\"\n---\nenv:\n  CUDA_VISIBLE_DEVICES: *c\n"), Lines{});
  EXPECT_EQ(reported_in("env: &e\n  CUDA_VISIBLE_DEVICES: *e\n  <<: *e\n"), Lines{});
}

TEST(AuditSettings, NoEditDeletesOrChangesAnAnchor) {
  const std::string pod = "env:\n  ROCR_VISIBLE_DEVICES: \"1\"\n  HIP_VISIBLE_DEVICES: &one \"1\"\nother: *one\n";
  EXPECT_EQ(findings_of({{"a.yaml", pod}}, one_device_policy(), {"G27"}), Lines{"a.yaml:3 G27"});
  EXPECT_EQ(apply_fixes({{"a.yaml", pod}}, one_device_policy(), true).at("a.yaml"), pod);
}

TEST(AuditSettings, ExponentialAliasesAreBounded) {
  std::string laughs = "a0: &a0 {CUDA_VISIBLE_DEVICES: \"1\"}\n";
  for (int i = 1; i < 60; ++i) {
    const std::string below = "*a" + std::to_string(i - 1);
    laughs += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [";
    for (int k = 0; k < 9; ++k) laughs += (k == 0 ? "" : ", ") + below;
    laughs += "]\n";
  }
  std::string merges = "b0: &b0 {NVIDIA_VISIBLE_DEVICES: \"1\"}\n";
  for (int i = 1; i < 60; ++i) {
    const std::string below = "*b" + std::to_string(i - 1);
    merges += fmt::format("b{0}: &b{0} {{<<: [{1}, {1}]}}\n", i, below);
  }
  const auto begin = std::chrono::steady_clock::now();
  EXPECT_EQ(reported_in(laughs + merges + "services:\n  a:\n    environment: *a59\n    <<: *b59\n"), Lines{});
  EXPECT_LT(std::chrono::steady_clock::now() - begin, std::chrono::seconds{20});
}

TEST(AuditSettings, CardsCountForTheirOwnContainerOnly) {
  const auto container = [](const std::string& name, const std::string& limits) {
    return "    - name: " + name + "\n" + limits +
           "      env:\n        - name: CUDA_VISIBLE_DEVICES\n          value: \"0\"\n";
  };
  const std::string limits = "      resources:\n        limits:\n          nvidia.com/gpu: 1\n";
  const std::string pod = "kind: Pod\nspec:\n  containers:\n";
  EXPECT_EQ(reported_in(pod + container("a", limits) + container("b", "")), Lines{"a.yaml:13 G33"});
  EXPECT_EQ(reported_in(pod + container("a", limits)), Lines{});
  for (const std::string resource :
       {"nvidia.com/gpu.shared", "nvidia.com/mig-1g.5gb", "amd.com/gpu", "gpu.intel.com/i915"})
    EXPECT_EQ(reported_in(pod + container("a", fmt::format("      resources:\n        requests:\n          {}: 1\n",
                                                           resource))),
              Lines{})
        << resource;
  // Through an alias, in another document, for a whole pod, in JSON.
  EXPECT_EQ(reported_in("x: &limits\n  limits:\n    nvidia.com/gpu: 1\n" + pod +
                        container("a", "      resources: *limits\n")),
            Lines{});
  EXPECT_EQ(reported_in(pod + container("a", limits) + "---\n" + pod + container("b", "")), Lines{"a.yaml:17 G33"});
  EXPECT_EQ(
      reported_in("spec:\n  resources:\n    limits:\n      nvidia.com/gpu: 1\n  containers:\n" + container("a", "")),
      Lines{});
  EXPECT_EQ(findings_of({{"a.json",
                          "{\"containers\": [{\"resources\": {\"limits\": {\"nvidia.com/gpu\": 1}},\n"
                          "\"env\": [{\"name\": \"CUDA_VISIBLE_DEVICES\", \"value\": \"0\"}]}]}"}},
                        one_device_policy(), {"G33"}),
            Lines{});
  // No cards at all, and labels of a node.
  EXPECT_EQ(reported_in(pod + container("a", "      resources:\n        limits:\n          nvidia.com/gpu: 0\n")),
            Lines{"a.yaml:9 G33"});
  EXPECT_EQ(reported_in("spec:\n  nodeSelector:\n    nvidia.com/gpu: \"true\"\n  containers:\n" + container("a", "")),
            Lines{"a.yaml:7 G33"});
  // In an unknown form, or in a template that is no YAML before it is rendered.
  EXPECT_EQ(reported_in("gpus:\n  nvidia.com/gpu: 1\n" + pod + container("a", "")), Lines{});
  EXPECT_EQ(reported_in("{{- if .x }\n}: [\n" + pod + container("a", limits) + container("b", "")), Lines{});
}

}  // namespace
}  // namespace weir::audit

// Runs the fixer on a generated project of forty programs: findings that need no decision by a person are fixed, all
// others are reported with advice.

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "audit/report/report.hpp"
#include "program.hpp"

namespace weir::audit {
namespace {

const std::string kOrder = "os.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\n";
const std::string kMask = "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";
const std::string kCheck =
    "\n\ndef check_gpu():\n    name = torch.cuda.get_device_name(0)\n"
    "    memory = torch.cuda.get_device_properties(0).total_memory / 1024**3\n"
    "    if \"RTX 3090\" not in name or memory < 20:\n        raise RuntimeError(\"wrong card: \" + "
    "name)\n\n\ncheck_gpu()\n";

/// A kind of program.
struct Kind {
  const char* name;
  bool needs_judgement;  ///< a finding remains that only a person can fix
  std::string text;      ///< {0} is replaced by a number, so that no two programs are equal
};

/// Returns the kinds of programs: one without a defect, and one for each of nine defects.
std::vector<Kind> kinds() {
  const std::string torch = "import torch\n";
  const std::string work = "net = torch.nn.Linear({0}, 2).to(\"cuda:0\")\n";
  return {
      {"right", false, "import os\n" + kOrder + kMask + torch + kCheck + work},
      {"no_order", false, "import os\n" + kMask + torch + kCheck + work},
      {"late", false, torch + "import os\n" + kOrder + kMask + kCheck + work},
      {"none", false, torch + work},
      {"other_card", false,
       "import os\n" + kOrder + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0\"\n" + torch + kCheck + work},
      {"physical", false,
       "import os\n" + kOrder + kMask + torch + kCheck + "net = torch.nn.Linear({0}, 2).to(\"cuda:1\")\n"},
      {"old_name", false,
       "import os\n" + kOrder + kMask + torch + kCheck + work + "torch.cuda.reset_max_memory_allocated()\n"},
      {"twice", false, "import os\n" + kOrder + kMask + kMask + torch + kCheck + work},
      {"two_masks", true,
       "import os\n" + kOrder + kMask + "os.environ[\"CUDA_VISIBLE_DEVICES\"] = \"0,1\"\n" + torch + kCheck + work},
      {"dead", true, "import os\n" + torch + "torch.cuda.is_available()\n" + kOrder + kMask + kCheck + work},
  };
}

constexpr std::size_t kProgramCount = 40;

TEST(AuditFortyFiles, SimpleFindingsAreFixedAndTheRestIsReportedWithAReason) {
  const test::Folder folder;
  const auto all = kinds();
  for (std::size_t i = 0; i < kProgramCount; ++i) {
    const Kind& kind = all[i % all.size()];
    std::string text = kind.text;
    if (const std::size_t hole = text.find("{0}"); hole != std::string::npos)
      text.replace(hole, 3, std::to_string(i + 1));
    folder.put(fmt::format("{}_{}.py", kind.name, i), text + "\nif __name__ == \"__main__\":\n    print(net)\n");
  }
  Policy policy;
  policy.is_defined = true;
  policy.device = "RTX 3090";
  policy.index = "1";
  policy.mask_by_uuid = false;
  const AuditRequest request{.operands = {folder.path().native()}, .policy = policy};
  const auto outcome = fix_files(request, {.unsafe = true, .write = true});
  ASSERT_TRUE(outcome);
  for (const FixedFile& file : outcome->files) EXPECT_EQ(file.problem, "") << file.name;
  std::set<std::string> left;
  for (const Finding& finding : outcome->audit_after.findings) {
    if (finding.severity == Severity::style) continue;
    const std::string name = finding.module->source.path().filename().native();
    left.insert(name);
    EXPECT_FALSE(finding.advice.empty()) << name;
    // everything that can be fixed was fixed
    EXPECT_EQ(finding.fixability, Fixability::manual) << name << ' ' << finding.rule;
  }
  for (std::size_t i = 0; i < kProgramCount; ++i) {
    const Kind& kind = all[i % all.size()];
    const std::string name = fmt::format("{}_{}.py", kind.name, i);
    EXPECT_EQ(left.contains(name), kind.needs_judgement) << name << '\n' << folder.text(name);
  }
  EXPECT_NE(text_report(outcome->audit_after).find("[by hand]"), std::string::npos);
  const auto again = fix_files(request, {.unsafe = true, .write = false});
  ASSERT_TRUE(again);
  for (const FixedFile& file : again->files) EXPECT_EQ(file.text_before, file.text_after) << file.name;
}

}  // namespace
}  // namespace weir::audit

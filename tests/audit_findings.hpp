#pragma once

// Helpers for tests of the audit: they write the files of a small project into a temporary folder, and audit or fix
// them.

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "audit/fix/fixer.hpp"
#include "program.hpp"

namespace weir::audit::test_kit {

using test::Folder;
using Files = std::map<std::string, std::string>;  // contents of files by name
using Lines = std::set<std::string>;

/// Returns a policy that allows only this device. `index`: its index in the order of PCI addresses.
inline Policy one_device_policy(const std::string& device = "RTX 3090", const std::string& index = "1") {
  Policy policy;
  policy.is_defined = true;
  policy.device = device;
  policy.index = index;
  policy.mask_by_uuid = false;
  return policy;
}

inline void put_files(const Folder& folder, const Files& files) {
  for (const auto& [name, text] : files) folder.put(name, text);
}

/// Audits the files. Returns "file:line rule" for every finding. `select`: the rules that are checked; empty: all
/// rules.
inline Lines findings_of(const Files& files, const Policy& policy, const std::vector<std::string>& select = {}) {
  const Folder folder;
  put_files(folder, files);
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = policy, .select = select});
  EXPECT_TRUE(audit);
  Lines lines;
  for (const Finding& finding : audit->findings) {
    const auto& source = finding.module->source;
    lines.insert(source.path().filename().native() + ":" + std::to_string(source.position(finding.range.begin).line) +
                 " " + std::string{finding.rule});
  }
  return lines;
}

/// Returns true if a line (a result of findings_of()) ends with `rule`.
inline bool has_rule(const Lines& lines, const std::string& rule) {
  return std::any_of(lines.begin(), lines.end(), [&](const std::string& line) { return line.ends_with(rule); });
}

/// Audits the files with all rules. Returns "file:line rule message" for every finding whose severity is not style.
inline Lines serious_findings_of(const Files& files, const Policy& policy) {
  const Folder folder;
  put_files(folder, files);
  const auto audit = run_audit({.operands = {folder.path().native()}, .policy = policy});
  Lines lines;
  for (const Finding& finding : audit->findings) {
    if (finding.severity == Severity::style) continue;
    const auto& source = finding.module->source;
    lines.insert(source.path().filename().native() + ":" + std::to_string(source.position(finding.range.begin).line) +
                 " " + std::string{finding.rule} + " " + finding.message);
  }
  return lines;
}

/// Returns the files as `weir audit --fix` leaves them; if `unsafe` is true, as `weir audit --fix --unsafe` does.
inline Files apply_fixes(const Files& files, const Policy& policy, bool unsafe) {
  const Folder folder;
  put_files(folder, files);
  EXPECT_TRUE(fix_files({.operands = {folder.path().native()}, .policy = policy}, {.unsafe = unsafe, .write = true}));
  Files after;
  for (const auto& [name, text] : files) after.emplace(name, folder.text(name));
  return after;
}

/// The first three lines of a Python program: they select the device that one_device_policy() allows.
inline const std::string kHeader =
    "import os\nos.environ[\"CUDA_DEVICE_ORDER\"] = \"PCI_BUS_ID\"\nos.environ[\"CUDA_VISIBLE_DEVICES\"] = \"1\"\n";

}  // namespace weir::audit::test_kit

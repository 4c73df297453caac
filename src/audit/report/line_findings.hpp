#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// The findings that begin on one line of one file and are reported together. Indices refer to the list of findings
/// that was grouped.
struct LineFindings {
  std::size_t primary;  ///< index of the most severe finding; among equally severe ones, the lowest rule id
  std::vector<std::size_t> others{};  ///< indices of the other findings, ordered by severity and rule id
};

/// Groups by line the findings that are not suppressed. The groups are ordered by the lowest index that each contains.
std::vector<LineFindings> group_by_line(const std::vector<Finding>& findings);

/// Returns "; also G04, G10" with each rule of `group.others` once, except the rule of the primary finding; empty if
/// all findings of the group have the same rule.
std::string other_rules_text(const LineFindings& group, const std::vector<Finding>& findings);

}  // namespace weir::audit

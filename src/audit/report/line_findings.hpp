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

/// Groups the findings that are not suppressed by line. The groups have the order of their findings with the lowest
/// index.
std::vector<LineFindings> group_by_line(const std::vector<Finding>& findings);

/// Returns "; also G04, G10", the rules of the other findings; empty if all findings of the line have the same rule.
std::string other_rules_text(const LineFindings& group, const std::vector<Finding>& findings);

}  // namespace weir::audit

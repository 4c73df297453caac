#pragma once

#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Marks as suppressed all findings that a suppression comment allows. Such a comment is `weir: ignore[G10,G04]
/// reason`, on a line of the finding's code, or on the line above the code if that line contains nothing else. A
/// comment without a list of rules allows the findings of all rules there. The reason is stored in the finding.
void apply_suppression_comments(std::vector<Finding>& findings);

/// Returns one warning for each unknown rule id in a suppression comment, since such an id allows nothing: "a.py:3:
/// this comment allows nothing: there is no rule 'G3' ...". `weir: ignore` in a text outside comments gives no warning.
std::vector<std::string> unknown_rule_warnings(const Module& module);

}  // namespace weir::audit

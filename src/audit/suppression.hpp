#pragma once

#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Marks what a comment allows: `weir: ignore[G10,G04] reason` on a line of the code in question or alone on the line above
/// it. Without a list of rules all are meant. The reason is kept.
void apply_suppression_comments(std::vector<Finding>& findings);

/// "a.py:3: this comment allows nothing: there is no rule 'G3' ...", one line for each place where such a comment names what is none of the rules:
/// it allows nothing. Texts that only speak of comments are none.
std::vector<std::string> unknown_rule_warnings(const Module& module);

}  // namespace weir::audit

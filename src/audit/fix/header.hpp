#pragma once

#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/policy.hpp"

namespace weir::audit {

/// The lines that select the policy's card at the start of a Python program, at most five, as one insertion behind shebang,
/// encoding, docstring and `from __future__`. Empty if the policy names no mask, or the file does not parse.
std::vector<Edit> header_edits(const Module& program, const Policy& policy);

/// The lines alone, each with the line break given.
std::string header_text(const Policy& policy, bool by_index, std::string_view line_break);

}  // namespace weir::audit

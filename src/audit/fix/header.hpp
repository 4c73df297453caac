#pragma once

#include <string>
#include <vector>

#include "audit/finding.hpp"
#include "audit/policy.hpp"

namespace weir::audit {

// A header is a block of at most six lines at the start of a Python program. It selects the policy's card: the card
// that the project chose in weir.toml.

/// Returns one edit that inserts the header after shebang, encoding, docstring and `from __future__`. Empty if the
/// policy contains no mask, the file does not parse, or it is no Python file.
std::vector<Edit> header_edits(const Module& program, const Policy& policy);

/// Returns the header; `line_break` ends each line. `by_index`: the mask contains the card's index instead of its UUID;
/// it always does for Intel's cards. Empty if the policy contains no such mask.
std::string header_text(const Policy& policy, bool by_index, std::string_view line_break);

}  // namespace weir::audit

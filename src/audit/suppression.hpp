#pragma once

#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// Marks what a comment allows: `weir: ignore[G10,G04] reason` on a line of the code in question or alone on the line above
/// it. Without a list of rules all are meant. The reason is kept.
void apply_comments(std::vector<Finding>& findings);

}  // namespace weir::audit

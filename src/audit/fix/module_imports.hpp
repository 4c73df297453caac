#pragma once

#include <string_view>
#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Edits that give Python code the name of a module above the line of one of the statements of its outermost block: nothing where
/// `import NAME` of the outermost block, in whatever form, stands above already; else that line, and one that stands on the line or below
/// is taken away, if it can be.
std::vector<Edit> import_above(const Module& module, std::string_view name, std::uint32_t byte);

}  // namespace weir::audit

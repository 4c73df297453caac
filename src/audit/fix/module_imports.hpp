#pragma once

#include <string_view>
#include <vector>

#include "audit/finding.hpp"
#include "audit/module.hpp"

namespace weir::audit {

/// Returns edits that insert `import NAME` above the line of a statement of the outermost block (the statements that
/// are in no function, class or branch); `byte` is the offset of the statement in the code. The edits also delete a
/// later import of the same name where this is possible. Empty if the outermost block imports the name above that line
/// already.
std::vector<Edit> import_above(const Module& module, std::string_view name, std::uint32_t byte);

}  // namespace weir::audit

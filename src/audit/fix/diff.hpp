#pragma once

#include <string>
#include <string_view>

namespace weir::audit {

/// The change of one file in unified form with three lines around it, as patch and `git apply` take it; empty if the texts
/// are equal. Source: Myers, "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986). Texts that differ in
/// more than a thousand lines come out as one block.
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace weir::audit

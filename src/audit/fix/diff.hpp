#pragma once

#include <string>
#include <string_view>

namespace weir::audit {

/// Returns the change of one file as a unified diff with three context lines, as patch and `git apply` accept it; empty
/// if the texts are equal. `name` is the path of the file, absolute or relative to the current folder. If more than a
/// thousand lines are deleted or inserted, counted together, one hunk replaces the whole text. Source: Myers, "An O(ND)
/// Difference Algorithm and Its Variations", Algorithmica 1 (1986).
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace weir::audit

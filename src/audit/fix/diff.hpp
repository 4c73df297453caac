#pragma once

#include <string>
#include <string_view>

namespace weir::audit {

/// Returns the change of one file as a unified diff with three context lines, as patch and `git apply` accept it; empty
/// if the texts are equal. `name` is the path of the file, absolute or relative to the current folder. Source: Myers,
/// "An O(ND) Difference Algorithm and Its Variations", Algorithmica 1 (1986). If the deleted and inserted lines
/// together are more than a thousand, one hunk replaces the whole text.
std::string unified_diff(std::string_view name, std::string_view before, std::string_view after);

}  // namespace weir::audit

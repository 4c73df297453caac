#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::audit {

/// Returns the Python code `text` with the comments inside long runs (more than 64 comment lines; blank lines do not
/// end a run) replaced by blanks, so that the byte offsets of all code stay the same. Returns nothing if there is no
/// such run. Reason: at the end of each comment tree-sitter's scanner for Python scans all comments that follow, so n
/// comment lines cost O(n * n). The first and last 8 lines of a run are kept, and so are comments that contain "weir:",
/// the start of a directive. A line that may be part of a string (it has triple quotes, or ends with a backslash)
/// belongs to no run.
std::optional<std::string> blank_long_comment_runs(std::string_view text);

}  // namespace weir::audit

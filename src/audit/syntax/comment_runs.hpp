#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace weir::audit {

/// Python's text for its parser, with blanks in the place of the comments within long runs of comment lines; every byte of code stays
/// where it is. Nothing if there is no such run. At the end of each comment tree-sitter's scanner for Python looks over all that
/// follow, so that n lines of them cost it n * n. The first and last lines of a run stay, and those that speak to weir; a line that
/// may be part of a text (it has triple quotes, or ends with a backslash) is in no run.
std::optional<std::string> blank_long_comment_runs(std::string_view text);

}  // namespace weir::audit

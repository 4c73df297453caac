#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// The whole lines of a statement that stands alone on them (a comment behind it may), with the line break. None if it
/// shares a line with other code.
std::optional<Range> own_lines(const SourceFile& source, Range statement);

/// The same with the comments above that allow findings on it: they go where it goes.
std::optional<Range> lines_with_comments(const SourceFile& source, Range statement);

/// Takes the statement's lines away, with such comments. Empty if it shares a line.
std::vector<Edit> removal(const SourceFile& source, Range statement);

/// Puts a line before the one that holds `byte`, indented like it, and above the comments that allow findings on that one.
Edit line_before(const SourceFile& source, std::uint32_t byte, std::string_view line);

}  // namespace weir::audit

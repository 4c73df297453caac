#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

/// The whole lines of a statement that stands alone on them (a comment behind it may), with the line break. None if it
/// shares a line with other code.
std::optional<Range> statement_lines(const SourceFile& source, Range statement);

/// own_lines() and the comment directly above that speaks of this statement alone: `# weir: ignore`, one about devices, and any where no
/// further statement of the block follows directly. Comments of the whole file or section, and those for other tools, speak of more.
std::optional<Range> statement_with_comments(const SourceFile& source, Range statement);

/// Takes the statement's lines away, with the comment that speaks of it alone. Empty if it shares a line.
std::vector<Edit> remove_statement(const SourceFile& source, Range statement);

/// Moves own_block() before the line that holds `byte`. Empty if the statement shares a line.
std::vector<Edit> move_statement(const SourceFile& source, Range statement, std::uint32_t byte);

/// Puts a line before the one that holds `byte`, indented like it, and above the comments that allow findings on that one.
Edit insert_line_before(const SourceFile& source, std::uint32_t byte, std::string_view line);

}  // namespace weir::audit

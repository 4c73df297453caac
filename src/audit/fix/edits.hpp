#pragma once

#include <optional>
#include <string>
#include <vector>

#include "audit/finding.hpp"

namespace weir::audit {

// Edits of whole statements. Offsets are byte offsets in the code; `statement` is the range of a statement. A
// suppression comment is a comment with `weir: ignore`, which allows findings on its line or the next line.

/// Returns the whole lines of a statement, with the last line break and a trailing comment. Returns nothing if other
/// code is on these lines.
std::optional<Range> statement_lines(const SourceFile& source, Range statement);

/// Returns statement_lines() extended by the comment lines directly above if they belong to this statement alone. If
/// one of the comment lines is about the whole file or for another tool, they do not. Otherwise they do in two cases:
/// the line after the statement is blank, a comment, less indented, or missing; or the comment lines are about devices
/// and the line after the statement is not. If they do not belong to the statement, only a suppression comment on the
/// line directly above it is included.
std::optional<Range> statement_with_comments(const SourceFile& source, Range statement);

/// Returns an edit that deletes statement_with_comments(). Empty if the statement shares a line with other code.
std::vector<Edit> remove_statement(const SourceFile& source, Range statement);

/// Returns edits that move statement_with_comments() above the line that contains the offset `byte`, and above the
/// suppression comments of that line. Empty if the statement shares a line with other code.
std::vector<Edit> move_statement(const SourceFile& source, Range statement, std::uint32_t byte);

/// Returns an edit that inserts a new line with the text `line`, which contains no line break, above the line that contains the offset `byte`, and above
/// the suppression comments of that line. The new line gets the indentation of that line.
Edit insert_line_before(const SourceFile& source, std::uint32_t byte, std::string_view line);

}  // namespace weir::audit

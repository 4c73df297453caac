#pragma once

#include <vector>

#include "audit/finding.hpp"
#include "audit/source/source_file.hpp"

namespace weir::audit {

/// Converts edits of the code to edits of the file. If the file is no notebook, returns `edits` unchanged. In a
/// notebook text becomes JSON, whole lines become elements of the cell's list of lines, and the result is ordered by
/// position. Empty if an edit of a notebook cannot be converted, for example because it crosses the end of a cell or
/// replaces several lines by other text.
std::vector<Edit> to_file_edits(const SourceFile& source, std::vector<Edit> edits);

/// Returns whether the edits of one finding can be applied to its file. This is always so if the file is no notebook.
/// In a notebook all edits must be in one cell, and to_file_edits() must be able to convert them.
bool can_apply(const SourceFile& source, const std::vector<Edit>& edits);

}  // namespace weir::audit

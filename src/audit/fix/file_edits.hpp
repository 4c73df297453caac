#pragma once

#include <vector>

#include "audit/finding.hpp"
#include "audit/source/source_file.hpp"

namespace weir::audit {

/// Edits of the code as edits of the file that holds it, by place: the same ones, but for notebooks, where text becomes JSON and
/// whole lines are elements of a cell's list. Empty: they cannot be done there (they reach over a cell's end, or replace several
/// lines by something else).
std::vector<Edit> to_file_edits(const SourceFile& source, std::vector<Edit> edits);

/// One finding's edits can be done in its file; in a notebook, they also lie in one cell.
bool can_apply(const SourceFile& source, const std::vector<Edit>& edits);

}  // namespace weir::audit

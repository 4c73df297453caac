#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// Returns a table as text, one line per row of cells. All columns except the last one are padded with spaces to the
/// width of their widest cell.
std::string align_columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace weir::cli

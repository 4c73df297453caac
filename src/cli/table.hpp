#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// Rows of cells as lines; each column as wide as its widest cell, the last one free. The first row is the heading.
std::string align_columns(const std::vector<std::vector<std::string>>& rows);

}  // namespace weir::cli

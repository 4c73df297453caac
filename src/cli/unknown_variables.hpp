#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// Returns warnings such as "WEIR_SCAEL is not read (did you mean 'WEIR_SCALE'?)" for misspelt environment variables of
/// this process: variables that start with WEIR_, that weir does not use, and whose names are similar to the name of a
/// variable that weir uses.
std::vector<std::string> find_unknown_variables();

}  // namespace weir::cli

#pragma once

#include <string>
#include <vector>

namespace weir::cli {

/// A line for each variable WEIR_* of this process that is no setting and whose name is near one: "WEIR_SCAEL is not read
/// (did you mean 'WEIR_SCALE'?)". Other names are not ours to judge.
std::vector<std::string> find_unknown_variables();

}  // namespace weir::cli

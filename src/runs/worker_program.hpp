#pragma once

#include <string>
#include <vector>

namespace weir::runs {

/// The words that start a worker of this program; by its own file, so that an update of it in the middle of a run starts no
/// other version.
std::vector<std::string> worker_arguments();

}  // namespace weir::runs

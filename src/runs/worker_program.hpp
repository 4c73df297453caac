#pragma once

#include <string>
#include <vector>

namespace weir::runs {

/// Returns the program and first argument that start a worker: the file of this program, and "worker". If that file was
/// removed or replaced, for example by an update, the program is /proc/self/exe, which still starts this version.
std::vector<std::string> worker_arguments();

}  // namespace weir::runs

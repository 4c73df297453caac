#pragma once

#include <memory>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// Makes a project and resolves the names that its modules import from each other: constants that may be devices or
/// masks (values of variables such as CUDA_VISIBLE_DEVICES), and all names of "import *". Modules that import such
/// names are read again until nothing changes, three times at most.
std::unique_ptr<Project> link_project(std::vector<Module> modules);

}  // namespace weir::audit

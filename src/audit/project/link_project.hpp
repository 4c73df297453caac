#pragma once

#include <memory>
#include <vector>

#include "audit/project/project.hpp"

namespace weir::audit {

/// A project whose modules know what they import from each other: constants that may be devices or masks, and all that
/// "import *" brings. Modules for which there is any are read a second time, and again while that changes something, three times at most.
std::unique_ptr<Project> link_project(std::vector<Module> modules);

}  // namespace weir::audit

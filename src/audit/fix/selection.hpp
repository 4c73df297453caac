#pragma once

#include <map>
#include <set>
#include <string>

#include "audit/project/project.hpp"

namespace weir::audit {

/// The masks (values of CUDA_VISIBLE_DEVICES and the like) in the environment of one execution of a program: at the
/// program's first call that starts a driver, at each start of another process, and at the end of the program. If code
/// that the audit cannot follow may write masks, too, then also all mask writes that the audit found in the program.
struct DeviceSelection {
  std::string masks;            ///< text for comparisons: if an edit leaves it equal, the program sees the same devices
  std::set<std::string> files;  ///< paths of the modules that the execution loads
};

/// Returns the selections of all executions of a project: each module as a program, and each function that no program
/// calls. The key is "PATH#FUNCTION", with an empty FUNCTION for a program.
std::map<std::string, DeviceSelection> collect_selections(const Project& project);

}  // namespace weir::audit

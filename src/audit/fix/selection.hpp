#pragma once

#include <map>
#include <set>
#include <string>

#include "audit/project/project.hpp"

namespace weir::audit {

/// What one run of a program leaves in the masks of its environment: at its first call that starts a driver, at each process
/// that it starts, and at its end; where code that is not followed may write between them, all its writes in their order. Two equal
/// ones mean that it sees the same devices.
struct DeviceSelection {
  std::string masks;            ///< comparable, not for people
  std::set<std::string> files;  ///< paths of the modules that take part
};

/// Of every run of a project: each module as a program, and each function that no program calls. By the program's path and
/// the function's name.
std::map<std::string, DeviceSelection> collect_selections(const Project& project);

}  // namespace weir::audit

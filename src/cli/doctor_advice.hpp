#pragma once

#include <string>
#include <vector>

#include "base/paths.hpp"
#include "cli/doctor_report.hpp"
#include "cli/guard_arguments.hpp"
#include "tasks/device_choice.hpp"

namespace weir::cli {

// Advice of `weir doctor`.

/// Returns the advice for a machine without an accepted device. Checks whether a device would be accepted without the
/// mask variables that are set (such as CUDA_VISIBLE_DEVICES), else without --need, else without --device, and advises
/// to change the first of these that is enough. If none is, advises to change the settings allow, deny or min-memory.
std::string advise_on_missing_device(const tasks::Machine& machine, const GuardArguments& args);

/// Returns the shell command that creates the lease folder ($WEIR_LEASE_DIR, else /run/lock/weir), or how to correct
/// WEIR_LEASE_DIR.
std::string advise_on_lease_folder(const Environment& environment);

/// Returns findings about limits of this process (ulimit) that may make weir fail; an empty list if there are no such
/// limits.
std::vector<Finding> check_process_limits();

/// Returns a text such as "only 8 files may be open at once (ulimit -n)"; empty if the limit is high enough.
std::string describe_descriptor_limit();

/// Returns a text such as "addresses are limited to 195 MiB (ulimit -v)"; empty if there is no limit.
std::string describe_address_space_limit();

}  // namespace weir::cli

#pragma once

#include <string>
#include <vector>

#include "base/paths.hpp"
#include "cli/doctor_report.hpp"
#include "cli/guard_arguments.hpp"
#include "tasks/device_choice.hpp"

namespace weir::cli {

// What the doctor advises: of several causes the one that stands in the way.

/// How the user gets a device again: by a mask, --need, --device or the policy, whichever alone keeps every device away.
std::string advise_on_missing_device(const tasks::Machine& machine, const GuardArguments& args);

/// How a folder for leases is made, named as WEIR_LEASE_DIR or the default has it.
std::string advise_on_lease_folder(const Environment& environment);

/// What limits of this process (ulimit) make weir fail here; none if they do not.
std::vector<Finding> check_process_limits();

/// "only 8 files may be open at once (ulimit -n)"; empty if enough may.
std::string describe_descriptor_limit();

/// "addresses are limited to 195 MiB (ulimit -v)"; empty if they are not.
std::string describe_address_limit();

}  // namespace weir::cli

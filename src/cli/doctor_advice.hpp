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
std::string mend_for_no_device(const tasks::Machine& machine, const GuardArguments& args);

/// How a folder for leases is made, named as WEIR_LEASE_DIR or the default has it.
std::string mend_for_leases(const Environment& environment);

/// What limits of this process (ulimit) make weir fail here; none if they do not.
std::vector<Finding> look_at_limits();

/// "only 8 files may be open at once (ulimit -n)"; empty if enough may.
std::string too_few_descriptors();

/// "addresses are limited to 195 MiB (ulimit -v)"; empty if they are not.
std::string limited_addresses();

}  // namespace weir::cli

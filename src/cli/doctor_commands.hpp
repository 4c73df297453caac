#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/doctor_report.hpp"
#include "tasks/device_choice.hpp"

namespace weir::cli {

/// What the doctor found out before it judges the commands.
struct DoctorContext {
  const tasks::Machine& machine;
  std::string device_refusal;          ///< why `weir run` gets no device; empty if the policy leaves one
  bool is_device_refusal_bad = false;  ///< that is a fault: a device is wanted, or there is one
  std::string lease_problem;           ///< why no lease can be taken on this machine; empty if one can
};

/// For each command whether it works here, on what, and why not: one finding each, with "command", "works" and figures
/// in its JSON. The engine runs for less than a second on the processors and on the first device of the policy.
std::vector<Finding> check_commands(const Invocation& invocation, const DoctorContext& context);

}  // namespace weir::cli

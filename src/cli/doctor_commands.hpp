#pragma once

#include <string>
#include <vector>

#include "cli/command.hpp"
#include "cli/doctor_report.hpp"
#include "tasks/device_choice.hpp"

namespace weir::cli {

/// Results of the checks of devices and leases in `weir doctor`. The checks of the commands use them.
struct DoctorContext {
  const tasks::Machine& machine;
  std::string device_refusal;  ///< reason why the policy (the user's rules for devices) accepts no device; else empty
  /// The refusal is an error, because the user has set rules for devices, or because the machine has a GPU. False if
  /// there is no refusal.
  bool is_device_refusal_bad = false;
  std::string lease_problem;  ///< reason why no lease can be taken on this machine; empty if leases can be taken
};

/// Checks whether these work on this machine: `upscale` on the CPU, `upscale` on a GPU, runs of several pictures
/// ("batches"), and the commands run, lease, leak, train and audit. Returns one finding for each, in this order; it has
/// the reason if the command does not work. Finding::details has "command", "device", "works" and measured values.
/// Enlarges a small picture on the CPU and on the first accepted GPU that Vulkan shows (probe_engine()).
std::vector<Finding> check_commands(const Invocation& invocation, const DoctorContext& context);

}  // namespace weir::cli

#pragma once

#include <string>
#include <vector>

#include "cli/arguments.hpp"
#include "device/inventory.hpp"
#include "device/lease.hpp"
#include "device/lease_folder.hpp"
#include "device/mask.hpp"
#include "device/policy.hpp"

namespace weir::cli {

/// The machine as a guarding command sees it: what is there, what a mask hides, what the policy leaves.
struct GuardMachine {
  device::Inventory inventory;
  std::vector<device::Device> devices;  ///< the inventory's, with MIG instances
  device::MaskVariables masks;
  device::Choice choice;

  const device::Device& at(std::size_t index) const { return devices[index]; }
  std::vector<std::string> chosen_keys() const;  ///< lease keys of the accepted devices, the best first
};

device::Policy policy_of(const GuardArguments& args);
device::Need need_of(const GuardArguments& args);

/// Asks every probe.
GuardMachine look_at_machine(const GuardArguments& args);

/// A taken device: its lease and the environment for programs on it.
struct LeasedDevice {
  device::Lease lease;
  std::size_t device;  ///< in the machine's list
  device::Mask mask;
};

/// Leases one of the accepted devices and makes its mask. Warns in `notes` about the lease folder, the mask and memory
/// that is in use although the lease was free. Errors: unsupported (the policy leaves no device), timed_out, ...
Result<LeasedDevice> lease_device(const GuardMachine& machine, const GuardArguments& args,
                                  const Environment& environment, const device::Waiting& waiting,
                                  std::vector<std::string>& notes);

}  // namespace weir::cli

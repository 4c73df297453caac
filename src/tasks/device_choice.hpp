#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/paths.hpp"
#include "device/inventory.hpp"
#include "device/lease.hpp"
#include "device/mask.hpp"
#include "device/policy.hpp"

namespace weir::tasks {

/// What work wants of a device.
struct DeviceRequest {
  device::Policy policy;
  device::MemoryRequirement need;
  device::MaskOptions mask;
  int slots = 0;  ///< 0: alone; N: as one of at most N
  std::chrono::milliseconds max_wait = std::chrono::seconds{1800};
  std::string job;
  std::string program = {};  ///< for whom the lease is taken, as device::program_name has it; empty: this program
  bool end_orphans = false;  ///< ends what an earlier lease of the device left running
};

/// The machine under a wish: what is there, what a mask that is set hides, what the policy leaves.
struct Machine {
  device::Inventory inventory;
  std::vector<device::Device> devices;  ///< the inventory's, with MIG instances
  device::MaskVariables masks;
  device::DeviceChoice choice;

  const device::Device& device_at(std::size_t index) const { return devices[index]; }
  std::vector<std::string> accepted_lease_keys() const;  ///< lease keys of the accepted devices, the best first
};

/// The choice by the wish among the devices of an inventory, under the masks that are set now.
Machine choose_from_inventory(const device::Inventory& inventory, const DeviceRequest& request);
/// The same of an inventory taken now: takes a tenth of a second. A stop ends it at once (Inventory::interrupted).
Machine inspect_machine(const DeviceRequest& request, const std::stop_token& stop = {});

/// Why no device of the machine can be taken: drivers that hang first, then what the policy says of those that are known.
/// Its code is cancelled for a look that was interrupted, else unsupported.
Error no_device_error(const Machine& machine);

/// The environment for programs on one device of the machine. Errors: those of device::make_mask.
Result<device::Mask> make_device_mask(const Machine& machine, std::size_t chosen, const device::MaskOptions& options);

/// A taken device: its lease and the environment for programs on it.
struct LeasedDevice {
  device::Lease lease;
  std::size_t device_index;  ///< in the machine's list
  device::Mask mask;
  bool orphans_ended = false;  ///< orphans were ended: the machine's figures are no longer true
};

/// Leases one of the accepted devices and makes its mask. `refresh`, if there is one, is called once the lease is held and
/// sets the figures of the device to what they are now. `notes` gets warnings about the lease folder, the mask, and memory
/// that is in use although the lease was free. Errors: unsupported (the policy leaves no device), timed_out with the
/// holders named, cancelled, io.
Result<LeasedDevice> lease_device(const Machine& machine, const DeviceRequest& request, const Environment& environment,
                                  const device::WaitOptions& waiting, std::vector<std::string>& notes,
                                  const std::function<void(device::Device&)>& refresh = {});

}  // namespace weir::tasks

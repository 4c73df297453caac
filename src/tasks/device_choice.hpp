#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/paths.hpp"
#include "device/inventory.hpp"
#include "device/lease.hpp"
#include "device/mask.hpp"
#include "device/policy.hpp"

namespace weir::tasks {

/// What work wants of a device.
struct DeviceWish {
  device::Policy policy;
  device::Need need;
  device::CudaNames cuda_names = device::CudaNames::uuid;
  int slots = 0;  ///< 0: alone; N: as one of at most N
  std::chrono::milliseconds wait = std::chrono::seconds{1800};
  std::string job;
};

/// The machine under a wish: what is there, what a mask that is set hides, what the policy leaves.
struct Machine {
  device::Inventory inventory;
  std::vector<device::Device> devices;  ///< the inventory's, with MIG instances
  device::MaskVariables masks;
  device::Choice choice;

  const device::Device& at(std::size_t index) const { return devices[index]; }
  std::vector<std::string> chosen_keys() const;  ///< lease keys of the accepted devices, the best first
};

/// Asks every probe: takes a tenth of a second.
Machine look_at_machine(const DeviceWish& wish);

/// A taken device: its lease and the environment for programs on it.
struct LeasedDevice {
  device::Lease lease;
  std::size_t device;  ///< in the machine's list
  device::Mask mask;
};

/// Leases one of the accepted devices and makes its mask. `notes` gets warnings about the lease folder, the mask, and memory
/// that is in use although the lease was free. Errors: unsupported (the policy leaves no device), timed_out with the
/// holders named, cancelled, io.
Result<LeasedDevice> lease_device(const Machine& machine, const DeviceWish& wish, const Environment& environment,
                                  const device::Waiting& waiting, std::vector<std::string>& notes);

}  // namespace weir::tasks

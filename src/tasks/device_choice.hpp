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

// A lease is the right to use a device, which programs grant each other through lock files. A mask is a set of
// environment variables, such as CUDA_VISIBLE_DEVICES, that hide all other devices from a program.

/// Requirements of a program on a device, and how to lease the device.
struct DeviceRequest {
  device::Policy policy;           ///< devices that the user allows, denies, requests and prefers
  device::MemoryRequirement need;  ///< memory that the program needs on the device
  device::MaskOptions mask;        ///< options of make_device_mask()
  int slots = 0;                   ///< 0: exclusive lease; N: shared lease with at most N holders
  std::chrono::milliseconds max_wait = std::chrono::seconds{1800};  ///< longest wait for the lease
  std::string job;                                                  ///< job name in the lease
  std::string program = {};  ///< program name in the lease, as device::program_name() returns it; empty: this program
  /// End the orphans: processes that an earlier lease of the device left running and whose leaseholder has ended.
  bool end_orphans = false;
};

/// The devices of this machine, and those that a request accepts.
struct Machine {
  device::Inventory inventory;
  std::vector<device::Device> devices;  ///< devices of the inventory, MIG instances included
  device::MaskVariables masks;          ///< mask variables that are set in the environment of this process
  device::DeviceChoice choice;          ///< which of `devices` the request accepts; indices in `devices`

  const device::Device& device_at(std::size_t index) const { return devices[index]; }
  std::vector<std::string> accepted_lease_keys() const;  ///< lease keys of the accepted devices, best first
};

/// Decides which devices of an inventory the request accepts, under the masks that are set in the environment now.
/// Compares need.free with the free memory as choose_variant() does: memory that other holders of leases have reserved
/// does not count as free.
Machine choose_from_inventory(const device::Inventory& inventory, const DeviceRequest& request);
/// Takes an inventory of the devices (usually in a tenth of a second) and decides as choose_from_inventory() does. A
/// stop request ends the inventory at once; `inventory.interrupted` of the result is then true.
Machine inspect_machine(const DeviceRequest& request, const std::stop_token& stop = {});

/// Makes the error for a machine without an accepted device. After an interrupted inventory, its code is `cancelled`.
/// Otherwise its code is `unsupported`, and its text names the drivers that hang and the reason for each device.
Error no_device_error(const Machine& machine);

/// Makes the mask that hides all devices except machine.devices[chosen]: the variables of device::make_mask() and
/// device::add_vulkan_index(). Errors: those of device::make_mask().
Result<device::Mask> make_device_mask(const Machine& machine, std::size_t chosen, const device::MaskOptions& options);

/// A leased device, and the environment for programs that run on it.
struct LeasedDevice {
  device::Lease lease;
  std::size_t device_index;    ///< index in Machine::devices
  device::Mask mask;           ///< its changes also set WEIR_LEASE, with which child processes join the lease
  bool orphans_ended = false;  ///< orphans were ended, so the memory values of the device are outdated
};

/// Leases one of the accepted devices and makes its mask. Takes the best device that is free now; if no device is free,
/// waits for the one that becomes free first. For a MIG instance (a part of a card), also takes a shared lease of the
/// whole card. `waiting`: the stop request and the callback of the wait. `refresh` (may be empty) is called when the
/// lease is held, with a copy of the device, and must update the memory values of the copy, which are needed for the
/// notes. `notes` receives warnings about the lease folder, the mask, processes of earlier leases, and memory that is
/// in use although the lease was free.
/// Errors: unsupported if the request accepts no device; timed_out, naming the holders; cancelled; io; those of
/// find_lease_folder() and make_device_mask().
Result<LeasedDevice> lease_device(const Machine& machine, const DeviceRequest& request, const Environment& environment,
                                  const device::WaitOptions& waiting, std::vector<std::string>& notes,
                                  const std::function<void(device::Device&)>& refresh = {});

}  // namespace weir::tasks

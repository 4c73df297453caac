#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "device/driver_sampler.hpp"
#include "tasks/device_choice.hpp"

namespace weir::tasks {

/// Caches the inventory of the devices of this machine, and keeps a child process, the sampler, that reads memory
/// values from the drivers. Reuse this object for the next commands: a new inventory takes a tenth of a second, a
/// request to the child a millisecond. Not thread-safe.
class MachineProbe {
 public:
  /// Returns the devices, and those that the request accepts. Uses the cached inventory if it is at most `max_age` old.
  /// If a driver hung while the cached inventory was taken, uses it for at least a minute, so that the driver is not
  /// called again too early. Otherwise takes a new inventory.
  Machine inspect(const DeviceRequest& request, std::chrono::milliseconds max_age, const std::stop_token& stop = {});
  /// Returns the warning about drivers that hung in the inventory (device::describe_hung_probes). Returns an empty text
  /// if no driver hung, or if the warning is the same as at the last call, so that each warning is returned only once.
  std::string take_warning();
  /// Updates device.used, and device.free if the driver reports it. Returns false and changes nothing if the used
  /// memory is not known: no driver reports it, the device has no PCI address, or the device is a MIG instance (a part
  /// of a card; the sampler reads the memory of whole cards only).
  bool refresh_memory(device::Device& device);
  /// Returns the sampler that reads the drivers while a command runs. If its child process hangs in a driver or has
  /// ended, replaces the sampler first.
  device::DriverSampler& sampler();
  /// Discards the cached inventory, so that the next inspect() takes a new one; to be called after a device failed.
  /// Keeps an inventory in which a driver hung, since that driver must not be called again too early.
  void discard_inventory();

 private:
  std::optional<device::Inventory> inventory_;
  std::chrono::steady_clock::time_point inventory_time_{};
  std::string last_warning_;
  bool driver_hung_ = false;  // a driver did not answer the sampler, so the next inventory waits less for the drivers
  std::optional<device::DriverSampler> sampler_;
};

}  // namespace weir::tasks

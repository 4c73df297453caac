#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>

#include "device/driver_sampler.hpp"
#include "tasks/device_choice.hpp"

namespace weir::tasks {

/// The machine as it was seen lately, and a child that asks its drivers for figures. Kept from one command to the next: a
/// look at the whole machine takes a tenth of a second, a question to the child a millisecond. Not thread-safe.
class MachineProbe {
 public:
  /// The machine as seen at most `age` ago, with the choice among its devices by the wish. A driver that hung is not asked
  /// again for a minute: until then the look that found it so stands.
  Machine inspect(const DeviceRequest& request, std::chrono::milliseconds max_age, const std::stop_token& stop = {});
  /// Which drivers do not answer (device::unanswered), once for as long as it stays so; else empty.
  std::string take_warning();
  /// Sets memory in use and free memory of the device to what they are now. False: nobody tells; they stay as they were.
  bool refresh_memory(device::Device& device);
  /// What asks the drivers while a command runs. A child that hangs in a driver is replaced.
  device::DriverSampler& sampler();
  /// The next look is a new one: a device failed.
  void discard_inventory();

 private:
  std::optional<device::Inventory> inventory_;
  std::chrono::steady_clock::time_point inventory_time_{};
  std::string last_warning_;
  bool driver_hung_ = false;  ///< a driver did not answer the sampler: the next look waits less for it
  std::optional<device::DriverSampler> sampler_;
};

}  // namespace weir::tasks

#include "tasks/machine_probe.hpp"

#include <algorithm>
#include <utility>

#include "device/provider.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kSampleTimeout = std::chrono::milliseconds{500};  // longest wait for a sample
constexpr std::chrono::milliseconds kInventoryTimeout = std::chrono::seconds{10};
// The timeout of an inventory after a driver hung in the sampler; it is short, since the driver will probably hang
// again.
constexpr std::chrono::milliseconds kHungDriverTimeout = std::chrono::seconds{3};
// An inventory in which a driver hung is used at least until this age, so that the driver is not called again at once.
constexpr auto kHungDriverRetryInterval = std::chrono::minutes{1};

/// Returns true if a driver did not answer while the inventory was taken.
bool has_hung_driver(const device::Inventory& inventory) {
  return std::any_of(inventory.probes.begin(), inventory.probes.end(), [](const auto& probe) { return probe.hung; });
}

}  // namespace

Machine MachineProbe::inspect(const DeviceRequest& request, std::chrono::milliseconds max_age,
                              const std::stop_token& stop) {
  if (inventory_ && has_hung_driver(*inventory_))
    max_age = std::max<std::chrono::milliseconds>(max_age, kHungDriverRetryInterval);
  if (!inventory_ || Clock::now() - inventory_time_ > max_age) {
    // A sampler that is not usable and whose process has not ended hangs in a driver.
    driver_hung_ = driver_hung_ || (sampler_ && !sampler_->is_usable() && !sampler_->has_ended());
    inventory_ =
        device::take_inventory(device::make_providers(), driver_hung_ ? kHungDriverTimeout : kInventoryTimeout, stop);
    driver_hung_ = driver_hung_ && has_hung_driver(*inventory_);  // false once all drivers answer again
    inventory_time_ = Clock::now();
    sampler_.reset();  // the old sampler has the devices of the previous inventory
  }
  Machine machine = choose_from_inventory(*inventory_, request);
  if (inventory_->interrupted) inventory_.reset();
  return machine;
}

std::string MachineProbe::take_warning() {
  const std::string text = inventory_ ? device::describe_hung_probes(*inventory_) : std::string{};
  return std::exchange(last_warning_, text) == text ? std::string{} : text;
}

void MachineProbe::discard_inventory() {
  if (inventory_ && !has_hung_driver(*inventory_)) inventory_.reset();
}

bool MachineProbe::refresh_memory(device::Device& device) {
  if (!device.pci || !parent_lease_key(device).empty()) return false;
  auto sample = sampler().sample({.card = device.pci}, kSampleTimeout);
  // The sampler's process may have crashed in a driver: try once more with a new one.
  if (!sample && sampler_->has_ended()) sample = sampler().sample({.card = device.pci}, kSampleTimeout);
  driver_hung_ = driver_hung_ || !sample;
  if (!sample || !sample->used) return false;
  device.used = memory::Reading{.value = *sample->used, .source = "the driver"};
  if (sample->free) device.free = memory::Reading{.value = *sample->free, .source = "the driver"};
  return true;
}

device::DriverSampler& MachineProbe::sampler() {
  if (sampler_ && !sampler_->is_usable()) {
    driver_hung_ = driver_hung_ || !sampler_->has_ended();
    sampler_.reset();
  }
  if (!sampler_) sampler_.emplace(inventory_ ? inventory_->devices : std::vector<device::Device>{});
  return *sampler_;
}

}  // namespace weir::tasks

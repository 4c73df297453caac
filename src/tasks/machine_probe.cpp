#include "tasks/machine_probe.hpp"

#include <utility>

#include "device/provider.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds{500};

}  // namespace

Machine MachineProbe::machine(const DeviceWish& wish, std::chrono::milliseconds age) {
  if (!inventory_ || Clock::now() - seen_ > age) {
    inventory_ = device::take_inventory(device::make_providers());
    seen_ = Clock::now();
    sampler_.reset();  // it knows the devices of the look before
  }
  return choose_from(*inventory_, wish);
}

/// What the drivers say of a card says nothing of its slices.
bool MachineProbe::refresh(device::Device& device) {
  if (!device.pci || !parent_lease_key(device).empty()) return false;
  const auto sample = sampler().ask({device.pci, false, {}}, kPatience);
  if (!sample || !sample->used) return false;
  device.used = memory::Reading{.value = *sample->used, .source = "the driver"};
  if (sample->free) device.free = memory::Reading{.value = *sample->free, .source = "the driver"};
  return true;
}

device::DriverSampler& MachineProbe::sampler() {
  if (sampler_ && !sampler_->is_usable()) sampler_.reset();
  if (!sampler_) sampler_.emplace(inventory_ ? inventory_->devices : std::vector<device::Device>{});
  return *sampler_;
}

}  // namespace weir::tasks

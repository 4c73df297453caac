#include "tasks/machine_probe.hpp"

#include <algorithm>
#include <utility>

#include "device/provider.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kPatience = std::chrono::milliseconds{500};
constexpr std::chrono::milliseconds kFirstLook = std::chrono::seconds{10};
constexpr std::chrono::milliseconds kSilentBefore = std::chrono::seconds{3};  // a driver that hung while it was sampled
constexpr auto kAskedAgain = std::chrono::minutes{1};

bool hangs(const device::Inventory& inventory) {
  return std::any_of(inventory.probes.begin(), inventory.probes.end(), [](const auto& probe) { return probe.hung; });
}

}  // namespace

Machine MachineProbe::machine(const DeviceWish& wish, std::chrono::milliseconds age, const std::stop_token& stop) {
  if (inventory_ && hangs(*inventory_)) age = std::max<std::chrono::milliseconds>(age, kAskedAgain);
  if (!inventory_ || Clock::now() - seen_ > age) {
    silent_ = silent_ || (sampler_ && !sampler_->is_usable() && !sampler_->has_ended());
    inventory_ = device::take_inventory(device::make_providers(), silent_ ? kSilentBefore : kFirstLook, stop);
    silent_ = silent_ && hangs(*inventory_);
    seen_ = Clock::now();
    sampler_.reset();  // it knows the devices of the look before
  }
  Machine machine = choose_from(*inventory_, wish);
  if (inventory_->interrupted) inventory_.reset();
  return machine;
}

std::string MachineProbe::take_warning() {
  const std::string text = inventory_ ? device::unanswered(*inventory_) : std::string{};
  return std::exchange(told_, text) == text ? std::string{} : text;
}

void MachineProbe::forget() {
  if (inventory_ && !hangs(*inventory_)) inventory_.reset();
}

/// What the drivers say of a card says nothing of its slices.
bool MachineProbe::refresh(device::Device& device) {
  if (!device.pci || !parent_lease_key(device).empty()) return false;
  auto sample = sampler().ask({device.pci, false, {}}, kPatience);
  if (!sample && sampler_->has_ended()) sample = sampler().ask({device.pci, false, {}}, kPatience);
  silent_ = silent_ || !sample;
  if (!sample || !sample->used) return false;
  device.used = memory::Reading{.value = *sample->used, .source = "the driver"};
  if (sample->free) device.free = memory::Reading{.value = *sample->free, .source = "the driver"};
  return true;
}

device::DriverSampler& MachineProbe::sampler() {
  if (sampler_ && !sampler_->is_usable()) {
    silent_ = silent_ || !sampler_->has_ended();
    sampler_.reset();
  }
  if (!sampler_) sampler_.emplace(inventory_ ? inventory_->devices : std::vector<device::Device>{});
  return *sampler_;
}

}  // namespace weir::tasks

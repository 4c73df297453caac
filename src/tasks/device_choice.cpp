#include "tasks/device_choice.hpp"

#include <algorithm>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <unistd.h>

#include "device/dirty_lease.hpp"
#include "device/lease_folder.hpp"
#include "device/orphans.hpp"

namespace weir::tasks {
namespace {

/// The accepted device that a lease is of.
std::size_t device_of(const Machine& machine, const device::Lease& lease) {
  const std::string key = lease.keys().front();
  const auto at = std::find_if(machine.choice.order.begin(), machine.choice.order.end(),
                               [&](std::size_t i) { return lease_key(machine.at(i)) == key; });
  return *at;
}

/// In the order of the policy a device that is free now; else whichever of them becomes free first.
Result<device::Lease> lease_any(const Machine& machine, const DeviceWish& wish, const std::filesystem::path& folder,
                                const Environment& environment, const device::Waiting& waiting) {
  device::LeaseRequest request{.keys = {}, .slots = wish.slots, .wait = {}, .job = wish.job};
  for (const std::string& key : machine.chosen_keys()) {
    request.keys = {key};
    auto lease = device::acquire_lease(folder, request, environment);
    if (lease || lease.error().code != Errc::timed_out) return lease;
  }
  request.keys = machine.chosen_keys();
  request.wait = wish.wait;
  return device::acquire_lease(folder, request, environment, waiting);
}

/// Who has a slice of a card keeps others from the whole card and from no other slice. Taken after the slice: whoever
/// wants the whole card wants no slice, so nobody waits in a circle.
Result<std::optional<device::Lease>> lease_parent(const device::Device& device, const DeviceWish& wish,
                                                  const std::filesystem::path& folder, const Environment& environment,
                                                  const device::Waiting& waiting) {
  const std::string key = parent_lease_key(device);
  if (key.empty()) return std::optional<device::Lease>{};
  auto lease = device::acquire_lease(
      folder, {.keys = {key}, .slots = device::kMostSlots, .wait = wish.wait, .job = wish.job}, environment, waiting);
  if (!lease) return lease.error();
  return std::optional{*std::move(lease)};
}

/// Whoever holds the device alone may say of every other lease that it is over. True if any was ended.
bool settle_orphans(const device::Device& device, const device::Lease& lease, const Environment& environment,
                    bool end_them, std::vector<std::string>& notes) {
  const std::string inherited = environment("WEIR_LEASE").value_or("");
  const auto orphans = device::find_orphans(lease.claim(), inherited);
  if (orphans.empty()) return false;
  notes.push_back(fmt::format("an earlier lease of {} left {} process{} running: pid {}{}", to_text(device),
                              orphans.size(), orphans.size() == 1 ? "" : "es", fmt::join(orphans, ", "),
                              end_them ? "; ended" : "; --end-orphans ends them"));
  if (end_them) device::end_orphans(lease.claim(), inherited);
  return end_them;
}

void note_residue(const device::Device& device, const device::Lease& lease, std::vector<std::string>& notes) {
  const auto residue = device::find_residue(device, {::getpid()});
  if (!residue) return;
  notes.push_back(device::describe(device, *residue, lease.predecessor()));
}

}  // namespace

std::vector<std::string> Machine::chosen_keys() const {
  std::vector<std::string> keys;
  keys.reserve(choice.order.size());
  for (const std::size_t i : choice.order) keys.push_back(lease_key(devices[i]));
  return keys;
}

Machine look_at_machine(const DeviceWish& wish) {
  return choose_from(device::take_inventory(device::make_providers()), wish);
}

Machine choose_from(const device::Inventory& inventory, const DeviceWish& wish) {
  Machine machine;
  machine.inventory = inventory;
  machine.devices = device::with_mig_instances(machine.inventory.devices);
  machine.masks = device::read_mask_variables();
  machine.choice = choose(machine.devices, wish.policy, wish.need, device::hidden_by(machine.devices, machine.masks));
  return machine;
}

Result<device::Mask> mask_device(const Machine& machine, std::size_t chosen, const device::MaskOptions& options) {
  auto mask = device::make_mask(machine.devices, chosen, machine.masks, options);
  if (mask) add_vulkan_index(*mask, machine.at(chosen));
  return mask;
}

Result<LeasedDevice> lease_device(const Machine& machine, const DeviceWish& wish, const Environment& environment,
                                  const device::Waiting& waiting, std::vector<std::string>& notes,
                                  const std::function<void(device::Device&)>& refresh) {
  if (machine.choice.order.empty()) return Error{Errc::unsupported, refusal(machine.devices, machine.choice)};
  const auto folder = device::find_lease_folder(environment);
  if (!folder) return folder.error();
  if (!folder->warning.empty()) notes.push_back(folder->warning);
  auto lease = lease_any(machine, wish, folder->path, environment, waiting);
  if (!lease) return lease.error();
  const std::size_t chosen = device_of(machine, *lease);
  auto parent = lease_parent(machine.at(chosen), wish, folder->path, environment, waiting);
  if (!parent) return parent.error();
  auto mask = mask_device(machine, chosen, wish.mask);
  if (!mask) return mask.error();
  if (*parent) lease->keep_beside(**std::move(parent));
  mask->changes.emplace_back("WEIR_LEASE", lease->environment());
  notes.insert(notes.end(), mask->notes.begin(), mask->notes.end());
  // What is there belongs to a joined lease, and may belong to other sharers.
  const bool alone = !lease->is_joined() && wish.slots == 0;
  device::Device now = machine.at(chosen);
  if (refresh) refresh(now);
  const bool freed = alone && settle_orphans(now, *lease, environment, wish.end_orphans, notes);
  if (alone && !freed) note_residue(now, *lease, notes);
  return LeasedDevice{*std::move(lease), chosen, *std::move(mask), freed};
}

}  // namespace weir::tasks

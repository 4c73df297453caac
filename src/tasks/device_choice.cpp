#include "tasks/device_choice.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/this_process.hpp"
#include "device/dirty_lease.hpp"
#include "device/lease_folder.hpp"
#include "device/orphans.hpp"
#include "tasks/variants.hpp"

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
  device::LeaseRequest request{.keys = {}, .slots = wish.slots, .wait = {}, .job = wish.job, .program = wish.program};
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
      folder, {.keys = {key}, .slots = device::kMostSlots, .wait = wish.wait, .job = wish.job, .program = wish.program},
      environment, waiting);
  if (!lease) return lease.error();
  return std::optional{*std::move(lease)};
}

/// Whoever holds the device alone may say of every other lease that it is over. True if any was ended.
bool settle_orphans(const device::Device& device, const device::Lease& lease, const Environment& environment,
                    bool end_them, std::vector<std::string>& notes) {
  const std::string inherited = environment("WEIR_LEASE").value_or("");
  const auto [orphans, kept] = device::find_earlier(lease.claim(), inherited);
  if (!kept.empty())
    notes.push_back(
        fmt::format("an earlier lease of {} left {} process{} running whose leaseholder lives: pid {}; not "
                    "ended, as that one's",
                    to_text(device), kept.size(), kept.size() == 1 ? "" : "es", fmt::join(kept, ", ")));
  if (orphans.empty()) return false;
  notes.push_back(fmt::format("an earlier lease of {} left {} process{} running: pid {}{}", to_text(device),
                              orphans.size(), orphans.size() == 1 ? "" : "es", fmt::join(orphans, ", "),
                              end_them ? "; ended" : "; --end-orphans ends them"));
  if (end_them) device::end_orphans(lease.claim(), inherited);
  return end_them;
}

void note_residue(const device::Device& device, const device::Lease& lease, std::vector<std::string>& notes) {
  const auto residue = device::find_residue(device, {process_id()});
  if (!residue) return;
  notes.push_back(device::describe(device, *residue, lease.predecessor()));
}

/// What those who share the device now have promised and not taken yet, with the free memory. A lease file that is not there
/// yet is not made.
Room room_of(const device::Device& device) {
  const auto folder = device::find_lease_folder(process_environment());
  const auto file = folder ? device::LeaseFile::open_to_look(folder->path, lease_key(device))
                           : Result<std::optional<device::LeaseFile>>{folder.error()};
  if (!file || !*file) return measure_room(device, {}, {});
  std::vector<device::Holder> sharers;
  if (const auto holders = (*file)->holders()) sharers = *holders;
  std::erase_if(sharers, [](const device::Holder& holder) { return holder.slot == 0; });  // it will have ended
  return measure_room(device, sharers, {.key = {}, .nonce = {}, .folder = (*file)->folder_id()});
}

/// Takes devices without room for `wanted` out of the choice: the question that a run asks once the device is its own.
void leave_out_full(Machine& machine, Bytes wanted, bool trust_unknown) {
  for (device::Considered& one : machine.choice.considered) {
    if (!one.accepted) continue;
    const auto fits = choose_variant({{{}, wanted}}, room_of(machine.at(one.device)), trust_unknown);
    if (fits) continue;
    one.accepted = false;
    one.reason = fits.error().what;
    std::erase(machine.choice.order, one.device);
  }
}

}  // namespace

std::vector<std::string> Machine::chosen_keys() const {
  std::vector<std::string> keys;
  keys.reserve(choice.order.size());
  for (const std::size_t i : choice.order) keys.push_back(lease_key(devices[i]));
  return keys;
}

Machine look_at_machine(const DeviceWish& wish, const std::stop_token& stop) {
  return choose_from(device::take_inventory(device::make_providers(), std::chrono::seconds{10}, stop), wish);
}

Error refusal_of(const Machine& machine) {
  if (machine.inventory.interrupted) return {Errc::cancelled, "interrupted while looking for devices"};
  const std::string silent = device::unanswered(machine.inventory);
  const std::string refused = refusal(machine.devices, machine.choice);
  return {Errc::unsupported, silent.empty() ? refused : fmt::format("{}; {}", silent, refused)};
}

Machine choose_from(const device::Inventory& inventory, const DeviceWish& wish) {
  Machine machine;
  machine.inventory = inventory;
  machine.devices = device::with_mig_instances(machine.inventory.devices);
  machine.masks = device::read_mask_variables();
  device::Need need = wish.need;
  const Bytes wanted = std::exchange(need.free, Bytes{});  // asked below, as a run asks
  machine.choice = choose(machine.devices, wish.policy, need, device::hidden_by(machine.devices, machine.masks));
  if (wanted > Bytes{}) leave_out_full(machine, wanted, need.trust_unknown);
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
  if (machine.choice.order.empty()) return refusal_of(machine);
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

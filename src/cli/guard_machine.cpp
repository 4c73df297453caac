#include "cli/guard_machine.hpp"

#include <algorithm>

#include <unistd.h>

#include "device/dirty_lease.hpp"

namespace weir::cli {
namespace {

/// The accepted device that a lease is of.
std::size_t device_of(const GuardMachine& machine, const device::Lease& lease) {
  const std::string key = lease.keys().front();
  const auto at = std::find_if(machine.choice.order.begin(), machine.choice.order.end(),
                               [&](std::size_t i) { return lease_key(machine.at(i)) == key; });
  return *at;
}

/// In the order of the policy a device that is free now; else whichever of them becomes free first.
Result<device::Lease> lease_any(const GuardMachine& machine, const GuardArguments& args,
                                const std::filesystem::path& folder, const Environment& environment,
                                const device::Waiting& waiting) {
  device::LeaseRequest request{.keys = {}, .slots = args.slots, .wait = {}, .job = args.job};
  for (const std::string& key : machine.chosen_keys()) {
    request.keys = {key};
    auto lease = device::acquire_lease(folder, request, environment);
    if (lease || lease.error().code != Errc::timed_out) return lease;
  }
  request.keys = machine.chosen_keys();
  request.wait = args.wait;
  return device::acquire_lease(folder, request, environment, waiting);
}

void note_residue(const device::Device& device, const device::Lease& lease, std::vector<std::string>& notes) {
  if (lease.is_joined()) return;  // what is there belongs to the lease
  const auto residue = device::find_residue(device, {::getpid()});
  if (!residue) return;
  notes.push_back(device::describe(device, *residue, lease.predecessor()));
}

}  // namespace

std::vector<std::string> GuardMachine::chosen_keys() const {
  std::vector<std::string> keys;
  keys.reserve(choice.order.size());
  for (const std::size_t i : choice.order) keys.push_back(lease_key(devices[i]));
  return keys;
}

device::Policy policy_of(const GuardArguments& args) {
  return {.allow = args.allow,
          .deny = args.deny,
          .request = args.device,
          .prefer = args.prefer,
          .min_memory = args.min_memory};
}

device::Need need_of(const GuardArguments& args) {
  return {.free = args.need.value_or(Bytes{}), .trust_unknown = args.trust_unknown};
}

GuardMachine look_at_machine(const GuardArguments& args) {
  GuardMachine machine;
  machine.inventory = device::take_inventory(device::make_providers());
  machine.devices = device::with_mig_instances(machine.inventory.devices);
  machine.masks = device::read_mask_variables();
  machine.choice =
      choose(machine.devices, policy_of(args), need_of(args), device::hidden_by(machine.devices, machine.masks));
  return machine;
}

Result<LeasedDevice> lease_device(const GuardMachine& machine, const GuardArguments& args,
                                  const Environment& environment, const device::Waiting& waiting,
                                  std::vector<std::string>& notes) {
  if (machine.choice.order.empty()) return Error{Errc::unsupported, refusal(machine.devices, machine.choice)};
  const auto folder = device::find_lease_folder(environment);
  if (!folder) return folder.error();
  if (!folder->warning.empty()) notes.push_back(folder->warning);
  auto lease = lease_any(machine, args, folder->path, environment, waiting);
  if (!lease) return lease.error();
  const std::size_t chosen = device_of(machine, *lease);
  const auto names = args.cuda_index ? device::CudaNames::index : device::CudaNames::uuid;
  auto mask = device::make_mask(machine.devices, chosen, machine.masks, names);
  if (!mask) return mask.error();
  add_vulkan_index(*mask, machine.at(chosen));
  mask->changes.emplace_back("WEIR_LEASE", lease->environment());
  notes.insert(notes.end(), mask->notes.begin(), mask->notes.end());
  note_residue(machine.at(chosen), *lease, notes);
  return LeasedDevice{*std::move(lease), chosen, *std::move(mask)};
}

}  // namespace weir::cli

#include "tasks/device_choice.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/this_process.hpp"
#include "device/lease_folder.hpp"
#include "device/orphans.hpp"
#include "device/unleased_use.hpp"
#include "tasks/variants.hpp"

namespace weir::tasks {
namespace {

/// Returns the index in Machine::devices of the accepted device that the lease is for.
std::size_t leased_device_index(const Machine& machine, const device::Lease& lease) {
  const std::string key = lease.keys().front();
  const auto found = std::find_if(machine.choice.ranked.begin(), machine.choice.ranked.end(),
                                  [&](std::size_t i) { return lease_key(machine.device_at(i)) == key; });
  return *found;
}

/// Leases the best accepted device that is free now; if no device is free, waits for the one that becomes free first.
Result<device::Lease> lease_any(const Machine& machine, const DeviceRequest& request,
                                const std::filesystem::path& folder, const Environment& environment,
                                const device::WaitOptions& waiting) {
  device::LeaseRequest lease_request{
      .keys = {}, .slots = request.slots, .max_wait = {}, .job = request.job, .program = request.program};
  for (const std::string& key : machine.accepted_lease_keys()) {
    lease_request.keys = {key};
    auto lease = device::acquire_lease(folder, lease_request, environment);
    if (lease || lease.error().code != Errc::timed_out) return lease;
  }
  lease_request.keys = machine.accepted_lease_keys();
  lease_request.max_wait = request.max_wait;
  return device::acquire_lease(folder, lease_request, environment, waiting);
}

/// For a MIG instance (a part of a card), takes a shared lease of its whole card, so that no program can lease the
/// whole card exclusively, but the card's other instances stay available. This lease is taken after the lease of the
/// instance. No circular wait is possible, because a program that leases the whole card leases no instance. Returns an
/// empty optional for a device that is no MIG instance.
Result<std::optional<device::Lease>> lease_parent(const device::Device& device, const DeviceRequest& request,
                                                  const std::filesystem::path& folder, const Environment& environment,
                                                  const device::WaitOptions& waiting) {
  const std::string key = parent_lease_key(device);
  if (key.empty()) return std::optional<device::Lease>{};
  auto lease = device::acquire_lease(folder,
                                     {.keys = {key},
                                      .slots = device::kMaxSlots,
                                      .max_wait = request.max_wait,
                                      .job = request.job,
                                      .program = request.program},
                                     environment, waiting);
  if (!lease) return lease.error();
  return std::optional{*std::move(lease)};
}

/// Finds processes of earlier leases of the device and reports them in `notes`. If `end_them` is true, ends the orphans
/// among them, the processes whose leaseholder has ended. Returns true if it ended any process. The lease must be
/// exclusive.
bool handle_orphans(const device::Device& device, const device::Lease& lease, const Environment& environment,
                    bool end_them, std::vector<std::string>& notes) {
  const std::string inherited = environment("WEIR_LEASE").value_or("");
  const auto [orphan_pids, living_holder_pids] = device::find_earlier_processes(lease.claim(), inherited);
  if (!living_holder_pids.empty())
    notes.push_back(
        fmt::format("an earlier lease of {} left {} process{} running whose leaseholder lives: pid {}; not "
                    "ended, because they belong to it",
                    to_text(device), living_holder_pids.size(), living_holder_pids.size() == 1 ? "" : "es",
                    fmt::join(living_holder_pids, ", ")));
  if (orphan_pids.empty()) return false;
  notes.push_back(fmt::format("an earlier lease of {} left {} process{} running: pid {}{}", to_text(device),
                              orphan_pids.size(), orphan_pids.size() == 1 ? "" : "es", fmt::join(orphan_pids, ", "),
                              end_them ? "; ended" : "; --end-orphans ends them"));
  if (end_them) device::end_orphans(lease.claim(), inherited);
  return end_them;
}

/// Adds a note if memory is in use on the device although its lease was free.
void note_unleased_use(const device::Device& device, const device::Lease& lease, std::vector<std::string>& notes) {
  const auto unleased_use = device::find_unleased_use(device, {process_id()});
  if (!unleased_use) return;
  notes.push_back(device::describe(device, *unleased_use, lease.previous_holder()));
}

/// Returns the availability of memory on the device, with the reservations of the programs that hold shared leases of
/// it now. Does not create a missing lease file.
DeviceMemoryAvailability availability_on(const device::Device& device) {
  const auto folder = device::find_lease_folder(process_environment());
  const auto file = folder ? device::LeaseFile::open_read_only(folder->path, lease_key(device))
                           : Result<std::optional<device::LeaseFile>>{folder.error()};
  if (!file || !*file) return measure_availability(device, /*holders=*/{}, /*own=*/{});
  std::vector<device::Holder> sharers;
  if (const auto holders = (*file)->holders()) sharers = *holders;
  // An exclusive holder will have ended before this process gets the lease.
  std::erase_if(sharers, [](const device::Holder& holder) { return holder.slot == 0; });
  return measure_availability(device, sharers, {.key = {}, .nonce = {}, .folder = (*file)->folder_id()});
}

/// Removes devices with less available memory than `need_free` from the choice. Decides with choose_variant(), as
/// reserve_memory() does later when the lease is held.
void reject_full_devices(Machine& machine, Bytes need_free, bool trust_unknown) {
  for (device::DeviceAssessment& assessment : machine.choice.assessments) {
    if (!assessment.accepted) continue;
    const auto fits = choose_variant({Variant{.name = {}, .need = need_free}},
                                     availability_on(machine.device_at(assessment.device_index)), trust_unknown);
    if (fits) continue;
    assessment.accepted = false;
    assessment.reason = fits.error().what;
    std::erase(machine.choice.ranked, assessment.device_index);
  }
}

}  // namespace

std::vector<std::string> Machine::accepted_lease_keys() const {
  std::vector<std::string> keys;
  keys.reserve(choice.ranked.size());
  for (const std::size_t i : choice.ranked) keys.push_back(lease_key(devices[i]));
  return keys;
}

Machine inspect_machine(const DeviceRequest& request, const std::stop_token& stop) {
  return choose_from_inventory(device::take_inventory(device::make_providers(), std::chrono::seconds{10}, stop),
                               request);
}

Error no_device_error(const Machine& machine) {
  if (machine.inventory.interrupted) return {Errc::cancelled, "interrupted while looking for devices"};
  const std::string unanswered_drivers = device::describe_hung_probes(machine.inventory);
  const std::string refused = describe_refusal(machine.devices, machine.choice);
  return {Errc::unsupported, unanswered_drivers.empty() ? refused : fmt::format("{}; {}", unanswered_drivers, refused)};
}

Machine choose_from_inventory(const device::Inventory& inventory, const DeviceRequest& request) {
  Machine machine;
  machine.inventory = inventory;
  machine.devices = device::expand_mig_instances(machine.inventory.devices);
  machine.masks = device::read_mask_variables();
  device::MemoryRequirement need = request.need;
  const Bytes need_free = std::exchange(need.free, Bytes{});  // reject_full_devices() checks it
  machine.choice = choose_devices(machine.devices, request.policy, need,
                                  device::find_hidden_reasons(machine.devices, machine.masks));
  if (need_free > Bytes{}) reject_full_devices(machine, need_free, need.trust_unknown);
  return machine;
}

Result<device::Mask> make_device_mask(const Machine& machine, std::size_t chosen, const device::MaskOptions& options) {
  auto mask = device::make_mask(machine.devices, chosen, machine.masks, options);
  if (mask) add_vulkan_index(*mask, machine.device_at(chosen));
  return mask;
}

Result<LeasedDevice> lease_device(const Machine& machine, const DeviceRequest& request, const Environment& environment,
                                  const device::WaitOptions& waiting, std::vector<std::string>& notes,
                                  const std::function<void(device::Device&)>& refresh) {
  if (machine.choice.ranked.empty()) return no_device_error(machine);
  const auto folder = device::find_lease_folder(environment);
  if (!folder) return folder.error();
  if (!folder->warning.empty()) notes.push_back(folder->warning);
  auto lease = lease_any(machine, request, folder->path, environment, waiting);
  if (!lease) return lease.error();
  const std::size_t chosen = leased_device_index(machine, *lease);
  auto parent = lease_parent(machine.device_at(chosen), request, folder->path, environment, waiting);
  if (!parent) return parent.error();
  auto mask = make_device_mask(machine, chosen, request.mask);
  if (!mask) return mask.error();
  if (*parent) lease->attach_parent(**std::move(parent));
  mask->changes.emplace_back("WEIR_LEASE", lease->environment_value());
  notes.insert(notes.end(), mask->notes.begin(), mask->notes.end());
  // With a joined or a shared lease, processes and memory on the device may belong to the lease that was joined or to
  // other holders, and are not reported.
  const bool exclusive = !lease->is_joined() && lease->is_exclusive();
  device::Device leased_device = machine.device_at(chosen);
  if (refresh) refresh(leased_device);
  const bool orphans_ended =
      exclusive && handle_orphans(leased_device, *lease, environment, request.end_orphans, notes);
  if (exclusive && !orphans_ended) note_unleased_use(leased_device, *lease, notes);
  return LeasedDevice{*std::move(lease), chosen, *std::move(mask), orphans_ended};
}

}  // namespace weir::tasks

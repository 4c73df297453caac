// `weir lease`: lists leases, waits for one, or holds one.

#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/closest_word.hpp"
#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/table.hpp"
#include "device/command_process.hpp"
#include "device/lease_folder.hpp"
#include "device/unleased_use.hpp"
#include "observe/log.hpp"
#include "tasks/machine_probe.hpp"
#include "tasks/reservation.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// The state of one lease (the right to use a device), for `weir lease list`.
struct ListedLease {
  std::string key;
  std::string device;  ///< name of the device; empty: the device is not on this machine now
  std::string state;   ///< "free", "held", "shared by 2", or "dirty": free, but memory is in use on the device
  std::vector<device::Holder> holders;
  int waiting = 0;   ///< number of waiters
  std::string note;  ///< with "dirty": text about the memory in use
};

/// Reads the state of the lease with this key. Errors: io.
Result<ListedLease> inspect_lease(const std::filesystem::path& folder, const std::string& key,
                                  const std::vector<device::Device>& devices) {
  const auto file = device::LeaseFile::open_read_only(folder, key);
  if (!file) return file.error();
  auto holders = device::holders_of(*file, folder, key);
  if (!holders) return holders.error();
  const auto waiting = *file ? (*file)->count_waiting() : Result<int>{0};
  if (!waiting) return waiting.error();
  ListedLease listed{
      .key = key, .device = {}, .state = {}, .holders = *std::move(holders), .waiting = *waiting, .note = {}};
  const auto device =
      std::find_if(devices.begin(), devices.end(), [&](const device::Device& each) { return lease_key(each) == key; });
  if (device != devices.end()) listed.device = device->name;
  listed.state = listed.holders.empty()             ? "free"
                 : listed.holders.front().slot == 0 ? "held"
                                                    : fmt::format("shared by {}", listed.holders.size());
  if (listed.holders.empty() && device != devices.end()) {
    if (const auto unleased_use = device::find_unleased_use(*device, {})) {
      listed.state = "dirty";
      listed.note =
          describe(*device, *unleased_use, *file ? (*file)->read_last_record() : std::optional<device::OwnerRecord>{});
    }
  }
  return listed;
}

std::string holder_text(const ListedLease& listed) {
  if (listed.holders.empty()) return listed.note.empty() ? "-" : listed.note;
  std::string text;
  for (const device::Holder& holder : listed.holders)
    text += (text.empty() ? "" : "; ") +
            (holder.record ? describe_holder(*holder.record, device::unix_time_s()) : "its record is not written yet");
  return text;
}

std::string lease_json(const ListedLease& listed) {
  Json json{{"lease", listed.key}, {"device", listed.device}, {"state", listed.state}, {"waiting", listed.waiting}};
  json["holders"] = Json::array();
  for (const device::Holder& holder : listed.holders) {
    Json one{{"slot", holder.slot}};
    if (holder.record) {
      one["pid"] = holder.record->process.pid;
      one["user"] = holder.record->user;
      one["command"] = holder.record->command;
      one["job"] = holder.record->job;
      one["since"] = holder.record->acquired_at;
      one["cgroup"] = holder.record->cgroup;
    }
    json["holders"].push_back(one);
  }
  if (!listed.note.empty()) json["note"] = listed.note;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Prints the state of the lease of each device, and of each other lease file.
ExitResult list_leases(const Invocation& invocation) {
  const auto folder = device::find_lease_folder(invocation.environment);
  if (!folder) return {ExitStatus::some_failed, folder.error().what};
  const tasks::Machine machine = tasks::inspect_machine(make_device_request(invocation.args().guard));
  warn_unanswered_drivers(machine, invocation.args().quiet);
  auto keys = device::list_lease_keys(folder->path);
  if (!keys) return {ExitStatus::some_failed, keys.error().what};
  for (const device::Device& device : machine.devices) keys->push_back(lease_key(device));
  std::sort(keys->begin(), keys->end());
  keys->erase(std::unique(keys->begin(), keys->end()), keys->end());
  std::vector<std::vector<std::string>> rows{{"LEASE", "DEVICE", "STATE", "WAITING", "HOLDER"}};
  std::string json;
  for (const std::string& key : *keys) {
    const auto listed = inspect_lease(folder->path, key, machine.devices);
    if (!listed) return {ExitStatus::some_failed, listed.error().what};
    json += lease_json(*listed);
    rows.push_back({printable(key), printable(listed->device), listed->state, std::to_string(listed->waiting),
                    holder_text(*listed)});
  }
  if (invocation.args().json) return print(json);
  return print(rows.size() == 1 ? "no device and no lease is known here\n" : align_columns(rows));
}

/// Returns the leased device as a line of JSON. `lease_variable`: the value of WEIR_LEASE for programs that join the
/// lease; empty: the JSON has no such field.
std::string leased_device_json(const device::Device& device, const std::string& lease_variable) {
  Json json{{"lease", lease_key(device)}, {"device", to_text(device)}, {"name", device.name}};
  json["uuid"] = device.uuid.empty() ? Json() : Json(device.uuid);
  json["pci"] = device.pci ? Json(to_text(*device.pci)) : Json();
  if (!lease_variable.empty()) json["WEIR_LEASE"] = lease_variable;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Returns the exit status for an error. `with_command`: weir would return the status of a command, which may itself be 3
/// or 4, so its own errors have another status.
ExitStatus status_of(const Error& error, bool with_command) {
  if (with_command) return ExitStatus::own_failure;
  return error.code == Errc::cancelled ? ExitStatus::interrupted : ExitStatus::nothing_started;
}

/// Runs the command after "--" with the mask of the leased device, and returns the command's status.
ExitResult run_command(const Invocation& invocation, const tasks::LeasedDevice& leased, const SignalStopSource& signals,
                       observe::Log& log) {
  auto process = device::CommandProcess::start({.arguments = invocation.command_line.external_arguments,
                                                .environment = leased.mask.changes,
                                                .lease_descriptors = leased.lease.descriptors()});
  if (!process) return {static_cast<ExitStatus>(start_failure_status(process.error())), process.error().what};
  const device::StopRules rules{.time_limit = {},
                                .stop = signals.token(),
                                .first_signal = [&] { return signals.signal_to_forward(); },
                                .grace_period = invocation.args().guard.grace};
  const device::CommandResult command_result = process->wait(rules, std::chrono::milliseconds{100}, {});
  if (!command_result.status_known)
    return {static_cast<ExitStatus>(command_result.status), "the command " + describe(command_result)};
  if (command_result.guardian_lost)
    log.warning("the process that guards the command was killed, and the command with it");
  if (!leased.lease.is_intact())
    log.warning(
        "the lease that this command had joined was given back while it ran: another program may have used the device "
        "too");
  if (!command_result.leftover_processes.empty())
    log.warning("processes outlived the command and were ended: " +
                device::describe(command_result.leftover_processes));
  return {static_cast<ExitStatus>(command_result.status), {}};
}

}  // namespace

ExitResult run_lease(const Invocation& invocation) {
  const std::string verb = invocation.args().operands.empty() ? "" : invocation.args().operands.front();
  // The operands are the verb and all arguments after "--".
  const std::size_t expected_operands = 1 + invocation.command_line.external_arguments.size();
  const auto verbs = list_verbs(*find_command("lease"));
  const bool is_known_verb = std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
  if (!is_known_verb || invocation.args().operands.size() != expected_operands)
    return {ExitStatus::wrong_usage,
            fmt::format("{}write 'weir lease list', 'weir lease wait' or 'weir lease hold [-- COMMAND]'",
                        verb.empty() || is_known_verb ? ""
                                                      : fmt::format("'{}' is none of list, wait and hold{}; ",
                                                                    printable(verb), did_you_mean(verb, verbs)))};
  if (verb != "hold" && invocation.command_line.has_separator)
    return {ExitStatus::wrong_usage, fmt::format("'weir lease {}' runs no command", verb)};
  if (verb == "list") return list_leases(invocation);

  const GuardArguments& args = invocation.args().guard;
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const SignalStopSource signals{args.grace + device::kMaxStopTime, static_cast<int>(ExitStatus::interrupted), [] {}};
  const device::WaitOptions waiting{.stop = signals.token(),
                                    .on_wait = [&](const std::vector<device::BusyDevice>& busy_devices) {
                                      log.info("waiting: " + device::describe(busy_devices));
                                    }};
  tasks::MachineProbe probe;
  tasks::Machine machine = probe.inspect(make_device_request(args), {}, signals.token());
  // If no device is accepted, the error message contains the warning.
  if (!machine.choice.ranked.empty()) warn_unanswered_drivers(machine, invocation.args().quiet);
  std::vector<std::string> notes;
  tasks::DeviceRequest request = make_device_request(args);
  request.program = device::program_name(invocation.command_line.external_arguments);
  auto leased = tasks::lease_device(machine, request, invocation.environment, waiting, notes);
  const bool with_command = verb == "hold" && invocation.command_line.has_separator;
  if (!leased) return {status_of(leased.error(), with_command), leased.error().what};
  for (const std::string& note : notes) log.warning(note);
  if (request.need.free > Bytes{}) {
    device::Device& leased_device = machine.devices[leased->device_index];
    probe.refresh_memory(leased_device);  // the free memory changed while the previous holder used the device
    bool may_fit_later = false;
    const tasks::MemoryRequest memory_request{.variants = {tasks::Variant{.name = {}, .need = request.need.free}},
                                              .last_need = {},
                                              .trust_unknown = request.need.trust_unknown};
    if (const auto variant = tasks::reserve_memory(leased->lease, leased_device, memory_request, may_fit_later);
        !variant)
      return {status_of(variant.error(), with_command), variant.error().what};
  }
  if (with_command) return run_command(invocation, *leased, signals, log);
  const device::Device& device = machine.device_at(leased->device_index);
  if (verb == "wait")
    return print(invocation.args().json ? leased_device_json(device, {}) : fmt::format("{}\n", to_text(device)));
  // Programs that are started meanwhile join the lease by WEIR_LEASE.
  const std::string lease_variable = leased->lease.environment_value();
  ExitResult printed = print(invocation.args().json ? leased_device_json(device, lease_variable)
                                                    : fmt::format("WEIR_LEASE={}\n", lease_variable));
  if (printed.status == ExitStatus::done) wait_for_end_of_input(signals.token());
  return printed;
}

}  // namespace weir::cli

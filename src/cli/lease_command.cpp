#include <algorithm>
#include <cstdio>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/near_word.hpp"
#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/table.hpp"
#include "device/command_process.hpp"
#include "device/dirty_lease.hpp"
#include "device/lease_folder.hpp"
#include "observe/log.hpp"
#include "tasks/machine_probe.hpp"
#include "tasks/reservation.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// What one lease file says.
struct ListedLease {
  std::string key, device, state;
  std::vector<device::Holder> holders;
  int waiting = 0;
  std::string note;
};

Result<ListedLease> look_into(const std::filesystem::path& folder, const std::string& key,
                              const std::vector<device::Device>& devices) {
  const auto file = device::LeaseFile::open_to_look(folder, key);
  if (!file) return file.error();
  auto holders = device::holders_of(*file, folder, key);
  if (!holders) return holders.error();
  const auto waiting = *file ? (*file)->waiting() : Result<int>{0};
  if (!waiting) return waiting.error();
  ListedLease listed{
      .key = key, .device = {}, .state = {}, .holders = *std::move(holders), .waiting = *waiting, .note = {}};
  const auto device =
      std::find_if(devices.begin(), devices.end(), [&](const device::Device& one) { return lease_key(one) == key; });
  if (device != devices.end()) listed.device = device->name;
  listed.state = listed.holders.empty()             ? "free"
                 : listed.holders.front().slot == 0 ? "held"
                                                    : fmt::format("shared by {}", listed.holders.size());
  if (listed.holders.empty() && device != devices.end()) {
    if (const auto residue = device::find_residue(*device, {})) {
      listed.state = "dirty";
      listed.note = describe(*device, *residue, *file ? (*file)->read_record(0) : std::optional<device::OwnerRecord>{});
    }
  }
  return listed;
}

std::string holder_text(const ListedLease& listed) {
  if (listed.holders.empty()) return listed.note.empty() ? "-" : listed.note;
  std::string text;
  for (const device::Holder& holder : listed.holders)
    text += (text.empty() ? "" : "; ") +
            (holder.record ? describe_holder(*holder.record, device::seconds_since_1970()) : "not signed yet");
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
      one["since"] = holder.record->since;
      one["cgroup"] = holder.record->cgroup;
    }
    json["holders"].push_back(one);
  }
  if (!listed.note.empty()) json["note"] = listed.note;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

/// Every device that is there and every lease file, each once.
Ending list_leases(const Invocation& invocation) {
  const auto folder = device::find_lease_folder(invocation.environment);
  if (!folder) return {Exit::some_failed, folder.error().what};
  const tasks::Machine machine = tasks::look_at_machine(wish_of(invocation.args().guard));
  warn_of_silence(machine, invocation.args().quiet);
  auto keys = device::lease_keys(folder->path);
  if (!keys) return {Exit::some_failed, keys.error().what};
  for (const device::Device& device : machine.devices) keys->push_back(lease_key(device));
  std::sort(keys->begin(), keys->end());
  keys->erase(std::unique(keys->begin(), keys->end()), keys->end());
  std::vector<std::vector<std::string>> rows{{"LEASE", "DEVICE", "STATE", "WAITING", "HOLDER"}};
  std::string json;
  for (const std::string& key : *keys) {
    const auto listed = look_into(folder->path, key, machine.devices);
    if (!listed) return {Exit::some_failed, listed.error().what};
    json += lease_json(*listed);
    rows.push_back({printable(key), printable(listed->device), listed->state, std::to_string(listed->waiting),
                    holder_text(*listed)});
  }
  if (invocation.args().json) return print(json);
  return print(rows.size() == 1 ? "no device and no lease is known here\n" : aligned(rows));
}

/// The device that was taken, as a line of JSON. `joins` is what WEIR_LEASE is to be for programs that join; empty: left out.
std::string taken_json(const device::Device& device, const std::string& joins) {
  Json json{{"lease", lease_key(device)}, {"device", to_text(device)}, {"name", device.name}};
  json["uuid"] = device.uuid.empty() ? Json() : Json(device.uuid);
  json["pci"] = device.pci ? Json(to_text(*device.pci)) : Json();
  if (!joins.empty()) json["WEIR_LEASE"] = joins;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

Exit status_of(const Error& error, bool with_command) {
  if (with_command) return Exit::own_failure;
  return error.code == Errc::cancelled ? Exit::interrupted : Exit::nothing_started;
}

Ending run_command(const Invocation& invocation, const tasks::LeasedDevice& leased, const SignalWatch& signals,
                   observe::Log& log) {
  auto process = device::CommandProcess::start(
      {.words = invocation.line.command, .environment = leased.mask.changes, .held = leased.lease.descriptors()});
  if (!process) return {static_cast<Exit>(start_status(process.error())), process.error().what};
  const device::StopRules rules{.limit = {},
                                .stop = signals.token(),
                                .first_signal = [&] { return signals.signal_to_forward(); },
                                .grace = invocation.args().guard.grace};
  const device::CommandEnd end = process->wait(rules, std::chrono::milliseconds{100}, {});
  if (!end.known) return {static_cast<Exit>(end.status), "the command " + describe(end)};
  if (end.guardian_lost) log.warning("somebody killed the process that guards the command, and so the command");
  if (!leased.lease.is_intact())
    log.warning(
        "the lease that this command had joined was given back while it ran: another may have used the device too");
  if (!end.left_behind.empty()) log.warning("outlived the command and ended: " + device::describe(end.left_behind));
  return {static_cast<Exit>(end.status), {}};
}

}  // namespace

Ending run_lease(const Invocation& invocation) {
  const std::string verb = invocation.args().operands.empty() ? "" : invocation.args().operands.front();
  const std::size_t expected = 1 + invocation.line.command.size();
  const auto verbs = verbs_of(*find_command("lease"));
  const bool known = std::find(verbs.begin(), verbs.end(), verb) != verbs.end();
  if (!known || invocation.args().operands.size() != expected)
    return {Exit::wrong_usage,
            fmt::format("{}write 'weir lease list', 'weir lease wait' or 'weir lease hold [-- COMMAND]'",
                        verb.empty() || known ? ""
                                              : fmt::format("'{}' is none of list, wait and hold{}; ", printable(verb),
                                                            near_word_hint(verb, verbs)))};
  if (verb != "hold" && invocation.line.separated)
    return {Exit::wrong_usage, fmt::format("'weir lease {}' runs no command", verb)};
  if (verb == "list") return list_leases(invocation);

  const GuardArguments& args = invocation.args().guard;
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const SignalWatch signals{args.grace + device::kStopTime, static_cast<int>(Exit::interrupted), [] {}};
  const device::Waiting waiting{.stop = signals.token(),
                                .started = [&](const std::vector<device::Obstacle>& obstacles) {
                                  log.info("waiting: " + device::describe(obstacles));
                                }};
  tasks::MachineProbe probe;
  tasks::Machine machine = probe.machine(wish_of(args), {}, signals.token());
  if (!machine.choice.order.empty()) warn_of_silence(machine, invocation.args().quiet);  // else the refusal says it
  std::vector<std::string> notes;
  tasks::DeviceWish wish = wish_of(args);
  wish.program = device::program_name(invocation.line.command);
  auto leased = tasks::lease_device(machine, wish, invocation.environment, waiting, notes);
  const bool with_command = verb == "hold" && invocation.line.separated;
  if (!leased) return {status_of(leased.error(), with_command), leased.error().what};
  for (const std::string& note : notes) log.warning(note);
  if (wish.need.free > Bytes{}) {
    device::Device& now = machine.devices[leased->device];
    probe.refresh(now);  // whoever had the device until now has changed what is free there
    bool crowded = false;
    const tasks::Wanted wanted{{{{}, wish.need.free}}, {}, wish.need.trust_unknown};
    if (const auto variant = tasks::reserve(leased->lease, now, wanted, crowded); !variant)
      return {status_of(variant.error(), with_command), variant.error().what};
  }
  if (with_command) return run_command(invocation, *leased, signals, log);
  const device::Device& device = machine.at(leased->device);
  if (verb == "wait")
    return print(invocation.args().json ? taken_json(device, {}) : fmt::format("{}\n", to_text(device)));
  // WEIR_LEASE lets programs that are started meanwhile join.
  const std::string joins = leased->lease.environment();
  Ending said = print(invocation.args().json ? taken_json(device, joins) : fmt::format("WEIR_LEASE={}\n", joins));
  if (said.exit == Exit::done) wait_for_end_of_input(signals.token());
  return said;
}

}  // namespace weir::cli

#include "tasks/guarded_command.hpp"

#include <algorithm>
#include <thread>

#include <fmt/format.h>

#include "base/paths.hpp"
#include "base/text.hpp"
#include "device/command_process.hpp"
#include "device/driver_sampler.hpp"
#include "device/process_identity.hpp"
#include "device/process_tree_memory.hpp"
#include "device/unleased_use.hpp"
#include "tasks/command_needs.hpp"
#include "tasks/leak_response.hpp"
#include "tasks/reservation.hpp"

namespace weir::tasks {
namespace {

using Clock = std::chrono::steady_clock;

// The largest age of a cached inventory with which a device is chosen; cards are rarely added or removed.
constexpr auto kMaxCachedInventoryAge = std::chrono::seconds{5};
constexpr auto kSampleInterval = std::chrono::milliseconds{100};  // between two samples of a running command
// Most samples of the memory after the command. A leak is looked for only with an exclusive lease.
constexpr int kSamplesForLeakCheck = 5;
constexpr int kSamplesWithoutLeakCheck = 1;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

/// Samples the memory in use on one device and the placement of a command (the device on which it works) while the
/// command runs. Waits at most kDriverTimeout for each answer of a driver.
class DeviceMeasurement {
 public:
  DeviceMeasurement(const Machine& machine, std::size_t index, device::DriverSampler& sampler, GuardedResult& result)
      : machine_{machine}, device_{machine.device_at(index)}, result_{result}, sampler_{sampler} {
    const auto before = read_used_memory();
    result_.device_measured = before.has_value();
    result_.device_before = before.value_or(Bytes{});
    result_.device_peak = result_.device_before;
  }

  /// Takes one sample: reads the drivers' answer to the last request, if it has arrived, and sends the next request.
  /// `pids`: all processes of the command. Returns true if the command works on another device than this one.
  bool sample(const std::vector<pid_t>& pids) {
    ++result_.samples;
    result_.peak_ram = std::max(result_.peak_ram, device::total_resident_memory(pids));
    if (const auto sample = sampler_.poll()) add_sample(*sample);
    // Evidence of the placement is collected once a second only, since reading the files /proc/PID/fdinfo of many
    // processes takes milliseconds.
    const bool collect_evidence = Clock::now() >= next_evidence_time_;
    if (collect_evidence) next_evidence_time_ = Clock::now() + std::chrono::seconds{1};
    sampler_.start_sample({device_.pci, collect_evidence, collect_evidence ? pids : std::vector<pid_t>{}});
    return result_.placement.status == device::PlacementStatus::refuted;
  }

  /// Measures the memory in use after the command has ended. While more memory is in use than before the command,
  /// repeats the measurement, until `max_samples` were taken.
  void measure_afterwards(int max_samples) {
    for (int number = 1;; ++number) {
      const auto now = read_used_memory();
      result_.driver_unresponsive = !now && result_.device_measured;
      if (!now) return;
      result_.device_after = *now;
      result_.device_peak = std::max(result_.device_peak, result_.device_after);
      if (result_.device_after <= result_.device_before || number >= max_samples) return;
      std::this_thread::sleep_for(std::chrono::milliseconds{200});  // drivers free memory with a delay
    }
  }

 private:
  static constexpr auto kDriverTimeout = std::chrono::seconds{2};

  std::optional<Bytes> read_used_memory() {
    if (!device_.pci) return std::nullopt;
    const auto sample = sampler_.sample({.card = device_.pci}, kDriverTimeout);
    return sample ? sample->used : std::nullopt;
  }

  void add_sample(const device::DriverSample& sample) {
    if (sample.used) result_.device_peak = std::max(result_.device_peak, *sample.used);
    if (!sample.evidence) return;
    const device::PlacementCheck placement = check_placement(device_, machine_.devices, *sample.evidence);
    // Keeps the result of an earlier check if there is no evidence now: a process that is about to end has already
    // freed its memory.
    if (placement.status != device::PlacementStatus::unknown ||
        result_.placement.status == device::PlacementStatus::unknown)
      result_.placement = placement;
  }

  const Machine& machine_;
  const device::Device& device_;
  GuardedResult& result_;
  device::DriverSampler& sampler_;
  // The first evidence is collected a moment after the start, because the command does not use the device at once.
  Clock::time_point next_evidence_time_ = Clock::now() + std::chrono::milliseconds{100};
};

/// Returns the arguments of the command with all placeholders replaced.
std::vector<std::string> fill_placeholders(const GuardedCommand& command, const GuardedResult& result) {
  PlaceholderValues values = command.placeholders;
  values.emplace_back("variant", result.variant);
  values.emplace_back("device", result.device);
  std::vector<std::string> filled;
  filled.reserve(command.arguments.size());
  for (const std::string& argument : command.arguments) filled.push_back(replace_placeholders(argument, values));
  return filled;
}

/// Sets result.error if a check of the ended command failed.
void set_error_from_checks(const GuardedCommand& command, const device::CommandResult& command_result,
                           GuardedResult& result) {
  if (result.placement.status == device::PlacementStatus::refuted)
    result.error = Error{Errc::device_lost, "placement refuted: " + result.placement.text};
  else if (command_result.guardian_lost)
    result.error = Error{Errc::io, "the process that guards the command was killed, and the command with it"};
  else if (command_result.stopped)
    result.error = Error{Errc::cancelled, "interrupted"};
  else if (command_result.timed_out)
    result.error = Error{Errc::timed_out, fmt::format("not done within {:.1f} s",
                                                      std::chrono::duration<double>(*command.time_limit).count())};
  else if (!command_result.status_known)
    result.error = Error{Errc::io, "the command " + describe(command_result)};
  else if (command.strict_device && result.placement.status == device::PlacementStatus::unknown)
    result.error = Error{Errc::device_lost, "placement unknown: " + result.placement.text};
  else if (result.leaks)
    result.error = Error{Errc::device_lost, fmt::format("{} on the device outlive the command",
                                                        to_text(result.device_after - result.device_before))};
}

CommandNeeds open_command_needs(const Environment& environment) {
  const auto state = user_state_folder(environment);
  return CommandNeeds{state.empty() ? state : state / "command-needs.json"};
}

/// Returns the stored need of the command, if GuardedCommand::use_last_need is set and a need is stored.
std::optional<Bytes> last_need_of_command(const GuardedCommand& command, const GuardedResult& result,
                                          const CommandNeeds& needs) {
  if (!command.use_last_need) return std::nullopt;
  return needs.stored_need(CommandNeeds::make_key(fill_placeholders(command, result), {}, *result.initial_device));
}

/// Runs the command on machine.devices[chosen], which is also result.initial_device, with the mask (environment
/// variables that hide all other devices). `leased` is null if the device is not leased.
void run_masked(const GuardedCommand& command, const Machine& machine, std::size_t chosen, const device::Mask& mask,
                const LeasedDevice* leased, MachineProbe& probe, const std::stop_token& stop,
                const CommandCallbacks& callbacks, GuardedResult& result) {
  device::Command masked_command{.arguments = fill_placeholders(command, result),
                                 .environment = mask.changes,
                                 .stdin_fd = command.input_fd,
                                 .stdout_fd = command.output_fd,
                                 .stderr_fd = command.error_fd,
                                 .own_process_group = command.output_fd >= 0};
  if (leased != nullptr) masked_command.lease_descriptors = leased->lease.descriptors();
  // Only commands of a run with items (weir run ... ::: ITEM...) have an output descriptor of their own.
  if (command.output_fd >= 0) masked_command.other_descriptors = OtherDescriptors::close_all;
  masked_command.environment.insert(masked_command.environment.end(), command.environment.begin(),
                                    command.environment.end());
  if (!result.variant.empty()) masked_command.environment.emplace_back("WEIR_VARIANT", result.variant);
  result.placement.text = "the command ended before the first sample";
  DeviceMeasurement measurement{machine, chosen, probe.sampler(), result};
  auto process = device::CommandProcess::start(masked_command);
  if (!process) {
    result.status = start_failure_status(process.error());
    result.error = process.error();
    return;
  }
  std::stop_source wrong_device;
  const device::StopRules rules{.time_limit = command.time_limit,
                                .stop = stop,
                                .immediate_stop = wrong_device.get_token(),
                                .first_signal = command.first_signal,
                                .grace_period = command.grace};
  const device::CommandResult command_result = process->wait(rules, kSampleInterval, [&] {
    if (measurement.sample(process->all_pids())) wrong_device.request_stop();
  });
  const bool exclusive = leased != nullptr && leased->lease.is_exclusive();
  measurement.measure_afterwards(exclusive ? kSamplesForLeakCheck : kSamplesWithoutLeakCheck);
  if (leased != nullptr && !leased->lease.is_intact())
    callbacks.on_note(
        "the lease that this run had joined was given back while it ran: another program may have used the device too");
  result.status = command_result.status;
  result.ended_by_itself = !command_result.forced && !command_result.guardian_lost;
  result.duration_s = command_result.duration.count();
  result.peak_ram = std::max(result.peak_ram, command_result.peak_resident);
  result.leftover_processes = command_result.leftover_processes;
  if (exclusive) result.device_growth = result.device_peak - result.device_before;
  if (result.driver_unresponsive)
    callbacks.on_note(
        fmt::format("the driver of {} does not answer: whether memory stays in use there is not known", result.device));
  result.leaks =
      exclusive && !result.driver_unresponsive && result.device_after > result.device_before + command.max_leak;
  if (result.leaks) respond_to_leak(command, *leased, result, callbacks);
  set_error_from_checks(command, command_result, result);
}

/// Sets the error of a command that is not started; the command counts as refused unless the start was cancelled.
GuardedResult refuse(GuardedResult result, Error error) {
  result.refused = error.code != Errc::cancelled;
  result.error = std::move(error);
  return result;
}

/// Runs a command without `lease_before_start`.
GuardedResult run_unleased(const GuardedCommand& command, MachineProbe& probe, const std::stop_token& stop,
                           const CommandCallbacks& callbacks) {
  GuardedResult result;
  const Machine machine = probe.inspect(command.device_request, kMaxCachedInventoryAge, stop);
  if (machine.choice.ranked.empty()) return refuse(std::move(result), no_device_error(machine));
  if (const auto warning = probe.take_warning(); !warning.empty()) callbacks.on_note(warning);
  const std::size_t chosen = machine.choice.ranked.front();
  result.initial_device = machine.device_at(chosen);
  result.device = to_text(*result.initial_device);
  auto mask = make_device_mask(machine, chosen, command.device_request.mask);
  if (!mask) return refuse(std::move(result), mask.error());
  for (const std::string& note : mask->notes) callbacks.on_note(note);
  run_masked(command, machine, chosen, *mask, nullptr, probe, stop, callbacks, result);
  return result;
}

/// Leases one accepted device, chooses the variant, and runs the command. If no variant fits this device, refuses the
/// command and does not try another device.
GuardedResult run_leased(const GuardedCommand& command, Machine machine, MachineProbe& probe,
                         const Environment& environment, const std::stop_token& stop,
                         const CommandCallbacks& callbacks) {
  GuardedResult result;
  const auto start = Clock::now();
  std::vector<std::string> notes;
  const device::WaitOptions waiting{.stop = stop, .on_wait = [&](const std::vector<device::BusyDevice>& busy_devices) {
                                      callbacks.on_waiting("waiting: " + device::describe(busy_devices));
                                    }};
  DeviceRequest request = command.device_request;
  request.program = device::program_name(fill_placeholders(command, result));
  auto leased = lease_device(machine, request, environment, waiting, notes,
                             [&](device::Device& device) { probe.refresh_memory(device); });
  for (const std::string& note : notes) callbacks.on_note(note);
  result.waited_s = seconds_since(start);
  if (!leased) return refuse(std::move(result), leased.error());
  // The free memory changed while the previous holder used the device.
  if (!probe.refresh_memory(machine.devices[leased->device_index])) {
    const std::string key = lease_key(machine.device_at(leased->device_index));
    machine = probe.inspect(command.device_request, {}, stop);
    const auto same_device = std::find_if(machine.devices.begin(), machine.devices.end(),
                                          [&](const device::Device& device) { return lease_key(device) == key; });
    if (same_device == machine.devices.end()) {
      Error gone = no_device_error(machine);
      if (gone.code != Errc::cancelled) gone = {Errc::device_lost, fmt::format("{} is gone: {}", key, gone.what)};
      return refuse(std::move(result), std::move(gone));
    }
    leased->device_index = static_cast<std::size_t>(same_device - machine.devices.begin());
  }
  result.initial_device = machine.device_at(leased->device_index);
  result.device = to_text(*result.initial_device);
  const CommandNeeds needs = open_command_needs(environment);
  const auto last_need = last_need_of_command(command, result, needs);
  const MemoryRequest memory_request{
      .variants = command.variants, .last_need = last_need, .trust_unknown = command.device_request.need.trust_unknown};
  const auto variant =
      reserve_memory(leased->lease, machine.device_at(leased->device_index), memory_request, result.may_fit_later);
  if (!variant) return refuse(std::move(result), variant.error());
  result.variant_index = *variant;
  if (const Bytes need = command.variants[*variant].need; need > Bytes{})
    result.need_with_context = need + kContextMargin;
  result.variant = command.variants[*variant].name;
  if (*variant > 0) callbacks.on_note(fmt::format("{}: variant '{}'", result.device, result.variant));
  run_masked(command, machine, leased->device_index, leased->mask, &*leased, probe, stop, callbacks, result);
  if (result.device_growth > Bytes{} && !result.driver_unresponsive && result.status == 0 && !result.error) {
    const auto key = CommandNeeds::make_key(fill_placeholders(command, result), result.variant, *result.initial_device);
    if (auto kept = needs.store_need(key, result.device_growth); !kept)
      callbacks.on_note("the memory needs of commands cannot be remembered for the next time: " + kept.error().what);
  }
  return result;
}

}  // namespace

std::string replace_placeholders(const std::string& argument, const PlaceholderValues& values) {
  // Copies the argument, one placeholder or one other character at a time.
  std::string filled;
  for (std::size_t position = 0; position < argument.size();) {
    const std::size_t close = argument[position] == '{' ? argument.find('}', position) : std::string::npos;
    const std::string_view name = close == std::string::npos
                                      ? std::string_view{}
                                      : std::string_view{argument}.substr(position + 1, close - position - 1);
    const auto value = std::find_if(values.begin(), values.end(), [&](const auto& one) { return one.first == name; });
    const bool is_placeholder = close != std::string::npos && value != values.end();
    filled += is_placeholder ? value->second : std::string{argument[position]};
    position = is_placeholder ? close + 1 : position + 1;
  }
  return filled;
}

bool may_retry(const GuardedResult& result) {
  if (!result.error) return result.status != 0 && result.status != 126 && result.status != 127;
  return result.error->code == Errc::timed_out || result.error->code == Errc::over_budget;
}

GuardedResult run_guarded_command(const GuardedCommand& command, MachineProbe& probe, const Environment& environment,
                                  const std::stop_token& stop, const CommandCallbacks& callbacks) {
  if (!command.lease_before_start) return run_unleased(command, probe, stop, callbacks);
  Machine machine = probe.inspect(command.device_request, kMaxCachedInventoryAge, stop);
  if (!machine.choice.ranked.empty())  // otherwise the refusal already contains the warning
    if (const auto warning = probe.take_warning(); !warning.empty()) callbacks.on_note(warning);
  bool may_fit_later = false;
  double waited_s = 0;
  for (;;) {  // ends, because each iteration that does not return removes one of the devices
    GuardedResult result = run_leased(command, machine, probe, environment, stop, callbacks);
    waited_s += result.waited_s;
    may_fit_later = may_fit_later || result.may_fit_later;
    const bool lacks_memory = result.refused && result.initial_device && result.error->code == Errc::over_budget;
    if (!lacks_memory || machine.choice.ranked.size() < 2) {
      result.may_fit_later = lacks_memory && may_fit_later;
      result.waited_s = waited_s;
      if (result.error && result.error->code == Errc::device_lost) probe.discard_inventory();
      return result;
    }
    callbacks.on_note(fmt::format("{}; the next device is tried", result.error->what));
    std::erase_if(machine.choice.ranked, [&](std::size_t index) {
      return lease_key(machine.device_at(index)) == lease_key(*result.initial_device);
    });
  }
}

}  // namespace weir::tasks

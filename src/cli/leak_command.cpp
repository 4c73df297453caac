// `weir leak`: runs a command several times and checks whether all its memory is freed.

#include <algorithm>
#include <iterator>
#include <optional>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <nlohmann/json.hpp>

#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "base/text.hpp"
#include "base/version.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "device/command_process.hpp"
#include "device/driver_sampler.hpp"
#include "device/placement_check.hpp"
#include "device/process_identity.hpp"
#include "device/process_tree_memory.hpp"
#include "memory/command_report.hpp"
#include "observe/event_log.hpp"
#include "observe/log.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

constexpr auto kDriverTimeout = std::chrono::seconds{2};          // longest wait for an answer of a driver
constexpr auto kSampleInterval = std::chrono::milliseconds{100};  // between two samples of the running command
constexpr auto kEvidenceInterval = std::chrono::seconds{1};       // between two checks of the placement
constexpr int kMaxSamplesAfterwards = 3;                          // of the device's memory after the command

/// The leased device on which the command runs. `leased`, `pci` and `device` are empty if the command runs without a
/// device, because the policy (the user's rules for devices) accepts no device and the flags do not require a device.
struct CommandDevice {
  std::optional<tasks::LeasedDevice> leased;
  std::optional<device::PciAddress> pci;  ///< PCI address of the device; empty also if the device has no PCI address
  std::optional<device::Device> device = {};
  std::vector<device::Device> devices = {};  ///< all devices of the machine
  std::string hung_drivers = {};             ///< if no device is leased: text about drivers that hung; else empty
};

/// Leases an accepted device. Leases no device if no device is accepted and the flags do not require a device. Errors:
/// those of tasks::lease_device(); cancelled.
Result<CommandDevice> lease_command_device(const Invocation& invocation, const std::stop_token& stop,
                                           observe::Log& log) {
  const GuardArguments& args = invocation.args().guard;
  const tasks::Machine machine = tasks::inspect_machine(make_device_request(args), stop);
  const std::string unanswered_drivers = device::describe_hung_probes(machine.inventory);
  if (machine.inventory.interrupted) return no_device_error(machine);
  if (machine.choice.ranked.empty() && !requires_device(args))
    return CommandDevice{
        .leased = {}, .pci = {}, .device = {}, .devices = machine.devices, .hung_drivers = unanswered_drivers};
  if (!machine.choice.ranked.empty() && !unanswered_drivers.empty()) log.warning(unanswered_drivers);
  std::vector<std::string> notes;
  const device::WaitOptions waiting{.stop = stop, .on_wait = [&](const std::vector<device::BusyDevice>& busy_devices) {
                                      log.info("waiting: " + device::describe(busy_devices));
                                    }};
  auto leased = tasks::lease_device(machine, make_device_request(args), invocation.environment, waiting, notes);
  if (!leased) return leased.error();
  for (const std::string& note : notes) log.warning(note);
  const device::Device& device = machine.device_at(leased->device_index);
  return CommandDevice{.leased = *std::move(leased),
                       .pci = device.pci,
                       .device = device,
                       .devices = machine.devices,
                       .hung_drivers = {}};
}

/// Runs the command once and returns the measurements.
Result<memory::RunMeasurements> run_once(const std::vector<std::string>& arguments, const CommandDevice& command_device,
                                         const std::stop_token& stop) {
  memory::RunMeasurements measurements;
  device::DriverSampler sampler{command_device.devices};
  measurements.unmeasured_reason = command_device.hung_drivers;
  const auto read_used = [&]() -> std::optional<Bytes> {
    const auto sample = sampler.sample({.card = command_device.pci}, kDriverTimeout);
    return sample ? sample->used : std::nullopt;
  };
  measurements.device_before = read_used();
  measurements.device_peak = measurements.device_before.value_or(Bytes{});
  const auto shared_before = device::shared_memory_files();
  device::Command command{.arguments = arguments, .environment = {}};
  if (command_device.leased) {
    command.environment = command_device.leased->mask.changes;
    command.lease_descriptors = command_device.leased->lease.descriptors();
  }
  auto process = device::CommandProcess::start(command);
  if (!process) return process.error();
  std::stop_source wrong_device;
  // The first evidence is collected a moment after the start, because the command does not use the device at once.
  auto next_evidence_time = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};
  const auto check_evidence = [&](const device::PlacementEvidence& evidence) {
    const device::PlacementCheck placement =
        device::check_placement(*command_device.device, command_device.devices, evidence);
    if (placement.status != device::PlacementStatus::refuted) return;
    measurements.wrong_device = placement.text;
    wrong_device.request_stop();
  };
  const auto sample = [&] {
    const Bytes now = device::total_resident_memory(process->all_pids());
    measurements.resident_peak = std::max(measurements.resident_peak, now);
    measurements.resident_levels.push_back(static_cast<double>(now.count()));
    const auto answer = sampler.poll();
    if (answer && answer->used) {
      measurements.device_peak = std::max(measurements.device_peak, *answer->used);
      measurements.device_levels.push_back(static_cast<double>(answer->used->count()));
    }
    if (answer && answer->evidence) check_evidence(*answer->evidence);
    const bool collect_evidence = command_device.device && std::chrono::steady_clock::now() >= next_evidence_time;
    if (collect_evidence) next_evidence_time = std::chrono::steady_clock::now() + kEvidenceInterval;
    sampler.start_sample(
        {command_device.pci, collect_evidence, collect_evidence ? process->all_pids() : std::vector<pid_t>{}});
  };
  const device::CommandResult result =
      process->wait({.time_limit = {}, .stop = stop, .immediate_stop = wrong_device.get_token(), .first_signal = {}},
                    kSampleInterval, sample);
  if (!result.status_known) return Error{Errc::io, "the command " + describe(result)};
  if (result.stopped && measurements.wrong_device.empty()) return Error{Errc::cancelled, "interrupted"};
  measurements.status = result.status;
  measurements.seconds = result.duration.count();
  measurements.resident_peak = std::max(measurements.resident_peak, result.peak_resident);
  measurements.leftover_processes = result.leftover_processes.size();
  // Drivers free memory shortly after the process has ended.
  for (int number = 0; number < kMaxSamplesAfterwards; ++number) {
    measurements.device_after = read_used();
    if (!measurements.device_after || measurements.device_after <= measurements.device_before) break;
    ::usleep(200'000);
  }
  if (command_device.pci && !(measurements.device_before && measurements.device_after))
    measurements.unmeasured_reason =
        fmt::format("the driver of {} does not report it{}", to_text(*command_device.device),
                    measurements.device_before ? " any more" : "");
  const auto shared_after = device::shared_memory_files();
  std::set_difference(shared_after.begin(), shared_after.end(), shared_before.begin(), shared_before.end(),
                      std::back_inserter(measurements.shared_files));
  return measurements;
}

/// Returns the report as a line of JSON.
std::string report_json(const memory::ReportOrigin& origin, const memory::CommandReport& report) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const Json json{{"verdict", memory::name_of(report.approval)},
                  {"leaked", report.leaked},
                  {"card", or_null(origin.device)},
                  {"uuid", or_null(origin.device_uuid)},
                  {"max_leak_bytes", origin.limit.count()},
                  {"version", origin.version},
                  {"date", origin.date},
                  {"analysis", report.analysis},
                  {"strengths", report.strengths},
                  {"weaknesses", report.weaknesses},
                  {"recommendations", report.recommendations},
                  {"functional_results", report.run_results}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

ExitResult run_leak(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const std::vector<std::string>& arguments = invocation.command_line.external_arguments;
  // The operands include the arguments after "--"; no others are allowed.
  if (arguments.empty() || invocation.args().operands.size() != arguments.size())
    return {ExitStatus::own_failure, "write the command after --, as in 'weir leak -- python test.py'"};
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const SignalStopSource signals{device::StopRules{}.grace_period + device::kMaxStopTime,
                                 static_cast<int>(ExitStatus::interrupted), [] {}};
  const auto command_device = lease_command_device(invocation, signals.token(), log);
  if (!command_device && command_device.error().code == Errc::cancelled)
    return {ExitStatus::interrupted, command_device.error().what};
  if (!command_device) return {ExitStatus::own_failure, command_device.error().what};
  std::vector<memory::RunMeasurements> runs;
  for (int i = 0; i < args.runs; ++i) {
    auto measurements = run_once(arguments, *command_device, signals.token());
    if (!measurements && measurements.error().code == Errc::cancelled)
      return {ExitStatus::interrupted, measurements.error().what};
    if (!measurements)
      return {static_cast<ExitStatus>(start_failure_status(measurements.error())), measurements.error().what};
    runs.push_back(*std::move(measurements));
    if (!runs.back().wrong_device.empty()) break;
  }
  const memory::CommandReport report = memory::evaluate_command(runs, args.max_leak);
  const memory::ReportOrigin origin{
      .command = printable(device::program_name(arguments)),
      .device = command_device->device ? device::to_text(*command_device->device) : std::string{},
      .device_uuid = command_device->device ? command_device->device->uuid : std::string{},
      .limit = args.max_leak,
      .version = kVersion,
      .date = observe::timestamp_now()};
  if (!args.report.empty()) {
    if (auto written = write_file(args.report, to_markdown(origin, report)); !written)
      return {ExitStatus::some_failed, written.error().what};
  }
  ExitResult printed = print(invocation.args().json ? report_json(origin, report) : to_plain(origin, report));
  if (printed.status != ExitStatus::done) return printed;
  const bool approved =
      report.approval == memory::Approval::approved || report.approval == memory::Approval::with_remarks;
  return {approved ? ExitStatus::done : ExitStatus::some_failed, {}};
}

}  // namespace weir::cli

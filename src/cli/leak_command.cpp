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
#include "device/process_identity.hpp"
#include "device/process_tree_memory.hpp"
#include "device/proof.hpp"
#include "memory/command_report.hpp"
#include "observe/event_log.hpp"
#include "observe/log.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

/// Where the command runs: on a leased device, or on none where the policy leaves none and none was asked for.
struct Place {
  std::optional<tasks::LeasedDevice> leased;
  std::optional<device::PciAddress> card;
  std::optional<device::Device> device = {};
  std::vector<device::Device> devices = {};  ///< all of the machine
  std::string unknown = {};                  ///< which drivers do not answer, where none could be chosen
};

Result<Place> take_place(const Invocation& invocation, const std::stop_token& stop, observe::Log& log) {
  const GuardArguments& args = invocation.args().guard;
  const tasks::Machine machine = tasks::look_at_machine(wish_of(args), stop);
  const std::string silent = device::unanswered(machine.inventory);
  if (machine.inventory.interrupted) return refusal_of(machine);
  if (machine.choice.order.empty() && !demands_device(args))
    return Place{.leased = {}, .card = {}, .device = {}, .devices = machine.devices, .unknown = silent};
  if (!machine.choice.order.empty() && !silent.empty()) log.warning(silent);
  std::vector<std::string> notes;
  const device::Waiting waiting{.stop = stop, .started = [&](const std::vector<device::Obstacle>& obstacles) {
                                  log.info("waiting: " + device::describe(obstacles));
                                }};
  auto leased = tasks::lease_device(machine, wish_of(args), invocation.environment, waiting, notes);
  if (!leased) return leased.error();
  for (const std::string& note : notes) log.warning(note);
  const device::Device& device = machine.at(leased->device);
  return Place{*std::move(leased), device.pci, device, machine.devices, {}};
}

/// One run with its figures.
Result<memory::RunFacts> run_once(const std::vector<std::string>& words, const Place& place,
                                  const std::stop_token& stop) {
  memory::RunFacts facts;
  device::DriverSampler sampler{place.devices};
  facts.unknown = place.unknown;
  const auto used = [&]() -> std::optional<Bytes> {
    const auto sample = sampler.ask({place.card, false, {}}, std::chrono::seconds{2});
    return sample ? sample->used : std::nullopt;
  };
  facts.device_before = used();
  facts.device_peak = facts.device_before.value_or(Bytes{});
  const auto shared_before = device::shared_memory_files();
  device::Command command{.words = words, .environment = {}};
  if (place.leased) {
    command.environment = place.leased->mask.changes;
    command.held = place.leased->lease.descriptors();
  }
  auto process = device::CommandProcess::start(command);
  if (!process) return process.error();
  std::stop_source wrong_card;
  auto next_proof = std::chrono::steady_clock::now() + std::chrono::milliseconds{100};  // nothing is booked at once
  const auto prove = [&](const device::Evidence& evidence) {
    const device::Proof proof = device::judge(*place.device, place.devices, evidence);
    if (proof.outcome != device::Outcome::refuted) return;
    facts.refuted = proof.text;
    wrong_card.request_stop();
  };
  const auto sample = [&] {
    const Bytes now = device::resident_of(process->all_pids());
    facts.peak = std::max(facts.peak, now);
    facts.levels.push_back(static_cast<double>(now.count()));
    const auto answer = sampler.poll();
    if (answer && answer->used) {
      facts.device_peak = std::max(facts.device_peak, *answer->used);
      facts.device_levels.push_back(static_cast<double>(answer->used->count()));
    }
    if (answer && answer->evidence) prove(*answer->evidence);
    const bool look = place.device && std::chrono::steady_clock::now() >= next_proof;
    if (look) next_proof = std::chrono::steady_clock::now() + std::chrono::seconds{1};
    sampler.begin({place.card, look, look ? process->all_pids() : std::vector<pid_t>{}});
  };
  const device::CommandEnd end =
      process->wait({.limit = {}, .stop = stop, .at_once = wrong_card.get_token(), .first_signal = {}},
                    std::chrono::milliseconds{100}, sample);
  if (!end.known) return Error{Errc::io, "the command " + describe(end)};
  if (end.stopped && facts.refuted.empty()) return Error{Errc::cancelled, "interrupted"};
  facts.status = end.status;
  facts.seconds = end.took.count();
  facts.peak = std::max(facts.peak, end.peak);
  facts.left_behind = end.left_behind.size();
  // Drivers give memory back a moment after the process is gone.
  for (int tries = 0; tries < 3; ++tries) {
    facts.device_after = used();
    if (!facts.device_after || facts.device_after <= facts.device_before) break;
    ::usleep(200'000);
  }
  if (place.card && !(facts.device_before && facts.device_after))
    facts.unknown =
        fmt::format("the driver of {} does not tell{}", to_text(*place.device), facts.device_before ? " any more" : "");
  const auto shared_after = device::shared_memory_files();
  std::set_difference(shared_after.begin(), shared_after.end(), shared_before.begin(), shared_before.end(),
                      std::back_inserter(facts.shared_files));
  return facts;
}

std::string json_of(const memory::ReportOrigin& origin, const memory::CommandReport& report) {
  const auto or_null = [](const std::string& text) { return text.empty() ? Json() : Json(text); };
  const Json json{{"verdict", memory::name_of(report.approval)},
                  {"leaked", report.leaked},
                  {"card", or_null(origin.card)},
                  {"uuid", or_null(origin.uuid)},
                  {"max_leak_bytes", origin.limit.count()},
                  {"version", origin.version},
                  {"date", origin.date},
                  {"analysis", report.analysis},
                  {"strong_points", report.strong},
                  {"weak_points", report.weak},
                  {"recommendations", report.recommendations},
                  {"functional_results", report.functional}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

}  // namespace

Ending run_leak(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const std::vector<std::string>& words = invocation.line.command;
  if (words.empty() || invocation.args().operands.size() != words.size())
    return {Exit::own_failure, "write the command after --, as in 'weir leak -- python test.py'"};
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const SignalWatch signals{device::StopRules{}.grace + device::kStopTime, static_cast<int>(Exit::interrupted), [] {}};
  const auto place = take_place(invocation, signals.token(), log);
  if (!place && place.error().code == Errc::cancelled) return {Exit::interrupted, place.error().what};
  if (!place) return {Exit::own_failure, place.error().what};
  std::vector<memory::RunFacts> runs;
  for (int i = 0; i < args.runs; ++i) {
    auto facts = run_once(words, *place, signals.token());
    if (!facts && facts.error().code == Errc::cancelled) return {Exit::interrupted, facts.error().what};
    if (!facts) return {static_cast<Exit>(start_status(facts.error())), facts.error().what};
    runs.push_back(*std::move(facts));
    if (!runs.back().refuted.empty()) break;
  }
  const memory::CommandReport report = memory::judge_command(runs, args.max_leak);
  const memory::ReportOrigin origin{.command = printable(device::program_name(words)),
                                    .card = place->device ? device::to_text(*place->device) : std::string{},
                                    .uuid = place->device ? place->device->uuid : std::string{},
                                    .limit = args.max_leak,
                                    .version = kVersion,
                                    .date = observe::timestamp_now()};
  if (!args.report.empty()) {
    if (auto written = write_file(args.report, to_markdown(origin, report)); !written)
      return {Exit::some_failed, written.error().what};
  }
  Ending said = print(invocation.args().json ? json_of(origin, report) : to_plain(origin, report));
  if (said.exit != Exit::done) return said;
  const bool approved =
      report.approval == memory::Approval::approved || report.approval == memory::Approval::with_remarks;
  return {approved ? Exit::done : Exit::some_failed, {}};
}

}  // namespace weir::cli

// `weir run` with one command. With items it calls run_items().

#include <string_view>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/signals.hpp"
#include "base/standard_streams.hpp"
#include "base/text.hpp"
#include "cli/batch_setup.hpp"
#include "cli/command.hpp"
#include "cli/guard_arguments.hpp"
#include "cli/run_items.hpp"
#include "device/command_process.hpp"
#include "observe/log.hpp"
#include "runs/command_attempts.hpp"
#include "tasks/command_items.hpp"
#include "tasks/guarded_command.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string result_json(const tasks::GuardedResult& result, int attempts) {
  Json json = tasks::to_json(result);
  json["attempts"] = attempts;
  if (result.error) json["error"] = result.error->what;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// Returns a given flag that applies only to runs with items (:::); empty if no such flag is given.
std::string_view flag_for_items(const CommandLine& line) {
  for (const std::string_view name : {"--jobs", "--gpu-jobs", "--gpu", "--output", "--resume", "--retry-failed",
                                      "--upgrade", "--overwrite", "--explain", "--junit", "--metrics", "--pause-file"})
    if (line.has_flag(name)) return name;
  return {};
}

tasks::GuardedCommand make_guarded_command(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  tasks::GuardedCommand command;
  command.arguments = invocation.command_line.external_arguments;
  command.device_request = make_device_request(args);
  command.strict_device = args.strict_device;
  command.max_leak = args.max_leak;
  command.time_limit = args.time_limit;
  command.grace = args.grace;
  if (!args.variants.empty())
    command.variants = args.variants;
  else if (args.need)
    command.variants = {tasks::Variant{.name = {}, .need = *args.need}};
  else
    command.use_last_need = true;
  // choose_variant() checks the memory when the device is leased.
  command.device_request.need.free = Bytes{};
  return command;
}

/// Called by SignalStopSource when the grace period is over.
void warn_not_ended() {
  constexpr std::string_view kText = "weir: the command does not end; the lease stays held until it does\n";
  write_standard_error(kText);
}

/// Logs processes that outlived the command, and an unknown placement.
void log_result(const tasks::GuardedResult& result, observe::Log& log) {
  if (!result.leftover_processes.empty()) log.warning(tasks::leftovers_text(result));
  if (result.error) return;
  if (result.placement.status == device::PlacementStatus::unknown)
    log.info("placement unknown: " + result.placement.text);
}

}  // namespace

ExitResult run_run(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const std::vector<std::string>& arguments = invocation.command_line.external_arguments;
  // The operands include the arguments after "--"; no others are allowed.
  if (arguments.empty() || invocation.args().operands.size() != arguments.size())
    return {ExitStatus::own_failure, "write the command after --, as in 'weir run -- python train.py'"};
  if (tasks::has_item_separator(arguments)) return run_items(invocation);
  if (const std::string_view name = flag_for_items(invocation.command_line); !name.empty())
    return {ExitStatus::own_failure, fmt::format("{} is for items; write them after :::", name)};
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const Arguments::Batch& batch = invocation.args().batch;
  runs::RunLogs logs;
  if (auto opened = open_event_log(invocation.args(), invocation.environment, logs); !opened)
    return {ExitStatus::own_failure, opened.error().what};
  const auto warn = [&](const std::string& line) { log.warning(line); };
  runs::DeviceGrowthMonitor growth_monitor{args.max_leak, warn, logs.events, logs.metrics};
  const SignalStopSource signals{args.grace + device::kMaxStopTime, static_cast<int>(ExitStatus::own_failure),
                                 warn_not_ended};
  tasks::GuardedCommand command = make_guarded_command(invocation);
  command.first_signal = [&] { return signals.signal_to_forward(); };
  const auto log_info = [&](const std::string& line) { log.info(line); };
  const auto [result, attempts] =
      runs::run_command_with_retries(command, args.retries, invocation.environment, signals.token(),
                                     {.on_note = log_info, .on_waiting = log_info}, warn, growth_monitor);
  log_result(result, log);
  // The result is not needed here: `logs` keeps the error, and add_log_failures() reports it.
  if (!batch.metrics_file.empty()) static_cast<void>(logs.metrics.write(batch.metrics_file));
  if (invocation.args().json) log.info(result_json(result, attempts));
  // An interrupted command has the same exit status as without weir.
  const bool interrupted = result.error && result.error->code == Errc::cancelled && result.ended_by_itself;
  if (interrupted) log.warning(result.error->what);
  if (!result.error || interrupted) return add_log_failures({static_cast<ExitStatus>(result.status), {}}, logs, log);
  const bool not_started = result.status == 126 || result.status == 127;  // GuardedResult::status
  const ExitStatus exit_code = not_started ? static_cast<ExitStatus>(result.status) : ExitStatus::own_failure;
  return add_log_failures({exit_code, result.error->what}, logs, log);
}

}  // namespace weir::cli

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
#include "runs/single_command.hpp"
#include "tasks/command_items.hpp"
#include "tasks/guarded_command.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::cli {
namespace {

using Json = nlohmann::ordered_json;

std::string json_of(const tasks::GuardedEnd& end, int tries) {
  Json json = tasks::to_json(end);
  json["tries"] = tries;
  if (end.error) json["error"] = end.error->what;
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

/// The first flag that only a run of many items knows; empty if none was given.
std::string_view flag_for_items(const CommandLine& line) {
  for (const std::string_view name : {"--jobs", "--gpu-jobs", "--gpu", "--output", "--resume", "--retry-failed",
                                      "--upgrade", "--overwrite", "--explain", "--junit", "--metrics", "--pause-file"})
    if (line.has(name)) return name;
  return {};
}

tasks::GuardedCommand command_of(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  tasks::GuardedCommand command;
  command.words = invocation.line.command;
  command.wish = wish_of(args);
  command.strict_device = args.strict_device;
  command.max_leak = args.max_leak;
  command.limit = args.limit;
  command.grace = args.grace;
  if (!args.variants.empty())
    command.variants = args.variants;
  else if (args.need)
    command.variants = {{{}, *args.need}};
  else
    command.recall = true;
  command.wish.need.free = Bytes{};  // admission asks once the device is ours
  return command;
}

void say_not_ended() {
  constexpr std::string_view kText = "weir: the command does not end; the lease stays held until it does\n";
  write_standard_error(kText);
}

/// What is said once, at the end.
void tell_end(const tasks::GuardedEnd& end, observe::Log& log) {
  if (!end.left_behind.empty()) log.warning(tasks::leftovers_text(end));
  if (end.error) return;
  if (end.placement.outcome == device::Outcome::unknown) log.info("placement unknown: " + end.placement.text);
}

}  // namespace

Ending run_run(const Invocation& invocation) {
  const GuardArguments& args = invocation.args().guard;
  const std::vector<std::string>& words = invocation.line.command;
  if (words.empty() || invocation.args().operands.size() != words.size())
    return {Exit::own_failure, "write the command after --, as in 'weir run -- python train.py'"};
  if (tasks::has_items(words)) return run_items(invocation);
  if (const std::string_view name = flag_for_items(invocation.line); !name.empty())
    return {Exit::own_failure, fmt::format("{} is for items; write them after :::", name)};
  observe::Log log{invocation.args().quiet ? observe::Verbosity::quiet : observe::Verbosity::normal};
  const Arguments::Batch& batch = invocation.args().batch;
  runs::RunLogs logs;
  if (auto opened = open_event_log(invocation.args(), invocation.environment, logs); !opened)
    return {Exit::own_failure, opened.error().what};
  const auto warn = [&](const std::string& line) { log.warning(line); };
  runs::DeviceWatch watch{args.max_leak, warn, logs.events, logs.metrics};
  const SignalWatch signals{args.grace + device::kStopTime, static_cast<int>(Exit::own_failure), say_not_ended};
  tasks::GuardedCommand command = command_of(invocation);
  command.first_signal = [&] { return signals.signal_to_forward(); };
  const auto inform = [&](const std::string& line) { log.info(line); };
  const auto [end, tries] = runs::run_command(command, args.retries, invocation.environment, signals.token(),
                                              {.note = inform, .waiting = inform}, warn, watch);
  tell_end(end, log);
  if (!batch.metrics_file.empty()) static_cast<void>(logs.metrics.write(batch.metrics_file));  // with_logs() tells
  if (invocation.args().json) log.info(json_of(end, tries));
  // What an interrupted command says by its status is what it would say without weir.
  const bool interrupted = end.error && end.error->code == Errc::cancelled && end.passes_status;
  if (interrupted) log.warning(end.error->what);
  if (!end.error || interrupted) return with_logs({static_cast<Exit>(end.status), {}}, logs, log);
  const bool not_started = end.status == 126 || end.status == 127;
  const Exit exit = not_started ? static_cast<Exit>(end.status) : Exit::own_failure;
  return with_logs({exit, end.error->what}, logs, log);
}

}  // namespace weir::cli

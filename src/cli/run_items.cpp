#include "cli/run_items.hpp"

#include <filesystem>
#include <utility>

#include "base/atomic_file.hpp"
#include "base/signals.hpp"
#include "cli/batch_setup.hpp"
#include "cli/command_reporter.hpp"
#include "cli/guard_arguments.hpp"
#include "runs/command_run.hpp"
#include "tasks/command_items.hpp"

namespace weir::cli {
namespace {

namespace fs = std::filesystem;

tasks::CommandRequest make_command_request(const Arguments& args, std::vector<std::string> arguments,
                                           tasks::DeviceRequest device_request) {
  const GuardArguments& guard = args.guard;
  tasks::CommandRequest request;
  request.arguments = std::move(arguments);
  request.guard.device_request = std::move(device_request);
  request.guard.strict_device = guard.strict_device;
  request.guard.max_leak = guard.max_leak;
  request.guard.time_limit = guard.time_limit;
  request.guard.grace = guard.grace;
  request.guard.lease_before_start = !guard.gpu_inside;
  if (!guard.variants.empty())
    request.guard.variants = guard.variants;
  else if (guard.need)
    request.guard.variants = {tasks::Variant{.name = {}, .need = *guard.need}};
  else
    request.guard.use_last_need = true;
  request.gpu_jobs = guard.gpu_jobs;
  request.retries = guard.retries;
  request.folder = fs::absolute(args.output.empty() ? fs::path{"weir-run"} : fs::path{args.output});
  return request;
}

jobs::RunSettings make_settings(const Arguments& args) {
  jobs::RunSettings settings = make_run_settings(args);
  settings.rules.redo = !args.guard.resume;
  return settings;
}

/// Takes an inventory of the devices. A signal such as SIGINT ends it early (Inventory::interrupted).
tasks::Machine inspect_until_interrupted(const tasks::DeviceRequest& request) {
  const SignalStopSource signals{std::chrono::seconds{30}, static_cast<int>(ExitStatus::interrupted), [] {}};
  return tasks::inspect_machine(request, signals.token());
}

}  // namespace

ExitResult run_items(const Invocation& invocation) {
  const SignalBlocker signal_blocker;
  const Arguments& args = invocation.args();
  auto list = tasks::split_items(invocation.command_line.external_arguments, tasks::read_lines);
  if (!list) return wrong_usage(list.error().what);
  tasks::DeviceRequest request = make_device_request(args.guard);
  request.need.free = Bytes{};  // the free memory is checked once a device is leased
  const tasks::Machine machine = inspect_until_interrupted(request);
  if (machine.inventory.interrupted) return {ExitStatus::interrupted, no_device_error(machine).what};
  if (machine.choice.ranked.empty()) return {ExitStatus::nothing_started, no_device_error(machine).what};
  warn_unanswered_drivers(machine, args.quiet);
  const auto run =
      runs::CommandRun::make({.request = make_command_request(args, std::move(list->arguments), std::move(request)),
                              .items = std::move(list->items),
                              .jobs = args.guard.jobs,
                              .settings = make_settings(args)},
                             machine);
  if (!run && run.error().code == Errc::invalid_argument) return wrong_usage(run.error().what);
  if (!run) return {ExitStatus::nothing_started, run.error().what};
  runs::RunLogs logs;
  if (auto opened = open_logs(args, invocation.environment, logs); !opened) return make_log_failure(opened.error());
  observe::Log log = make_log(args);
  CommandReporter reporter{args, log, logs};
  const auto totals = run->run(reporter, logs);
  if (!totals) return {ExitStatus::nothing_started, totals.error().what};
  reporter.summary(*totals);
  if (!args.guard.junit.empty()) {
    if (auto written = write_file(args.guard.junit, junit_text("weir run", reporter.cases())); !written)
      return {ExitStatus::some_failed, "--junit: " + written.error().what};
  }
  const ExitResult refused{ExitStatus::nothing_started,
                           "nothing could start: every command was refused because no device or not enough memory was "
                           "available"};
  return add_log_failures(make_exit_result(*totals, reporter.output_problem(), refused), logs, log);
}

}  // namespace weir::cli

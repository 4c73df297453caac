#include "runs/command_attempts.hpp"

#include <fmt/format.h>

#include "device/process_identity.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::runs {
namespace {

/// Returns the report of an attempt in the same form as a run of items writes it.
jobs::Json make_report(const tasks::GuardedResult& result) {
  jobs::Json report = tasks::to_json(result);
  if (result.error)
    report["error"] = jobs::to_json(*result.error);
  else if (result.status != 0)
    report["error"] = jobs::to_json(Error{Errc::failed, fmt::format("exit status {}", result.status)});
  return report;
}

}  // namespace

CommandAttempts run_command_with_retries(const tasks::GuardedCommand& command, int retries,
                                         const Environment& environment, const std::stop_token& stop,
                                         const tasks::CommandCallbacks& callbacks,
                                         const std::function<void(const std::string&)>& on_retry,
                                         DeviceGrowthMonitor& monitor) {
  tasks::MachineProbe probe;
  CommandAttempts attempts;
  do {
    const tasks::GuardedResult& last = attempts.result;
    if (attempts.attempt_count > 0)
      on_retry(fmt::format("attempt {} failed ({}); trying again", attempts.attempt_count,
                           last.error ? last.error->what : fmt::format("status {}", last.status)));
    attempts.result = tasks::run_guarded_command(command, probe, environment, stop, callbacks);
    monitor.record_attempt(device::program_name(command.arguments), make_report(attempts.result));
  } while (++attempts.attempt_count <= retries && tasks::may_retry(attempts.result));
  return attempts;
}

}  // namespace weir::runs

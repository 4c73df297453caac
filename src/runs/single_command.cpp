#include "runs/single_command.hpp"

#include <fmt/format.h>

#include "device/process_identity.hpp"
#include "tasks/guarded_report.hpp"

namespace weir::runs {
namespace {

/// The figures of a try, as a run of items writes them.
jobs::Json report_of(const tasks::GuardedEnd& end) {
  jobs::Json report = tasks::to_json(end);
  if (end.error)
    report["error"] = jobs::to_json(*end.error);
  else if (end.status != 0)
    report["error"] = jobs::to_json(Error{Errc::failed, fmt::format("exit status {}", end.status)});
  return report;
}

}  // namespace

Tried run_command(const tasks::GuardedCommand& command, int retries, const Environment& environment,
                  const std::stop_token& stop, const tasks::Tell& tell,
                  const std::function<void(const std::string&)>& failed, DeviceWatch& watch) {
  tasks::MachineProbe probe;
  Tried tried;
  do {
    const tasks::GuardedEnd& last = tried.end;
    if (tried.tries > 0)
      failed(fmt::format("try {} failed ({}); trying again", tried.tries,
                         last.error ? last.error->what : fmt::format("status {}", last.status)));
    tried.end = tasks::run_guarded(command, probe, environment, stop, tell);
    watch.tried(device::program_name(command.words), report_of(tried.end));
  } while (++tried.tries <= retries && tasks::may_retry(tried.end));
  return tried;
}

}  // namespace weir::runs
